import fs from 'node:fs'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readServerRecord } from '../../src/cli/home.js'
import { openDatabase } from '../../src/postgres/database.js'
import { espalier, type LiveEspalier, root, startLive, temporaryFolder } from '../support/espalier.js'

const estate = path.join(root, 'scripts/demo/estate/v1')
const home = temporaryFolder()
let live: LiveEspalier
beforeAll(async () => {
  live = await startLive(['serve'], { home, env: { GLEAN_BATCH_DIR: path.join(home, 'no-such-folder') } })
})
afterAll(async () => {
  await live?.stop()
  fs.rmSync(home, { recursive: true, force: true })
})

const mutation = `mutation ($hive: [SourceInput!], $train: JSON) {
  runFullPipeline(projectId: "bank", systemId: "hive", hiveDdls: $hive, train: $train) { id } }`
const events = `subscription ($id: ID!) { runEvents(runId: $id) { sequence attempt type ... on MetricEvent { name step value }
  ... on LogEvent { level message } ... on StateEvent { to reason } } }`
interface Event {
  sequence: number
  attempt: number
  type: string
  name?: string
  step?: number
  message?: string
  to?: string
  reason?: string
}

interface Child {
  kind: string
  state: string
  attempt: number
  events: { message?: string }[]
}

/** Ends a worker as a crash would, and its leases with it: thirty seconds are not waited for. */
async function killWorker(claimedBy: string): Promise<void> {
  const [, worker] = /claimed by (\S+)/.exec(claimedBy)!
  process.kill(Number(worker!.split(':')[1]), 'SIGKILL')
  const database = await openDatabase(readServerRecord(home)!.databaseUrl!)
  try {
    await database.query(`UPDATE run SET lease_until = now() - interval '1 s' WHERE state = 'running' AND worker_id = $1`, [worker])
  } finally {
    await database.close()
  }
}

describe('a full pipeline', () => {
  it('whose worker is killed in the middle goes on where it was, and is done once', async () => {
    const train = {
      training: { epochs: 60, threads: 1, seed: 3, patience: null, checkpointEverySteps: 10, reportEverySteps: 5 },
      model: { hidden: 4, steps: 1 },
      export: { int8: 'off' },
    }
    const { runFullPipeline } = await live.api.request<{ runFullPipeline: { id: string } }>(mutation, {
      ...{ hive: [{ path: path.join(estate, 'hive') }], train },
    })
    const { id } = runFullPipeline
    const seen: Event[] = []
    let isKilled = false
    for await (const { runEvents: event } of live.api.subscribe<{ runEvents: Event }>(events, { id })) {
      seen.push(event)
      if (isKilled || event.name !== 'train.step_loss' || event.step! < 20) continue
      isKilled = true
      await killWorker(seen.find(({ to }) => to === 'RUNNING')!.reason!)
    }
    const { run } = await live.api.request<{ run: { children: Child[] } }>(
      'query ($id: ID!) { run(id: $id) { state attempt error { message } result children { kind state attempt events(first: 1000) { type ... on LogEvent { message } } } } }',
      { id },
    )
    expect(run).toMatchObject({ state: 'COMPLETED', attempt: 2, error: null, result: { isDegraded: true } })
    const { children } = run
    expect(children.map(({ kind, state, attempt }) => [kind, state, attempt])).toEqual([
      ['INGEST', 'COMPLETED', 1],
      ['GLEAN_HISTORY', 'FAILED', 1],
      ['LEARN_PATTERNS', 'COMPLETED', 1],
      ['TEMPORAL_ANALYSIS', 'COMPLETED', 1],
      ['BUILD_DATASET', 'COMPLETED', 1],
      ['TRAIN_GGNN', 'COMPLETED', 2],
      ['EVALUATE_TRAINING', 'COMPLETED', 1],
      ['EXPORT_METRICS', 'COMPLETED', 1],
    ])
    // the training went on from a checkpoint, and the one subscription told of it without a gap
    expect(children[5]!.events.map(({ message }) => message)).toContainEqual(expect.stringMatching(/^goes on from .*@\d+$/))
    expect(seen.map(({ sequence }) => sequence)).toEqual(seen.map((_, i) => i + 1))
    const own = children[5]!.events.filter(({ message }) => message !== undefined)
    const told = seen.filter(({ message }) => message?.startsWith('[train] '))
    expect(told.map(({ message }) => message!.slice('[train] '.length))).toEqual(own.map(({ message }) => message))
    expect(seen.at(-1)).toMatchObject({ type: 'state', to: 'COMPLETED' })
  })

  it('is one command of the shell, which says what it was, and what was taken from before', () => {
    const { status, stdout, stderr } = espalier([
      ...['pipeline', 'full', path.join(estate, 'hive'), '--project', 'shell', '--system', 'hive', '--no-glean', '--home', home],
      ...['--epochs', '1', '--seed', '3'],
    ])
    expect({ status, stderr }).toEqual({ status: 0, stderr: expect.any(String) })
    expect(stdout).toMatch(/ingest: run .*\n {2}glean: left out: it was asked to go without\n {2}learn: run/)
    expect(stdout).toMatch(/L1 {2}pattern recognition +\d+/)
    expect(stdout).toMatch(/artifact ranker@/)
    expect(stdout).not.toMatch(/DEGRADED/)
    const training = /train: run (\S+)/.exec(stdout)![1]!
    const judged = espalier(['pipeline', 'evaluate', training, '--project', 'shell', '--home', home, '--json'])
    const evaluation = JSON.parse(judged.stdout) as { id: string; result: { trainRunId: string } }
    expect(evaluation.result.trainRunId).toBe(training)
    const exported = espalier(['pipeline', 'export', evaluation.id, '--dir', path.join(home, 'out'), '--home', home])
    expect(exported.stdout).toMatch(/^batch .*graph_\d+T\d+Z_training\w+\.json: 1 fact of \d+ metrics/)
  })

  it('fails with its cause where nothing can be read of a broken file', () => {
    const file = path.join(home, 'broken.sql')
    fs.writeFileSync(file, 'CREATE TABLE IF NOT (((')
    const { status, stderr } = espalier(['pipeline', 'full', file, '--project', 'broken', '--system', 'hive', '--no-glean', '--home', home])
    expect(status).not.toBe(0)
    expect(stderr).toMatch(/run .* is failed: step ingest: nothing could be read.*broken\.sql/)
  })
})
