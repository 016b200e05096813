import { describe, expect, it } from 'vitest'
import { guardCypher } from '../../../src/graph/cypher/guard.js'

const textOf = (query: string) => {
  const guarded = guardCypher(query)
  return 'ok' in guarded ? guarded.text : JSON.stringify(guarded)
}

/** What runs; null: the query as it is. */
const cases: [query: string, runs: string | null][] = [
  ['MATCH (n) RETURN count(n)', 'MATCH (n:Node) RETURN count(n)'],
  ['MATCH () RETURN count(*)', 'MATCH (:Node) RETURN count(*)'],
  ['MATCH (n {id: 1}) RETURN n', 'MATCH (n:Node {id: 1}) RETURN n'],
  ['MATCH (n WHERE n.x = 1) RETURN n', 'MATCH (n:Node WHERE n.x = 1) RETURN n'],
  ['OPTIONAL MATCH (`a b`) RETURN 1 AS x', 'OPTIONAL MATCH (`a b`:Node) RETURN 1 AS x'],
  ['MATCH p = (n) RETURN p', 'MATCH p = (n:Node) RETURN p'],
  ['MATCH (n:Table) RETURN n', null],
  ['MATCH (n:Table|View) RETURN n', null],
  ['MATCH (n:!Table {x: 1}) RETURN n', 'MATCH (n:Node&(!Table) {x: 1}) RETURN n'],
  ['MATCH (:%) RETURN 1 AS x', 'MATCH (:Node&(%)) RETURN 1 AS x'],
  ['MATCH (n IS !A|B WHERE n.x) RETURN n', 'MATCH (n IS Node&( !A|B) WHERE n.x) RETURN n'],
  // bound by a relationship
  ['MATCH (a)-[r]->(b)<--(c)--(d) RETURN a', null],
  ['MATCH (a)-[*..3]->(b)<-[*1..2]-(c) RETURN a', null],
  ['MATCH (a)-->(b), (c) RETURN a', 'MATCH (a)-->(b), (c:Node) RETURN a'],
  ['MATCH (a)-[*0..3]->(b) RETURN a', 'MATCH (a:Node)-[*0..3]->(b:Node) RETURN a'],
  ['MATCH (a)<-[r:A|B*0]-(b)-->(c) RETURN a', 'MATCH (a:Node)<-[r:A|B*0]-(b)-->(c) RETURN a'],
  ['MATCH (a)-[:R]->{0,3}(b) RETURN a', 'MATCH (a:Node)-[:R]->{0,3}(b:Node) RETURN a'],
  ['MATCH ((a)-[:R]->(b)){0,3} (c) RETURN a', 'MATCH ((a)-[:R]->(b)){0,3} (c:Node) RETURN a'],
  // inside expressions and subqueries
  ['RETURN EXISTS { (n) } AS x', 'RETURN EXISTS { (n:Node) } AS x'],
  ['CALL { MATCH (n) RETURN n } RETURN n', 'CALL { MATCH (n:Node) RETURN n } RETURN n'],
  ['RETURN COUNT { MATCH (n) WHERE n.x = (1) } AS x', 'RETURN COUNT { MATCH (n:Node) WHERE n.x = (1) } AS x'],
  ['MATCH (t:Table) RETURN [(x)-[*0..1]-(y) | y.position] AS v', 'MATCH (t:Table) RETURN [(x:Node)-[*0..1]-(y:Node) | y.position] AS v'],
  [
    'MATCH (n:A) WHERE (n)-[*0..1]->() AND (n.x) - (n.y) <- 1 RETURN n',
    'MATCH (n:A) WHERE (n:Node)-[*0..1]->(:Node) AND (n.x) - (n.y) <- 1 RETURN n',
  ],
  ['MATCH (n:A) WHERE (n)-->() RETURN [(n)--(m) | m] AS ms', null],
  // names of labels
  ['CALL db.labels', "CALL db.labels() YIELD label WITH label WHERE label <> 'EspalierMeta' RETURN label"],
  [
    'CALL db.labels() YIELD label AS l WHERE l <> "x" RETURN count(l)',
    `CALL { CALL db.labels() YIELD label WITH label WHERE label <> 'EspalierMeta' RETURN label AS l } WITH * WHERE l <> "x" RETURN count(l)`,
  ],
]

describe('what a query can see', () => {
  it.each(cases)('%s', (query, runs) => expect(textOf(query)).toBe(runs ?? query))

  it('keeps the names of columns', () => {
    expect(guardCypher('MATCH (n) RETURN [(n)-[*0..1]-(m) | m.id], COUNT { (k) }')).toMatchObject({
      columns: ['[(n)-[*0..1]-(m) | m.id]', 'COUNT { (k) }'],
    })
  })
})
