import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { guardCypher } from '../../../src/graph/cypher/guard.js'
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
    if (guarded.text.includes('espalier_value') || guarded.text.includes('(?>')) return
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

  it('bounds on Neo4j what an expression works through, and leaves rows alone', () => {
    const textOf = (query: string, engine: 'neo4j' | 'grafeo' = 'neo4j') => {
      const guarded = guardCypher(query, { engine })
      return 'ok' in guarded
        ? guarded.text
            .replace(/ ?\[espalier_value IN \[ ?/g, '<')
            .replace(/\] \| CASE WHEN size\(espalier_value\) > (\d+) .*? END\]\[0\]/g, ' $1>')
        : `${guarded.found}: ${guarded.expected}`
    }
    expect(textOf('RETURN [x IN $l WHERE x > 1 | x] AS l')).toBe('RETURN [x IN<$l 100000> WHERE x > 1 | x] AS l')
    expect(textOf('RETURN any(x IN a + [b] WHERE x)')).toBe('RETURN any(x IN<a + [b] 100000> WHERE x)')
    expect(textOf('RETURN reduce(s = [1, 2], x IN f[0..3] | s + x)')).toBe('RETURN reduce(s = [1, 2], x IN<f[0..3] 100000> | s + x)')
    expect(textOf('RETURN all(x IN a WHERE none(y IN x WHERE single(z IN y WHERE z)))')).toBe(
      'RETURN all(x IN<a 100000> WHERE none(y IN<x 1000> WHERE single(z IN<y 10> WHERE z)))',
    )
    expect(textOf('RETURN [a IN b | [c IN d | [e IN f | [g IN h | g]]]]')).toBe('[: at most 3 loops over lists in one another')
    expect(textOf('RETURN replace(a, b, c), split(d, ","), toStringList(l)')).toBe(
      'RETURN replace(<a 1000000>, b,<c 1000>), split(<d 1000000>, ","), toStringList(<l 100000>)',
    )
    for (const same of ['UNWIND range(1, 1000000000) AS x RETURN count(x)', 'MATCH (n) WHERE n.x IN $l RETURN [n.x IN $l]'])
      expect(textOf(same)).toBe(same.replace('(n)', '(n:Node)'))
    expect(textOf('RETURN [x IN $l | x]', 'grafeo')).toBe('RETURN [x IN $l | x]')
  })

  it('takes the pattern of a regular expression from texts and parameters, and gives both engines what means the same', () => {
    const textOf = (query: string, parameters: object, engine: 'neo4j' | 'grafeo' = 'neo4j') => {
      const guarded = guardCypher(query, { engine, parameters: parameters as Record<string, unknown> })
      return 'ok' in guarded ? guarded.text : `${guarded.found}: ${guarded.expected}. ${guarded.suggestion}`
    }
    expect(textOf('RETURN $t =~ $p AS x', { p: '(?i)a.+' })).toBe(
      "RETURN $t =~ '[Aa][^\\\\x{a}\\\\x{d}\\\\x{85}\\\\x{2028}-\\\\x{2029}]+' AS x",
    )
    expect(textOf("RETURN 'a'=~('x' + $p+'z') AS x", { p: 'y' })).toBe("RETURN 'a'=~( 'xyz') AS x")
    expect(textOf('RETURN "a" =~ $p AS x', { p: 'a.*b.*c.*d' })).toContain('(?>')
    expect(textOf('RETURN "a" =~ $p AS x', { p: '[a-z]*b[a-z]*c' }, 'grafeo')).toBe('RETURN "a" =~ \'[a-z]*b[a-z]*c\' AS x')
    // null stays null
    expect(textOf('RETURN "a" =~ $p + "b" AS x', { p: null })).toBe('RETURN "a" =~ $p + "b" AS x')
    for (const p of [1, ['a'], { a: 1 }, undefined, true])
      expect(textOf('RETURN "a" =~ $p AS x', { p })).toContain('a text as the value of $p')
    expect(textOf('RETURN "a" =~ $toString AS x', {})).toContain('a text as the value of $toString')
    expect(textOf('RETURN "a" =~ $p AS x', { p: '(a+)+' })).toContain('$p: a regular expression: a repeated group')
  })

  it('says which queries may work for long between two rows', () => {
    const mayLoop = (query: string) => {
      const guarded = guardCypher(query)
      return 'ok' in guarded ? guarded.mayLoop : guarded
    }
    for (const query of [
      'RETURN any(x IN range(1, 1000000000000) WHERE x < 0) AS x',
      'MATCH (n) RETURN reduce (s = 0, x IN n.xs | s)',
      'WITH [1, 2] AS l WITH l + l AS l RETURN l',
      'MATCH (n) RETURN [x IN n.xs WHERE x > 1]',
      'RETURN EXISTS { MATCH (n) WHERE all(x IN n.xs WHERE x) }',
      'RETURN Split("a,b", ",")',
      // each is tried after the first letter
      `MATCH (n) WHERE n.name =~ "${Array.from({ length: 20 }, (_, i) => `a${i}`).join('|')}" RETURN n`,
    ])
      expect(mayLoop(query), query).toBe(true)
    for (const query of [
      'MATCH (t:Table {name: "a+b"})-[:HAS_COLUMN*1..3]->(c) WHERE c.name IN ["x"] RETURN t.range, count(c), collect(c.name)[0..3]',
      'MATCH (t:Table) RETURN t {.name, columns: [(t)-->(c) | c.name]}, date("2024-01-01"), size(t.xs)',
      'MATCH (a), (b), (c) RETURN count(*)',
      // those that could are refused
      'MATCH (n) WHERE n.name =~ ".*x" RETURN n',
    ])
      expect(mayLoop(query), query).toBe(false)
  })

  it('takes time in proportion to the text, whatever is in it', () => {
    const filled = (head: string, unit: string, tail: string) =>
      head + unit.repeat((99_000 - head.length - tail.length) / unit.length) + tail
    for (const text of [
      filled('RETURN {', 'a:1,', 'b:1}'),
      filled('MATCH (n:A', '|A', ') RETURN n'),
      filled('MATCH (n:A', '&!A', ') RETURN n'),
      filled('RETURN ', '(1)+', '1'),
      filled('RETURN ', `${'('.repeat(50)}1${')'.repeat(50)}+`, '1'),
      filled('WITH 1 AS x ', 'WITH x LIMIT 1 ', 'RETURN x'),
      filled('MATCH (a)', '-[*0..1]->()', ' RETURN 1'),
      filled('', 'MATCH (a)-->(b) ', 'RETURN 1'),
      filled('RETURN ', 'EXISTS{(a)}OR ', 'TRUE'),
      filled('RETURN 1 AS x ', 'UNION RETURN 1 AS x ', ''),
      filled('CALL db.labels() YIELD label ', 'CALL db.labels() YIELD label ', 'RETURN 1'),
      filled('RETURN ', '[', ''),
      filled('RETURN ', '/**/', '1'),
    ])
      for (const engine of ['neo4j', 'grafeo'] as const) {
        guardCypher(text, { engine, rows: 10 })
        // some 50 ms on a quiet machine; what is quadratic takes ten seconds
      }
  })

  it('bounds length and depth', () => {
    expect(guardCypher(`RETURN ${'('.repeat(5000)}1${')'.repeat(5000)}`)).toMatchObject({ code: 'cypher-refused' })
    expect(guardCypher(`RETURN "${'x'.repeat(100_001)}"`)).toMatchObject({ code: 'cypher-refused' })
    expect(guardCypher(`RETURN ${'1 = '.repeat(3_500)}1`)).toMatchObject({ suggestion: 'Pass values as parameters' })
    expect(guardCypher(`RETURN n.x IN [${'1, '.repeat(2_500)}1]`)).toMatchObject({ ok: true })
    expect(guardCypher(`${'WITH 1 AS x '.repeat(100)} RETURN x`)).toMatchObject({ expected: 'at most 100 clauses' })
    expect(guardCypher(`RETURN ${'('.repeat(30)}1${')'.repeat(30)} AS x`)).toMatchObject({ ok: true })
  })
})
