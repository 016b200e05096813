import { describe, expect, it } from 'vitest'
import { guardCypher } from '../../../src/graph/cypher/guard.js'
import { allowedFunctions } from '../../../src/graph/cypher/words.js'
import { grafeoGaps, missingFunctions, sameFunctions } from '../../../src/graph/grafeo/gaps.js'

describe('what the embedded graph lacks', () => {
  it.each(Object.entries(grafeoGaps))('%s is refused there with a hint, and passes on Neo4j', (_, { example, hint, reason }) => {
    expect(guardCypher(example, { engine: 'neo4j' })).toMatchObject({ ok: true })
    expect(guardCypher(example, { engine: 'grafeo' })).toMatchObject({ suggestion: hint, expected: expect.stringContaining(reason) })
  })

  it.each(Object.entries(missingFunctions))('the function %s likewise', (name, { example, hint }) => {
    expect(allowedFunctions).toContain(name)
    expect(guardCypher(`RETURN ${example} AS x`, { engine: 'neo4j' })).toMatchObject({ ok: true })
    expect(guardCypher(`RETURN ${example} AS x`, { engine: 'grafeo' })).toMatchObject({ suggestion: hint })
  })

  it('whatever the case of the name', () => {
    const query = 'MATCH p = ALLSHORTESTPATHS((a)-[*..6]-(b)) RETURN p'
    expect(guardCypher(query, { engine: 'grafeo' })).toMatchObject({ suggestion: grafeoGaps.pathFunction.hint })
    expect(guardCypher('RETURN isempty("") AS x', { engine: 'grafeo' })).toMatchObject({ suggestion: 'Use size(x) = 0' })
  })

  it('does not take what looks alike for a gap', () => {
    for (const text of [
      'MATCH ()-[r:DATA_FLOW|HAS_COLUMN]->() RETURN r',
      'MATCH ()-[r WHERE r.x = 1]->() RETURN r',
      'MATCH (n:Table) WHERE n.a % 2 = 1 AND (n.b) % 2 = 0 RETURN n',
      'RETURN [x IN [1, 2] WHERE x > 1 | x] AS xs',
      'MATCH p = (a)-->(b) RETURN [n IN nodes(p) WHERE n:Table | n.name] AS names',
      'MATCH (n:Table {x: 1}) RETURN n {.name, x: -1} AS m, {a: 1} AS k',
      'WITH [1, 2, 3] AS xs RETURN xs[-1] AS last, xs[1..] AS rest, xs[0..2 - 1] AS one, [-1, -2] AS ys, [a = (1)] AS b',
      'MATCH p = (a)-->(b), q = (c)<--(d) RETURN p, q',
      'MATCH (n:`WHERE`) RETURN n',
      'MATCH (n) WHERE (n)-[:R {x: 1}]->(:Table {y: 2}) RETURN [(n {z: 1})-[r {x: 1}]-(m {x: 2}) | m {.id}] AS x',
    ])
      expect(guardCypher(text, { engine: 'grafeo' }), text).toMatchObject({ ok: true })
  })

  it('is rewritten where another way says the same', () => {
    const textOf = (text: string) => (guardCypher(text, { engine: 'grafeo' }) as { text: string }).text
    expect(textOf('RETURN 1 AS a UNION DISTINCT RETURN 2 AS a')).toBe('RETURN 1 AS a UNION RETURN 2 AS a')
    expect(textOf('CALL db.propertyKeys')).toBe('CALL db.propertyKeys()')
    for (const [name, same] of Object.entries(sameFunctions)) expect(textOf(`RETURN ${name}("x")`)).toBe(`RETURN ${same}("x")`)
  })
})
