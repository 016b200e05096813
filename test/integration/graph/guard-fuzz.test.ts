import { createRequire } from 'node:module'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { guardCypher } from '../../../src/graph/cypher/guard.js'
import { attack } from './attack-texts.js'

const { GrafeoDB } = createRequire(import.meta.url)('@grafeo-db/js') as typeof import('@grafeo-db/js')

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
