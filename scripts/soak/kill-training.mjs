/**
 * Trains in real worker processes that are ended at random moments, in one thread and in two that share each step: by kill -9 ($SOAK_KILLS
 * of them, default 30, in each of the two), drained by SIGTERM, and paused and resumed (a third as many of each). Every training must end
 * in the very state, bit for bit, of one that nobody disturbed: parameters, optimizer, best weights, position; and with its metrics.
 * $SOAK_SEED (default: any) decides the moments; it is printed. Leases are not waited for: a dead worker's is ended by hand. A short form:
 * $SOAK_EPOCHS (default 30), $SOAK_WORKERS (default 0,2), $SOAK_KINDS (default kill,drain,pause).
 */
import assert from 'node:assert/strict'
import { fork } from 'node:child_process'
import { once } from 'node:events'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { localBlobs } from '../../dist/blobs/local.js'
import { readConfig } from '../../dist/config.js'
import { saveRankingVersion } from '../../dist/datasets/store.js'
import { startRun } from '../../dist/jobs.js'
import { latestCheckpoint } from '../../dist/runs/checkpoint-store.js'
import { prepareQueue } from '../../dist/runs/queue.js'
import { readRun, requestControl, resumeRun } from '../../dist/runs/store.js'
import { decodeCheckpoint } from '../../dist/training/checkpoint.js'
import { seeded } from '../../dist/util/random.js'

export const title = 'training processes killed, drained and paused at random moments'

const kills = Number(process.env.SOAK_KILLS ?? 30)
const list = (text) => text.split(',')
const epochs = Number(process.env.SOAK_EPOCHS ?? 30)
const workerCounts = list(process.env.SOAK_WORKERS ?? '0,2').map(Number)
const kinds = list(process.env.SOAK_KINDS ?? 'kill,drain,pause')
const seed = Number(process.env.SOAK_SEED ?? Math.floor(Math.random() * 1e9))
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms))

/** Lists of small graphs with something to learn, some of them drawn by chance. */
function madeLists(count) {
  const rng = seeded(7)
  return Array.from({ length: count }, (_, q) => {
    const right = rng.integer(5)
    return {
      queryId: `q${q}`,
      group: `g${q % 9}`,
      candidates: Array.from({ length: 5 }, (_, c) => {
        const nodes = 3 + rng.integer(4)
        const row = (v) =>
          Array.from({ length: 4 }, (_, k) => (k === 0 ? Number(v === 0) : k === 1 ? Number(c === right && v === 1) : rng.normal() * 0.3))
        return {
          id: `q${q}c${c}`,
          nodeFeatures: Array.from({ length: nodes }, (_, v) => row(v)),
          edges: Array.from({ length: nodes - 1 }, (_, v) => [v, v + 1]),
          label: Number(c === right),
        }
      }),
    }
  })
}

const trainingOf = (workers) => ({
  ...{ epochs, batchExamples: 8, checkpointEverySteps: 8, reportEverySteps: 4, patience: null, threads: 2, workers },
  ...{ schedule: { name: 'cosine' }, warmUpSteps: 10, learningRate: 5e-3, optimizer: { name: 'adamw' }, monitor: 'validation_loss' },
})

/** A worker as a process, as the supervisor starts it. */
async function startWorker(config) {
  const child = fork(path.resolve(import.meta.dirname, '../../dist/worker/main.js'), { stdio: ['ignore', 'ignore', 'pipe', 'ipc'] })
  let log = ''
  child.stderr.on('data', (text) => {
    log += text
  })
  const exited = once(child, 'exit')
  child.send({ type: 'start', options: config })
  const [message] = await Promise.race([once(child, 'message'), exited.then(([status]) => [{ type: `ended with ${status}` }])])
  if (message.type !== 'ready') throw new Error(`the worker did not start: ${JSON.stringify(message)}\n${log}`)
  return {
    log: () => log,
    async end(signal) {
      child.kill(signal)
      const [status, by] = await exited
      return by ?? status
    },
  }
}

async function until(what, holds) {
  for (const end = Date.now() + 120_000; Date.now() < end; await sleep(15)) {
    const found = await holds()
    if (found) return found
  }
  throw new Error(`${what}: not within two minutes`)
}

const isOver = (run) => ['completed', 'failed', 'cancelled'].includes(run.state)

/** What a completed training came to: its last checkpoint holds all that decides, and equal state gives equal bytes. */
async function outcomeOf({ database, blobs }, id) {
  const run = await readRun(database, id)
  assert.equal(run.state, 'completed', `run ${id} is ${run.state}: ${JSON.stringify(run.error)}`)
  const { blob } = await latestCheckpoint(database, id)
  const { header } = decodeCheckpoint(await blobs.get(blob))
  const { metrics, bestEpoch, epochs } = run.result
  return { attempts: run.attempt, state: { blob, step: header.step, position: header.position, metrics, bestEpoch, epochs } }
}

/** Each ends what works on the run, at some moment of it, so that it goes on in another process. */
const interruptions = {
  async kill({ worker }) {
    assert.equal(await worker.end('SIGKILL'), 'SIGKILL')
    return null
  },
  async drain({ worker }) {
    assert.equal(await worker.end('SIGTERM'), 0, 'a drained worker ends with status 0')
    return null
  },
  async pause({ place: { database }, worker, id }) {
    const asked = await requestControl(database, id, 'pause').catch((error) => error)
    // it had ended by itself
    if (asked instanceof Error) return worker
    const run = await until('pause', async () => {
      const now = await readRun(database, id)
      return (now.state === 'paused' || isOver(now)) && now
    })
    if (run.state === 'paused') await resumeRun(database, id)
    return worker
  },
}

/** Trains, interrupted `times` times at moments drawn from `rng`; starts anew as often as it takes to use them up. */
async function disturb(place, { options, kind, times, rng, reference }) {
  const { database, config } = place
  const tally = { interruptions: 0, trainings: 0, attempts: 0, steps: new Set() }
  let worker = await startWorker(config)
  try {
    for (let left = times; left > 0; ) {
      const { id } = await startRun(database, { kind: 'train-ggnn', options, retryLimit: 100 }, new Date())
      let attempt = 0
      for (;;) {
        const run = await until('next attempt', async () => {
          const now = await readRun(database, id)
          return (now.attempt > attempt || isOver(now)) && now
        })
        if (isOver(run)) break
        attempt = run.attempt
        if (left === 0) {
          await until('end', async () => isOver(await readRun(database, id)))
          continue
        }
        await sleep(rng.next() * 120 * epochs)
        if (isOver(await readRun(database, id))) continue
        left--
        tally.interruptions++
        worker = await interruptions[kind]({ place, worker, id })
        const kept = await latestCheckpoint(database, id)
        tally.steps.add(kept?.step ?? 0)
        if (worker) continue
        await database.query(`UPDATE run SET lease_until = now() - interval '1 second' WHERE state = 'running'`)
        worker = await startWorker(config)
      }
      const outcome = await outcomeOf(place, id)
      tally.trainings++
      tally.attempts += outcome.attempts
      assert.deepEqual(outcome.state, reference, `${kind}, seed ${seed}: run ${id} after ${outcome.attempts} attempts`)
    }
  } catch (error) {
    throw new Error(`${error.message}\n--- the worker's log:\n${worker?.log().slice(-2000)}`, { cause: error })
  } finally {
    await worker?.end('SIGKILL')
  }
  return tally
}

export async function run({ database: fresh }) {
  const database = await fresh()
  await prepareQueue(database)
  const home = fs.mkdtempSync(path.join(os.tmpdir(), 'espalier-killed-training-'))
  const config = { ...readConfig({ home }, {}, home), databaseUrl: database.url, logLevel: 'warn' }
  const blobs = localBlobs(path.join(home, 'blobs'))
  const place = { database, config, blobs }
  const dataset = { projectId: 'soak', name: 'made', description: 'made for the soak' }
  const { version } = await saveRankingVersion(database, blobs, { dataset, lists: madeLists(240) }, new Date())
  const lines = [`seed ${seed}`]
  try {
    for (const workers of workerCounts) {
      const model = { hidden: 24, steps: 3, dropout: 0.1 }
      const options = { datasetVersionId: version.id, model, training: trainingOf(workers) }
      const calm = await startWorker(config)
      const { id } = await startRun(database, { kind: 'train-ggnn', options }, new Date())
      const began = performance.now()
      await until('the undisturbed training', async () => isOver(await readRun(database, id)))
      const took = performance.now() - began
      await calm.end('SIGKILL')
      const { state: reference } = await outcomeOf(place, id)
      assert.equal(reference.epochs, epochs)
      lines.push(
        `${workers} worker threads: undisturbed in ${(took / 1000).toFixed(1)} s, ${reference.step} steps, mrr ${reference.metrics.mrr.toFixed(4)}, state ${reference.blob.slice(0, 16)}`,
      )
      const part = Math.max(1, Math.round(kills / 3))
      for (const kind of kinds) {
        const times = kind === 'kill' ? kills : part
        const rng = seeded(seed).fork(`${kind} ${workers}`)
        const tally = await disturb(place, { options, kind, times, rng, reference })
        const steps = [...tally.steps].sort((a, b) => a - b)
        lines.push(
          `  ${kind}: ${tally.interruptions} at ${steps.length} different checkpoints (steps ${steps[0]} to ${steps.at(-1)}), ${tally.trainings} trainings in ${tally.attempts} attempts: every one ended in that state`,
        )
      }
    }
    return lines
  } finally {
    fs.rmSync(home, { recursive: true, force: true })
  }
}
