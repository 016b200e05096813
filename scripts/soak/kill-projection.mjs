/**
 * Kills parts of an Espalier (the server, the graph engine, Postgres, everything) while its graph is being written: after an ingest has been
 * answered, and in the middle of rebuilds. After every kill the graph must come to be the ledger, node by node and edge by edge.
 * $SOAK_KILLS (default 50), $SOAK_SEED (default: any; it is printed); into Neo4j where $NEO4J_URI is set.
 */
import assert from 'node:assert/strict'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { seeded } from '../../dist/util/random.js'
import { startLiving } from './support/living.mjs'
import { assertGraphIsLedger, assertNoDoubles } from './support/telling.mjs'
import { ingestBy, versionOf } from './support/versions.mjs'

const engine = process.env.NEO4J_URI ? 'neo4j' : 'grafeo'
export const title = `parts of Espalier killed at random moments of the projection (${engine})`

const kills = Number(process.env.SOAK_KILLS ?? 50)
const seed = Number(process.env.SOAK_SEED ?? Math.floor(Math.random() * 1e9))
const size = { tables: 200, width: 25 }
const victims = ['supervisor', 'server', 'postgres', ...(engine === 'grafeo' ? ['graph', 'graph', 'everything', 'everything'] : ['server'])]
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms))
const awaitProjection = (living) => living.request('mutation { awaitProjection(timeoutMs: 120000) { lag } }')

/** How long a write of the graph takes when nobody disturbs it, in milliseconds. */
async function timed(work) {
  const began = performance.now()
  await work()
  return performance.now() - began
}

export async function run() {
  const rng = seeded(seed)
  const home = fs.mkdtempSync(path.join(os.tmpdir(), 'espalier-killed-'))
  fs.chmodSync(home, 0o755)
  const tally = {}
  let [version, midway, cut, rebuilds, graph] = [0, 0, 0, 0, {}]
  let living = await startLiving(home)
  const read = async (query, params) =>
    (
      await living.request(
        'query ($query: String!, $params: JSON) { cypher(query: $query, params: $params, limit: 10000) { rows isPartial } }',
        { query, params },
      )
    ).cypher
  const rebuild = () => living.request('mutation { rebuildGraph { nodes } }')
  const next = () => ingestBy(living, versionOf(seed, version++, size))
  try {
    await next()
    await awaitProjection(living)
    await next()
    const usual = { drain: await timed(() => awaitProjection(living)), rebuild: await timed(rebuild) }
    for (let n = 0; n < kills; n++) {
      const victim = victims[rng.integer(victims.length)]
      const kind = rng.next() < 0.3 ? 'rebuild' : 'drain'
      if (kind === 'drain') await next()
      else rebuild().catch(() => {})
      await sleep(rng.next() * usual[kind])
      const asked = living.request('{ projectionLag { lag } }').catch(() => null)
      await sleep(rng.next() * 20)
      assert.ok(living.kill(victim) > 0, `no process was the ${victim}`)
      tally[victim] = (tally[victim] ?? 0) + 1
      if (kind === 'rebuild') rebuilds++
      // what it said just before it was killed, where it came to say it
      if ((await asked)?.projectionLag.lag > 0) midway++
      if (victim !== 'graph') {
        await living.end()
        living = await startLiving(home)
      }
      const ledger = await living.openLedger()
      try {
        await awaitProjection(living)
        if (living.log().includes('it was not written to its end')) cut++
        graph = await assertGraphIsLedger(ledger, read)
        await assertNoDoubles(ledger)
      } catch (error) {
        throw new Error(`after kill ${n + 1} (${victim} in a ${kind}), seed ${seed}: ${error.message}`, { cause: error })
      } finally {
        await ledger.close()
      }
    }
    return [
      `seed ${seed}: ${kills} kills (${Object.entries(tally)
        .map(([part, times]) => `${part} ${times}`)
        .join(', ')}), ${rebuilds} of them in rebuilds`,
      `${midway} times the graph was behind at the kill (of those that were still told), ${cut} times a rebuild had been cut short; it came to be the ledger every time: at last ${graph.nodes} nodes, ${graph.edges} edges`,
    ]
  } catch (error) {
    throw new Error(`${error.message}\n--- the last of its log:\n${living.log().slice(-3000)}`, { cause: error })
  } finally {
    await living.stop().catch(() => {})
    fs.rmSync(home, { recursive: true, force: true })
  }
}
