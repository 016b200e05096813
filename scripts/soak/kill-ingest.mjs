/**
 * Ingests version after version of an estate into a whole Espalier, and kills parts of it (the supervisor, the server, Postgres, the graph
 * engine, everything) at random moments of each. After every kill the ledger must be that of a load that nobody disturbed, before or after
 * this very version; at the end the graph must be the ledger. $SOAK_KILLS (default 50), $SOAK_SEED (default: any; it is printed).
 */
import assert from 'node:assert/strict'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { ingest } from '../../dist/catalog/ingest.js'
import { seeded } from '../../dist/util/random.js'
import { startLiving } from './support/living.mjs'
import { assertGraphIsLedger, assertNoDoubles, tellLedger } from './support/telling.mjs'
import { ingestBy, versionOf } from './support/versions.mjs'

export const title = 'parts of Espalier killed at random moments of ingests'

const kills = Number(process.env.SOAK_KILLS ?? 50)
const seed = Number(process.env.SOAK_SEED ?? Math.floor(Math.random() * 1e9))
const size = { tables: 60, width: 20 }
const victims = ['supervisor', 'supervisor', 'server', 'server', 'postgres', 'postgres', 'graph', 'everything']
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms))

/** What the ledger tells after each version, loaded by nobody disturbed. */
async function undisturbed(database) {
  const told = [await tellLedger(database)]
  for (let n = 0; n < kills; n++) {
    await ingest(database, { ...versionOf(seed, n, size), now: new Date() })
    told.push(await tellLedger(database))
  }
  return told
}

const countOf = async (database) => (await database.query('select count(*)::int as n from snapshot')).rows[0].n

export async function run({ database: fresh }) {
  const rng = seeded(seed)
  const told = await undisturbed(await fresh())
  const home = fs.mkdtempSync(path.join(os.tmpdir(), 'espalier-killed-'))
  fs.chmodSync(home, 0o755)
  const tally = {}
  const outcome = { whole: 0, nothing: 0, answered: 0 }
  let living = await startLiving(home)
  try {
    // how long one takes, so that kills fall into it and a little beyond
    let usual = 800
    for (let n = 0; n < kills; n++) {
      const victim = victims[rng.integer(victims.length)]
      const version = versionOf(seed, n, size)
      const began = performance.now()
      const asked = ingestBy(living, version).then(
        () => ({ ms: performance.now() - began }),
        () => null,
      )
      await sleep(rng.next() * 1.2 * usual)
      assert.ok(living.kill(victim) > 0, `no process was the ${victim}`)
      tally[victim] = (tally[victim] ?? 0) + 1
      const answer = await asked
      if (answer) usual = 0.7 * usual + 0.3 * answer.ms
      // Without its engine the server goes on; all else is started again.
      if (victim !== 'graph') {
        await living.end()
        living = await startLiving(home)
      }
      const ledger = await living.openLedger()
      try {
        const where = `kill ${n + 1} (${victim}), seed ${seed}`
        const count = await countOf(ledger)
        assert.ok(count === n || count === n + 1, `${count} snapshots after ${where}, where ${n} or ${n + 1} may be`)
        assert.ok(!answer || count === n + 1, `an ingest that was answered is lost after ${where}`)
        assert.deepEqual(await tellLedger(ledger), told[count], where)
        outcome[answer ? 'answered' : count === n ? 'nothing' : 'whole']++
        const again = await ingestBy(living, version)
        assert.equal(again.isReplay, count === n + 1, where)
        assert.deepEqual(await tellLedger(ledger), told[n + 1], where)
        await assertNoDoubles(ledger)
      } finally {
        await ledger.close()
      }
    }
    await living.request('mutation { awaitProjection(timeoutMs: 60000) { lag } }')
    const ledger = await living.openLedger()
    const read = async (query, params) =>
      (
        await living.request(
          'query ($query: String!, $params: JSON) { cypher(query: $query, params: $params, limit: 10000) { rows isPartial } }',
          { query, params },
        )
      ).cypher
    const graph = await assertGraphIsLedger(ledger, read).finally(() => ledger.close())
    return [
      `seed ${seed}: ${kills} kills (${Object.entries(tally)
        .map(([part, times]) => `${part} ${times}`)
        .join(', ')})`,
      `the version was not there ${outcome.nothing} times, there but not answered ${outcome.whole} times, answered ${outcome.answered} times`,
      `after each kill the ledger was that of an undisturbed load, and after the same ingest again; the graph is the ledger: ${graph.nodes} nodes, ${graph.edges} edges`,
    ]
  } catch (error) {
    throw new Error(`${error.message}\n--- the last of its log:\n${living.log().slice(-3000)}`, { cause: error })
  } finally {
    await living.stop().catch(() => {})
    fs.rmSync(home, { recursive: true, force: true })
  }
}
