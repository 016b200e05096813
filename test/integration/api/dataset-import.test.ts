import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { printGraphLines } from '../../../src/datasets/formats/graph-row.js'
import type { GraphExample } from '../../../src/models/graphs/graph-example.js'
import { ortExecutor } from '../../../src/tensor/ort.js'
import { seeded } from '../../../src/util/random.js'
import { startWorker } from '../../../src/worker/worker.js'
import { type LiveServer, liveServer } from './live-server.js'
import { type TestPlatform, testPlatform } from './test-platform.js'

let platform: TestPlatform
let server: LiveServer
let worker: Awaited<ReturnType<typeof startWorker>>
beforeAll(async () => {
  platform = await testPlatform()
  server = await liveServer(platform)
  worker = await startWorker({ ...platform, executor: ortExecutor, executorFor: async () => ortExecutor, close: async () => undefined })
})
afterAll(async () => {
  await worker?.stop()
  await server?.close()
})

/** Chains of nodes from a marked one: the node after it, whether the chain is long, the walk to its end. */
function chains(kind: 'node' | 'graph' | 'sequence', count = 40): string {
  const rng = seeded(4)
  const examples = Array.from({ length: count }, (_, i): GraphExample => {
    const order = rng.shuffle([0, 1, 2, 3].slice(0, 2 + rng.integer(3)))
    const edges = order.slice(1).map((node, at) => [order[at]!, node] as const)
    const targets = { node: order[1]!, graph: order.length > 3 ? 'long' : 'short', sequence: order.slice(1) }
    return { id: `${i}`, nodeFeatures: order.map((_, v) => [v === order[0] ? 1 : 0]), edges, target: targets[kind] }
  })
  return [...printGraphLines(examples)].join('')
}

const importing = `mutation ($name: String!, $kind: DatasetKind!, $text: String!) {
  importDataset(projectId: "toys", name: $name, kind: $kind, text: $text, file: "toys.jsonl") {
    isNew version { id number kind rowCount } problemCount problems { where } } }`
const start = 'mutation ($options: JSON) { startRun(kind: TRAIN_GGNN, options: $options) { id options projectId } }'

async function imported(kind: 'node' | 'graph' | 'sequence', text = chains(kind)) {
  return (await server.ask(importing, { name: `chains of ${kind}`, kind: kind.toUpperCase(), text })).importDataset
}

describe("examples of one's own", () => {
  test('become a version; the same lines again are that version', async () => {
    const first = await imported('node')
    expect(first).toMatchObject({ isNew: true, version: { number: '1.0', kind: 'node', rowCount: '40' }, problemCount: 0 })
    expect(await imported('node')).toMatchObject({ isNew: false, version: { id: first.version.id } })
    const { datasets } = await server.ask('{ datasets(projectId: "toys") { edges { node { name kind } } } }')
    expect(datasets.edges).toEqual([{ node: { name: 'chains of node', kind: 'node' } }])
  })

  test('with an error in a line are refused as a whole, every problem named', async () => {
    const text = `${chains('node', 2)}{"nodes": 2, "edge_index": [[0, 5]], "target": 9}\n`
    await expect(imported('node', text)).rejects.toMatchObject({
      message: expect.stringContaining('toys.jsonl has 2 errors'),
    })
    const { errors } = await server.post(importing, { name: 'bad', kind: 'NODE', text })
    expect((errors![0]!.extensions.problems as { where: string }[]).map((p) => p.where)).toEqual([
      'toys.jsonl:3:edge_index[0]',
      'toys.jsonl:3:target',
    ])
  })
})

describe('a run with a read-out', () => {
  test.each(['node', 'graph', 'sequence'] as const)(
    '%s: learns from a version, is judged by accuracy and published',
    async (kind) => {
      const { version } = await imported(kind)
      const options = {
        readout: kind,
        datasetVersionId: version.id,
        training: { epochs: 60, learningRate: 0.02, batchExamples: 10, patience: null, threads: 1 },
      }
      const { startRun } = await server.ask(start, { options })
      expect(startRun).toMatchObject({
        projectId: 'toys',
        options: { readout: kind, projectIds: ['toys'], model: { hidden: 16, steps: 5 } },
      })
      const followed = server.follow(
        server.socket(),
        `subscription { runEvents(runId: "${startRun.id}") { type ... on StateEvent { to reason } } }`,
      )
      await followed.completed
      expect(followed.values.at(-1).data.runEvents).toMatchObject({ to: 'COMPLETED' })
      const { run } = await server.ask(`{ run(id: "${startRun.id}") { result } }`)
      expect(run.result.metrics.accuracy).toBe(1)
      const { artifact } = await server.ask(`{ artifact(id: "${run.result.artifactId}") { component passed manifest } }`)
      expect(artifact).toMatchObject({ passed: true, manifest: { model: { name: `ggnn-${kind}` }, parity: { passed: true } } })
      const outputs = artifact.manifest.graphs[0].outputs.map((output: { name: string }) => output.name)
      expect(outputs).toEqual(['scores'])
    },
    30_000,
  )

  test('is refused a version of another kind, and options of another read-out', async () => {
    const { version } = await imported('node')
    const refused = async (options: object) => (await server.post(start, { options })).errors![0]!
    const wrong = await refused({ readout: 'graph', datasetVersionId: version.id })
    expect(wrong.message).toContain('holds rows of the kind node, expected graph')
    const foreign = await refused({ readout: 'node', datasetVersionId: version.id, model: { temprature: 1, step: 2 } })
    expect(foreign.extensions.problems).toMatchObject([
      { where: 'train-ggnn.model', found: 'temprature' },
      { where: 'train-ggnn.model', found: 'step', suggestion: expect.stringContaining('steps') },
    ])
    expect((await refused({ readout: 'nodes' })).extensions.problems).toMatchObject([{ where: 'train-ggnn.readout' }])
    expect((await refused({ readout: 'node' })).extensions.problems).toMatchObject([{ where: 'train-ggnn.datasetVersionId' }])
  })
})
