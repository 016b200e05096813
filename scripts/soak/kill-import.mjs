/**
 * Sends file after file of examples to a whole Espalier, by the request itself or by a run, and kills parts of it (the supervisor, the
 * server, Postgres, the worker, everything) at random moments: while the file comes in, while it is read, while it is saved. After every
 * kill a version is there whole or not at all, and every row of every version reads back as its hash says; sent again, it is there once.
 * $SOAK_KILLS (default 30), $SOAK_SEED (default: any; it is printed).
 */
import assert from 'node:assert/strict'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { Readable } from 'node:stream'
import { localBlobs } from '../../dist/blobs/local.js'
import { readDatasetRows } from '../../dist/datasets/store.js'
import { seeded } from '../../dist/util/random.js'
import { startLiving } from './support/living.mjs'

export const title = 'parts of Espalier killed at random moments of imports'

const kills = Number(process.env.SOAK_KILLS ?? 30)
const seed = Number(process.env.SOAK_SEED ?? Math.floor(Math.random() * 1e9))
const victims = ['supervisor', 'server', 'postgres', 'worker', 'everything']
const rowsOf = (n) => 8_000 + n
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms))

/** The rows of one version, in pieces that come a little apart, as over a network. */
async function* file(n) {
  for (let i = 0; i < rowsOf(n); i += 500) {
    const lines = Array.from({ length: Math.min(500, rowsOf(n) - i) }, (_, k) =>
      JSON.stringify({
        text: `row ${i + k} of version ${n}, said in a few words`,
        expected_intent: `intent ${(i + k) % 7}`,
        expected_sentiment: 'neutral',
      }),
    )
    yield Buffer.from(`${lines.join('\n')}\n`)
    await sleep(20)
  }
}

const headersOf = (living) => {
  const { ownerKey } = JSON.parse(fs.readFileSync(path.join(living.home, 'server.json'), 'utf8'))
  return { 'content-type': 'application/octet-stream', 'x-api-key': ownerKey }
}

async function send(living, n, wait) {
  const url = new URL(`/api/training-data/import?project_id=soak&name=words&file=${n}.jsonl&wait=${wait}`, living.url)
  const response = await fetch(url, {
    method: 'POST',
    headers: headersOf(living),
    body: Readable.toWeb(Readable.from(file(n))),
    duplex: 'half',
  })
  const answer = await response.json()
  if (!response.ok) throw new Error(JSON.stringify(answer))
  return answer
}

/** Waits until a run has ended; one whose worker was killed is taken over and ends too. */
async function ended(living, id) {
  for (const until = Date.now() + 120_000; Date.now() < until; await sleep(200)) {
    const run = await (await fetch(new URL(`/api/training-data/runs/${id}`, living.url), { headers: headersOf(living) })).json()
    if (['completed', 'failed', 'cancelled'].includes(run.state)) return run
  }
  throw new Error(`run ${id} has not ended within two minutes`)
}

/** Versions, oldest first, each read whole: a row that does not fit the hash throws. */
async function versionsOf(ledger, blobs) {
  const { rows } = await ledger.query('select id, row_count::int as rows from dataset_version order by major, minor')
  const { rows: halves } = await ledger.query(
    'select 1 from dataset d where not exists (select 1 from dataset_version v where v.dataset_id = d.id)',
  )
  assert.equal(halves.length, 0, 'there is a dataset without a version')
  for (const { id, rows: count } of rows) {
    let read = 0
    for await (const _ of readDatasetRows(ledger, blobs, id)) read++
    assert.equal(read, count)
  }
  return rows.map((row) => row.rows)
}

export async function run() {
  const rng = seeded(seed)
  const home = fs.mkdtempSync(path.join(os.tmpdir(), 'espalier-killed-'))
  fs.chmodSync(home, 0o755)
  const blobs = localBlobs(path.join(home, 'blobs'))
  const tally = {}
  const outcome = { nothing: 0, whole: 0 }
  let living = await startLiving(home)
  // how long one takes, so that kills fall into it
  let usual = 1_000
  try {
    for (let n = 0; n < kills; n++) {
      const victim = victims[rng.integer(victims.length)]
      const wait = rng.next() < 0.5
      const where = `kill ${n + 1} (${victim}, ${wait ? 'direct' : 'by a run'}), seed ${seed}`
      const began = performance.now()
      const asked = send(living, n, wait).catch(() => null)
      await sleep(rng.next() * 1.1 * usual)
      if (victim === 'worker') for (const pid of living.children('/worker/main.js')) process.kill(pid, 'SIGKILL')
      else assert.ok(living.kill(victim) > 0, `no process was the ${victim}`)
      tally[victim] = (tally[victim] ?? 0) + 1
      const answer = await asked
      if (answer && wait) usual = 0.5 * usual + 0.5 * (performance.now() - began)
      if (victim !== 'worker') {
        await living.end()
        living = await startLiving(home)
      }
      if (answer?.run_id) assert.equal((await ended(living, answer.run_id)).state, 'completed', where)
      const ledger = await living.openLedger()
      try {
        // a run of which nothing was answered may still be on its way
        const pending = await ledger.query("select id from run where kind = 'dataset' and state in ('pending', 'running')")
        for (const { id } of pending.rows) await ended(living, id)
        const found = await versionsOf(ledger, blobs)
        assert.ok(found.length === n || found.length === n + 1, `${found.length} versions after ${where}, where ${n} or ${n + 1} may be`)
        assert.ok(!answer || found.length === n + 1, `an import that was answered is lost after ${where}`)
        outcome[found.length === n ? 'nothing' : 'whole']++
        const again = await send(living, n, true)
        assert.equal(again.is_new, found.length === n, where)
        assert.deepEqual(
          await versionsOf(ledger, blobs),
          Array.from({ length: n + 1 }, (_, i) => rowsOf(i)),
          where,
        )
      } finally {
        await ledger.close()
      }
    }
    return [
      `seed ${seed}: ${kills} kills (${Object.entries(tally)
        .map(([part, times]) => `${part} ${times}`)
        .join(', ')})`,
      `after each kill the version was there whole (${outcome.whole} times) or not at all (${outcome.nothing} times), and every row of every version read back as its hash says`,
    ]
  } catch (error) {
    throw new Error(`${error.message}\n--- the last of its log:\n${living.log().slice(-3000)}`, { cause: error })
  } finally {
    await living.stop().catch(() => {})
    fs.rmSync(home, { recursive: true, force: true })
  }
}
