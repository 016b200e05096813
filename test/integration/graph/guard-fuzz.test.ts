import { createRequire } from 'node:module'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { guardCypher } from '../../../src/graph/cypher-guard.js'
import { allowedQueries, dangerousLookingButFine } from '../../unit/graph/cypher-cases.js'

const { GrafeoDB } = createRequire(import.meta.url)('@grafeo-db/js') as typeof import('@grafeo-db/js')

const pieces = [
  ...[
    'SET n.x = 1',
    'SET n:Foo',
    'CREATE (:Z)',
    'DELETE n',
    'DETACH DELETE n',
    'REMOVE n.name',
    'MERGE (:Z)',
    'FOREACH (q IN [1] | CREATE (:Z))',
  ],
  ...[
    'CREATE INDEX i FOR (n:Z) ON (n.q)',
    'ſET n.x = 1',
    'CALL {',
    'IN TRANSACTIONS',
    'WITH n',
    'RETURN 1',
    'UNION',
    'WHERE',
    'AS',
    'CASE',
    'END',
  ],
  ...[
    '/*',
    '*/',
    '//',
    '\n',
    '\r',
    '\u2028',
    '\u00a0',
    "'",
    '"',
    '`',
    '\\',
    "\\'",
    '\\u0027',
    '\\\\',
    ';',
    '.',
    '..',
    ':',
    '|',
    '{',
    '}',
    '(',
    ')',
    '[',
    ']',
  ],
  ...[',', '$', 'n', 'x', '1', '1.', '-', '->', '*', '=', 'ſ', '\u212a', '&', '!', '%', '|SET', ' '],
]
const query = fc.constantFrom(...allowedQueries, ...dangerousLookingButFine)
const edits = fc.array(
  fc.record({ at: fc.double({ min: 0, max: 1, noNaN: true }), cut: fc.constantFrom(0, 0, 0, 1, 2), piece: fc.constantFrom('', ...pieces) }),
  { minLength: 1, maxLength: 3 },
)
const attack = fc.tuple(query, edits).map(([text, changes]) =>
  changes.reduce((t, { at, cut, piece }) => {
    const place = Math.floor(at * t.length)
    return `${t.slice(0, place)}${piece}${t.slice(place + cut)}`
  }, text),
)

it('lets nothing through that writes, not even as it came, whatever is spliced into a query', async () => {
  const db = GrafeoDB.create()
  await db.executeCypher('CREATE (:Table {name: "a"})-[:R]->(:Table {name: "b"})')
  let ran = 0
  const counters = async (text: string): Promise<number[]> => {
    const transaction = db.beginTransaction()
    try {
      const result = await transaction.executeCypher(text, { name: 'a', rows: [], p: {}, create: 1, set: 1, delete: 1 })
      ran++
      return Object.values(result.counters)
    } catch {
      return []
    } finally {
      if (transaction.isActive) transaction.rollback()
    }
  }
  await fc.assert(
    fc.asyncProperty(attack, async (text) => {
      const guarded = guardCypher(text, { engine: 'grafeo', rows: 100 })
      if (!('ok' in guarded)) return
      for (const run of [guarded.text, text]) for (const count of await counters(run)) expect(count, run).toBe(0)
    }),
    { numRuns: 60_000 },
  )
  expect(ran).toBeGreaterThan(1_000)
  expect((await db.executeCypher('SHOW INDEXES')).length).toBe(0)
  db.close()
}, 120_000)
