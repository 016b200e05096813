import fs from 'node:fs'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type LiveEspalier, root, startLive } from '../support/espalier.js'
import { describeIf } from '../support/need.js'
import { nativeTfjs } from '../support/tfjs-native.js'

interface Run {
  state: string
  result: { artifactId: string } | null
  error: { message: string } | null
  events: { type: string; message?: string; name?: string; value?: number }[]
}

/** Trains one epoch on the newest schemas of the demo, and gives the run as the ledger has it. */
async function trainOn(live: LiveEspalier, training: Record<string, unknown>): Promise<Run> {
  const options = { model: { hidden: 8, steps: 1 }, training: { epochs: 1, reportEverySteps: 1, threads: 1, ...training } }
  const { startRun } = await live.api.request<{ startRun: { id: string } }>(
    'mutation ($options: JSON) { startRun(kind: TRAIN_GGNN, options: $options) { id } }',
    { options },
  )
  const events = live.api.subscribe<{ runEvents: { to?: string } }>(
    'subscription ($id: ID!) { runEvents(runId: $id) { type ... on StateEvent { to } } }',
    { id: startRun.id },
  )
  for await (const { runEvents } of events) if (['COMPLETED', 'FAILED'].includes(runEvents.to ?? '')) break
  const fields = 'state result error { message } events(first: 1000) { type ... on LogEvent { message } ... on MetricEvent { name value } }'
  return (await live.api.request<{ run: Run }>(`query ($id: ID!) { run(id: $id) { ${fields} } }`, { id: startRun.id })).run
}

const messagesOf = (run: Run) => run.events.flatMap((e) => (e.message ? [e.message] : [])).join('\n')
const lossesOf = (run: Run) => run.events.flatMap((e) => (e.name === 'step_loss' ? [e.value!] : []))

const native = nativeTfjs('tfjs-node')

describe('a training run', () => {
  let live: LiveEspalier
  beforeAll(async () => {
    live = await startLive(['serve'], native ? { env: { ESPALIER_TFJS_FOLDER: native } } : {})
    const folder = path.join(root, 'scripts/demo/estate/v4/hive')
    const sources = fs
      .readdirSync(folder)
      .map((name) => ({ dialect: 'hive-ddl', name, text: fs.readFileSync(path.join(folder, name), 'utf8') }))
    await live.api.request(
      'mutation ($sources: [DialectInput!]) { ingest(projectId: "bank", systemId: "hive", sources: $sources) { snapshotId } }',
      { sources },
    )
  })
  afterAll(() => live?.stop())

  let plain: Run
  it('computes on onnxruntime unless told otherwise', async () => {
    plain = await trainOn(live, {})
    expect(plain.state, messagesOf(plain)).toBe('COMPLETED')
    expect(messagesOf(plain)).toContain('trained by ort: 1.')
    expect(lossesOf(plain).length).toBeGreaterThan(2)
  })

  const sameOn = async (executor: string, told: RegExp) => {
    const run = await trainOn(live, { executor })
    expect(run.state, messagesOf(run)).toBe('COMPLETED')
    expect(run.result?.artifactId).toBeTruthy()
    expect(messagesOf(run)).toMatch(told)
    expect(lossesOf(run).length).toBe(lossesOf(plain).length)
    lossesOf(plain).forEach((loss, i) => {
      expect(Math.abs(lossesOf(run)[i]! - loss)).toBeLessThan(1e-4)
    })
  }
  it('computes on the executor that its options name, with the same losses, and publishes', () =>
    sameOn('tfjs-wasm', /trained by tfjs-wasm: tfjs 4\.22\.0 \(WebAssembly\)/))
  it('fails with the reason where that executor is not usable', async () => {
    const run = await trainOn(live, { executor: 'tfjs-node-gpu' })
    expect(run.state).toBe('FAILED')
    expect(run.error?.message).toContain('@tensorflow/tfjs-node-gpu is not installed')
  })
  // in the worker that has just run WebAssembly: both share the one state of tfjs in a process
  describeIf(native, 'not made: node scripts/tfjs-native/make.mjs', 'beside native TensorFlow', () => {
    it('computes on it when it asks for tfjs', () =>
      sameOn('tfjs', /trained by tfjs-node: tfjs-node 4\.22\.0 \(TensorFlow 2\.15\.1 on the [CG]PU\)/))
  })
})
