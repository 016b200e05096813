import fs from 'node:fs'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readServerRecord } from '../../src/cli/home.js'
import { learnGiven, parseGivenFacts } from '../../src/patterns/given.js'
import type { Patterns } from '../../src/patterns/learn.js'
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

  it('whose patterns are being learned when the worker is killed keeps those of the projects that were done', async () => {
    const database = await openDatabase(readServerRecord(home)!.databaseUrl!)
    // the patterns of the second project are not saved before the worker is gone
    await database.query(`CREATE FUNCTION hold() RETURNS trigger LANGUAGE plpgsql AS
      'BEGIN PERFORM pg_advisory_xact_lock(4711); RETURN NEW; END'`)
    await database.query(
      `CREATE TRIGGER hold BEFORE INSERT ON pattern_set FOR EACH ROW WHEN (NEW.project_id = 'shell') EXECUTE FUNCTION hold()`,
    )
    const setsOf = async (runId: string) =>
      (await database.query('SELECT id, learned_at FROM pattern_set WHERE run_id = $1 ORDER BY id', [runId])).rows
    const start = 'mutation { learnPatterns(projectIds: ["bank", "shell"]) { id } }'
    const seen: Event[] = []
    const watch = async (id: string, until: (event: Event) => boolean) => {
      const last = seen.at(-1)?.sequence ?? 0
      for await (const { runEvents: event } of live.api.subscribe<{ runEvents: Event }>(events, { id }))
        if (event.sequence > last && seen.push(event) && until(event)) return
    }
    const { id, before } = await database.transaction(async (client) => {
      await client.query('SELECT pg_advisory_xact_lock(4711)')
      const { learnPatterns } = await live.api.request<{ learnPatterns: { id: string } }>(start)
      await watch(learnPatterns.id, ({ message }) => message?.startsWith('bank@') === true)
      await killWorker(seen.find(({ to }) => to === 'RUNNING')!.reason!)
      await client.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query ILIKE 'insert into pattern_set%'")
      return { id: learnPatterns.id, before: await setsOf(learnPatterns.id) }
    })
    await watch(id, ({ to }) => to === 'COMPLETED' || to === 'FAILED')
    const query = 'query ($id: ID!) { run(id: $id) { state attempt result } }'
    const { run } = await live.api.request<{ run: { result: { patternSets: { patternSetId: string }[] } } }>(query, { id })
    const after = await setsOf(id)
    await database.query('DROP TRIGGER hold ON pattern_set')
    await database.close()
    expect(run).toMatchObject({ state: 'COMPLETED', attempt: 2, result: { patternSets: [{ projectId: 'bank' }, { projectId: 'shell' }] } })
    expect(after.map((set) => set.id)).toEqual(run.result.patternSets.map(({ patternSetId }) => patternSetId))
    expect(before).toEqual(after.slice(0, 1))
  })

  it('has learners that take facts in hand too: in a thread of the server they come to what they come to here', async () => {
    const column = (name: string, type: string) => ({ name, type, table: 't' })
    const facts = {
      nodes: [{ id: 't', kind: 'Table' }],
      edges: [],
      events: [
        { at: '2024-01-01', columnId: 'a', column: column('a', 'int') },
        { at: '2024-01-01', columnId: '__proto__', column: column('b', 'text') },
        { at: '2024-05-01', columnId: 'a', column: column('a', 'bigint') },
      ],
      observedAt: '2024-09-01T00:00:00Z',
    }
    const ask = 'query ($facts: JSON!) { patternsOf(facts: $facts) }'
    const { patternsOf } = await live.api.request<{ patternsOf: Patterns }>(ask, { facts })
    const now = new Date(patternsOf.summary.learnedAt)
    expect(patternsOf).toEqual(JSON.parse(JSON.stringify(await learnGiven({ facts: parseGivenFacts(facts, now), now }))))
    await expect(live.api.request(ask, { facts: { nodes: [] } })).rejects.toThrow('facts: 1 problem(s), the first at edges')
    const file = path.join(home, 'facts.json')
    fs.writeFileSync(file, JSON.stringify(facts))
    const told = JSON.parse(espalier(['patterns', 'of', file, '--home', home, '--json']).stdout) as Patterns
    expect(told.columnPatterns).toEqual(patternsOf.columnPatterns)
  })

  it('gives its test cases to whoever asks, and judges the answers', () => {
    const asked = espalier(['pipeline', 'cases', 'bank', '--per-level', '3', '--beside', 'shell', '--home', home, '--json'])
    const testCases = JSON.parse(asked.stdout) as { id: string; level: number; expected: string }[]
    const file = path.join(home, 'answers.json')
    const predictions = Object.fromEntries(testCases.filter(({ level }) => level < 3).map(({ id, expected }) => [id, expected]))
    fs.writeFileSync(file, JSON.stringify({ testCases, predictions, modelMetrics: { validation_loss: 0.05 } }))
    const { status, stdout } = espalier(['pipeline', 'score', file, '--home', home])
    expect([status, stdout]).toEqual([0, expect.stringMatching(/intelligence level 2, domain expertise 0\.550/)])
  })

  it('fails with its cause where nothing can be read of a broken file', () => {
    const file = path.join(home, 'broken.sql')
    fs.writeFileSync(file, 'CREATE TABLE IF NOT (((')
    const { status, stderr } = espalier(['pipeline', 'full', file, '--project', 'broken', '--system', 'hive', '--no-glean', '--home', home])
    expect(status).not.toBe(0)
    expect(stderr).toMatch(/run .* is failed: step ingest: nothing could be read.*broken\.sql/)
  })

  it('is not begun by an ingest of which nothing can be read either: status 1, nothing saved', () => {
    const file = path.join(home, 'unread.sql')
    fs.writeFileSync(file, 'CREATE TABLE IF NOT (((')
    const { status, stderr } = espalier(['ingest', file, '--project', 'unread', '--system', 'hive', '--home', home])
    expect(status).toBe(1)
    expect(stderr).toMatch(/^espalier: nothing could be read: unread\.sql:1:.*; nothing was saved$/m)
    const misspelled = espalier(['patterns', 'show', 'unread', '--home', home])
    expect([misspelled.status, misspelled.stderr]).toEqual([1, expect.stringContaining('there is no project "unread"')])
  })
})
