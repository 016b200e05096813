import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { guardCypher } from '../../../src/graph/cypher-guard.js'
import { allowedQueries, dangerousLookingButFine, refusedQueries } from './cypher-cases.js'

describe('guardCypher', () => {
  it.each(refusedQueries.map(([query, found]) => [query, found]))('refuses %j', (query, found) => {
    expect(guardCypher(query, { engine: 'grafeo' })).toMatchObject({ code: 'cypher-refused' })
    const guarded = guardCypher(query, { engine: 'neo4j' })
    if ('ok' in guarded) throw new Error(`let through as ${guarded.text}`)
    expect(guarded.code).toBe('cypher-refused')
    expect(guarded.where).toMatch(/^cypher:\d+:\d+$/)
    expect(`${guarded.found} ${guarded.expected} ${guarded.suggestion ?? ''}`).toContain(found)
  })

  it.each([...allowedQueries, ...dangerousLookingButFine])('lets through %j', (query) => {
    const guarded = guardCypher(query, { engine: 'neo4j' })
    if (!('ok' in guarded)) throw new Error(`refused: ${JSON.stringify(guarded)}`)
    // What is run is understood the same way again: printing loses nothing. (Only the platform's own label is not to be said by others.)
    const again = guardCypher(guarded.text.replaceAll('EspalierMeta', 'x'), { engine: 'neo4j' })
    if (!/EspalierMeta|Node&/.test(guarded.text)) expect('ok' in again && again.text).toBe(guarded.text)
    expect(again).toMatchObject({ ok: true })
  })

  it('says where and what was probably meant', () => {
    expect(guardCypher('MATCH (n)\nRETRUN n')).toMatchObject({ where: 'cypher:2:1', found: 'RETRUN', suggestion: 'Did you mean "RETURN"?' })
    expect(guardCypher('MTACH (n) RETURN n')).toMatchObject({ where: 'cypher:1:1', suggestion: 'Did you mean "MATCH"?' })
    expect(guardCypher('RETURN toUper("a")')).toMatchObject({ found: 'toUper', suggestion: 'Did you mean "toupper"?' })
  })

  it('adds or lowers the last LIMIT, and leaves what it cannot read alone', () => {
    const textOf = (query: string, rows = 10) => {
      const guarded = guardCypher(query, { rows })
      return 'ok' in guarded ? guarded.text : JSON.stringify(guarded)
    }
    expect(textOf('MATCH (n:Table) RETURN n')).toBe('MATCH (n:Table) RETURN n LIMIT 11')
    expect(textOf('MATCH (n:Table) RETURN n ORDER BY n.name SKIP 2')).toBe('MATCH (n:Table) RETURN n ORDER BY n.name SKIP 2 LIMIT 11')
    expect(textOf('MATCH (n:Table) RETURN n LIMIT 500')).toBe('MATCH (n:Table) RETURN n LIMIT 11')
    expect(textOf('MATCH (n:Table) RETURN n LIMIT 5;')).toBe('MATCH (n:Table) RETURN n LIMIT 5')
    expect(textOf('MATCH (n:Table) RETURN n LIMIT $n')).toBe('MATCH (n:Table) RETURN n LIMIT $n')
    expect(textOf('RETURN 1 AS a UNION RETURN 2 AS a')).toBe('RETURN 1 AS a UNION RETURN 2 AS a')
    expect(textOf('MATCH (n:Table) WITH n LIMIT 500 RETURN n')).toBe('MATCH (n:Table) WITH n LIMIT 500 RETURN n LIMIT 11')
    expect(textOf('CALL db.relationshipTypes()')).toBe('CALL db.relationshipTypes()')
  })

  it('names the columns as the query spells them', () => {
    const columnsOf = (query: string) => {
      const guarded = guardCypher(query)
      return 'ok' in guarded ? guarded.columns : guarded
    }
    expect(columnsOf('MATCH (n) RETURN n.name, count( * ) AS c, [1, 2][0], "a, b" AS `x y` ORDER BY c')).toEqual([
      'n.name',
      'c',
      '[1, 2][0]',
      'x y',
    ])
    expect(columnsOf('MATCH (n) RETURN DISTINCT n.`a b` , {x: 1, y: [n]} AS m LIMIT 3')).toEqual(['n.`a b`', 'm'])
    expect(columnsOf('MATCH (n) RETURN *')).toBeNull()
    expect(columnsOf('CALL db.labels()')).toBeNull()
  })

  it('prints no comment and no escape that an engine could read differently', () => {
    const guarded = guardCypher("MATCH /* a */ (n:Table) // b\nWHERE n.name = 'it\\'s \\u00e9 \"q\" \\n' RETURN n")
    expect(guarded).toMatchObject({ ok: true, text: "MATCH (n:Table) WHERE n.name = 'it\\'s é \"q\" \\n' RETURN n" })
  })

  it('never throws, and what it lets through holds no word that writes outside strings and names', () => {
    const pieces = fc.constantFrom(
      ...'MATCH|(n)|RETURN|n|.|,|WHERE|CREATE|SET|DELETE|{|}|(|)|[|]|`|\'|"|//|/*|*/|\n|;|:|$x|CALL|x|1|-|>|*|AS|WITH|\\u0027|\\|ſET|UNION|EXISTS|FOREACH|IN'.split(
        '|',
      ),
      ' ',
    )
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 25 }), (parts) => {
        const guarded = guardCypher(parts.join(''))
        if (!('ok' in guarded)) return
        const bare = guarded.text.replace(/'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|`[^`]*`/gs, '_')
        expect(bare).not.toMatch(/\/\/|\/\*|\\|;/)
        // after a dot, colon or dollar, or before a colon, such a word is a name
        expect(bare.replace(/[.:|$&!]\s*\w+/g, '_').replace(/\w+\s*:/g, '_')).not.toMatch(/\b(CREATE|SET|DELETE|FOREACH)\b/i)
      }),
      { numRuns: 20_000 },
    )
  })

  it('bounds length and depth', () => {
    expect(guardCypher(`RETURN ${'('.repeat(5000)}1${')'.repeat(5000)}`)).toMatchObject({ code: 'cypher-refused' })
    expect(guardCypher(`RETURN "${'x'.repeat(100_001)}"`)).toMatchObject({ code: 'cypher-refused' })
    expect(guardCypher(`RETURN ${'('.repeat(30)}1${')'.repeat(30)} AS x`)).toMatchObject({ ok: true })
  })
})
