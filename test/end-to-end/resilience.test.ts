import { execFileSync } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type LiveEspalier, root, startLive } from '../support/espalier.js'

interface Run {
  id: string
  state: string
  attempt: number
  result: { artifactId: string } | null
  events: { sequence: number; type: string; message?: string; name?: string; value?: number }[]
}

/** Process ids of the workers of a supervisor. */
const workersOf = (pid: number): number[] =>
  execFileSync('ps', ['-o', 'pid=,args=', '--ppid', String(pid)], { encoding: 'utf8' })
    .split('\n')
    .filter((line) => line.includes('worker/main.js'))
    .map((line) => Number.parseInt(line, 10))

describe('a training that is disturbed', () => {
  let live: LiveEspalier
  const options = { training: { epochs: 12, checkpointEverySteps: 5, patience: null } }

  const start = async (training: Record<string, unknown> = {}): Promise<string> => {
    const { startRun } = await live.api.request<{ startRun: { id: string } }>(
      'mutation ($options: JSON) { startRun(kind: TRAIN_GGNN, options: $options) { id } }',
      { options: { training: { ...options.training, ...training } } },
    )
    return startRun.id
  }
  const read = async (id: string): Promise<Run> => {
    const fields =
      'id state attempt result events(first: 1000) { sequence type ... on LogEvent { message } ... on MetricEvent { name value } }'
    return (await live.api.request<{ run: Run }>(`query ($id: ID!) { run(id: $id) { ${fields} } }`, { id })).run
  }
  const ask = (verb: string, id: string) => live.api.request(`mutation ($id: ID!) { ${verb}Run(id: $id) { id } }`, { id })

  /** Follows the run until an event fits. */
  async function until(id: string, fits: (event: { type: string; name?: string; to?: string; step?: number }) => boolean): Promise<void> {
    const events = live.api.subscribe<{ runEvents: { type: string } }>(
      'subscription ($id: ID!) { runEvents(runId: $id) { type ... on MetricEvent { name step } ... on StateEvent { to } ... on CheckpointEvent { step } } }',
      { id },
    )
    for await (const { runEvents: event } of events) if (fits(event)) return
    throw new Error('the run ended first')
  }
  const ended = (id: string) => until(id, (event) => ['COMPLETED', 'FAILED', 'CANCELLED'].includes(event.to ?? ''))

  beforeAll(async () => {
    live = await startLive(['serve'])
    const folder = path.join(root, 'scripts/demo/estate/v4/hive')
    const sources = fs
      .readdirSync(folder)
      .map((name) => ({ dialect: 'hive-ddl', name, text: fs.readFileSync(path.join(folder, name), 'utf8') }))
    await live.api.request(
      'mutation ($sources: [DialectInput!]) { ingest(projectId: "bank", systemId: "hive", sources: $sources) { snapshotId } }',
      {
        sources,
      },
    )
  })
  afterAll(() => live?.stop())

  it('pauses at its next step, goes on where it stopped, and is the run it would have been', async () => {
    const whole = await start()
    await ended(whole)
    const id = await start()
    await until(id, (event) => event.type === 'metric' && event.name === 'validation_loss')
    await ask('pause', id)
    await until(id, (event) => event.to === 'PAUSED')
    expect((await read(id)).state).toBe('PAUSED')
    await ask('resume', id)
    await ended(id)
    const [a, b] = [await read(whole), await read(id)]
    expect(b).toMatchObject({ state: 'COMPLETED', attempt: 2 })
    expect(b.events.some((event) => /resumed at step \d+/.test(event.message ?? ''))).toBe(true)
    expect(b.events.map((event) => event.sequence)).toEqual(b.events.map((_, i) => i + 1))
    const lossOf = (run: Run) => run.events.filter((event) => event.name === 'validation_loss').map((event) => event.value)
    expect(lossOf(b)).toEqual(lossOf(a))
  })

  it('is cancelled for good', async () => {
    const id = await start({ epochs: 500 })
    await until(id, (event) => event.type === 'metric')
    await ask('cancel', id)
    await ended(id)
    expect(await read(id)).toMatchObject({ state: 'CANCELLED', result: null })
    await expect(ask('resume', id)).rejects.toMatchObject({ code: 'ILLEGAL_TRANSITION' })
  })

  it('survives the death of its worker: a new one takes over from the newest checkpoint', async () => {
    const id = await start({ epochs: 16, seed: 7 })
    await until(id, (event) => event.type === 'checkpoint')
    const [pid] = workersOf(live.process.pid!)
    process.kill(pid!, 'SIGKILL')
    await ended(id)
    const run = await read(id)
    expect(run).toMatchObject({ state: 'COMPLETED', attempt: 2 })
    expect(run.events.some((event) => /resumed at step \d+/.test(event.message ?? ''))).toBe(true)
    expect(workersOf(live.process.pid!)).not.toContain(pid)
    expect(run.result!.artifactId).toMatch(/^ranker@/)
  })
})
