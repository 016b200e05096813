import fs from 'node:fs/promises'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { encodeManifest, manifestSchema } from '../../../src/artifacts/manifest.js'
import { readMetadata } from '../../../src/artifacts/onnx/export.js'
import { samplesPath } from '../../../src/artifacts/parity/samples.js'
import { openScorer } from '../../../src/artifacts/parity/scorer.js'
import type { AliasMove } from '../../../src/artifacts/promotion.js'
import { parseAlias, promote, rollback, watchAlias } from '../../../src/artifacts/promotion.js'
import { readArtifactBlobs } from '../../../src/artifacts/prune-store.js'
import { publish } from '../../../src/artifacts/publish.js'
import { type Artifact, readAlias, readArtifact, readArtifacts, readPromotions } from '../../../src/artifacts/store.js'
import { verifyArtifact } from '../../../src/artifacts/verify.js'
import { ggnn } from '../../../src/models/ggnn.js'
import type { GraphExample } from '../../../src/models/graphs/graph-example.js'
import { exportedSparse } from '../../../src/models/graphs/graph-layout.js'
import { initializeParameters } from '../../../src/models/parameters.js'
import { models } from '../../../src/models/registry.js'
import { readGraphChanges } from '../../../src/postgres/outbox.js'
import { ortExecutor } from '../../../src/tensor/ort.js'
import { sha256 } from '../../../src/util/hash.js'
import { freshDatabase } from '../../support/database.js'
import { publishToy, temporaryBlobs, toyOptions } from '../../support/published.js'
import { toyLists } from '../../support/toy-lists.js'

const { database } = await freshDatabase()
const { blobs, folder, remove } = await temporaryBlobs()
afterAll(remove)
const tools = { database, blobs }
const now = new Date('2026-03-01T10:00:00.000Z')

const aliasOf = async (alias: 'latest' | 'staging' | 'production') => (await readAlias(database, 'ranker', alias))?.id ?? null
/** Of the validation lists, by the dense fp32 file. */
async function scoresOf({ manifest }: Artifact): Promise<number[][]> {
  const file = await blobs.get(manifest.files.find((f) => f.path === 'ggnn.onnx')!.sha256)
  const scorer = await openScorer(ggnn, manifest.model.options, new Map([['dense', file]]))
  const scores: number[][] = []
  for (const lists of [toyLists(20, { seed: 5 }).slice(0, 16), toyLists(20, { seed: 5 }).slice(16)])
    scores.push(...(await scorer.score(scorer.encode(lists, 'dense').batch)))
  await scorer.close()
  return scores
}

const failed = { gates: [{ metric: 'mrr', threshold: 0.95, value: 0.9, passed: false }] }

describe('publish', () => {
  let artifact: Artifact
  beforeAll(async () => {
    artifact = await publishToy(tools, { now, runId: 'r1', projectId: 'p', dataset: { versionId: 'd1', hash: 'h' } })
  })

  it('writes a manifest that says it all, and files that hash to what it says', async () => {
    const { manifest } = await readArtifact(database, artifact.id)
    expect(manifestSchema.parse(manifest)).toEqual(manifest)
    expect(manifest).toMatchObject({
      component: 'ranker',
      version: '20260301T100000000Z',
      created_at: '2026-03-01T10:00:00.000Z',
      model: { name: 'ggnn', options: { hidden: 8, features: 4 } },
      opset: 18,
      run_id: 'r1',
      dataset: { version_id: 'd1', hash: 'h' },
      metrics: { mrr: 0.9 },
      passed: true,
      forced: null,
    })
    expect(manifest.files.map((f) => f.path)).toEqual([
      'ggnn.onnx',
      'ggnn.sparse.onnx',
      'ggnn.int8.onnx',
      'ggnn.sparse.int8.onnx',
      'feature-spec.json',
      'metrics.json',
      'parity.json',
      samplesPath,
    ])
    for (const file of manifest.files) {
      const bytes = await blobs.get(file.sha256)
      expect(sha256(bytes)).toBe(file.sha256)
      expect(bytes.length).toBe(file.size)
    }
    expect(sha256(await blobs.get(artifact.manifestDigest))).toBe(encodeManifest(manifest).digest)
    const [graph] = manifest.graphs
    expect(graph).toMatchObject({ path: 'ggnn.onnx', layout: 'dense', precision: 'fp32' })
    expect(graph!.inputs).toContainEqual({ name: 'node_features', type: 'float32', dims: ['B', 'n', 4] })
    expect(graph!.outputs).toEqual([{ name: 'scores', type: 'float32', dims: ['B', 1] }])
    for (const { path: file, sha256 } of manifest.files.filter((f) => f.path.endsWith('.onnx')))
      expect(readMetadata(await blobs.get(sha256)), file).toMatchObject({
        run_id: 'r1',
        dataset_hash: 'h',
        feature_spec_hash: manifest.feature_spec_hash,
        component: 'ranker',
        version: manifest.version,
        precision: file.includes('int8') ? 'int8' : 'fp32',
        layout: file.includes('sparse') ? exportedSparse : 'dense',
        'producer.onnxruntime-node': expect.stringMatching(/^1\./),
      })
  })

  it('measured parity over the validation lists and every case of the grid', () => {
    const { parity } = artifact.manifest
    expect(parity).toMatchObject({ passed: true, lists: 20, candidates: 80, kendall_tau: 1, top1_agreement: 1, tolerance: 1e-5 })
    expect(parity.max_abs_diff).toBeLessThanOrEqual(1e-5)
    const cases = ['forward', 'backward', 'mixed', 'both ways', 'no edges', 'self-loop', 'one node', 'no nodes', 'all together']
    const both = cases.flatMap((name) => [`dense: ${name}`, `${exportedSparse}: ${name}`])
    expect(parity.grid.map((g) => g.case)).toEqual(both)
    const { report } = artifact.manifest.int8!
    expect(report!.grid.map((g) => g.case).sort()).toEqual(both.sort())
    expect(report).toMatchObject({ lists: 20, candidates: 80, metric: { name: 'mrr', limit: 0.01 }, onnxruntime: parity.onnxruntime })
    expect(parity.onnxruntime).toMatch(/^\d+\.\d+/)
    expect(parity.cpu_flags.length).toBeGreaterThan(0)
  })

  it('exports the layouts that batches come in, and measures against the one that training uses', async () => {
    const modelOptions = { ...toyOptions, layout: 'sparse' as const }
    const validation = toyLists(20, { nodes: [12, 20] })
    expect(ggnn.encode(validation, modelOptions).batch.layout).toMatch(/^sparse/)
    const sparse = await publishToy(tools, { version: 'sparse', modelOptions, validation, int8: { mode: 'off' }, now })
    expect(sparse.manifest.graphs.map((g) => [g.path, g.layout])).toEqual([['ggnn.sparse.onnx', exportedSparse]])
    expect(sparse.manifest.parity.passed).toBe(true)
    expect(sparse.manifest.int8).toEqual({ mode: 'off', published: false, reason: 'switched off', report: null })
    await promote(database, 'latest', artifact.id, { now })
  })

  it('publishes int8 only where the metric holds, and says what it lost', async () => {
    // what rounds away decides: fp32 ranks by the last digits, int8 cannot
    const judge = (_: readonly unknown[], scores: readonly (readonly number[])[]) => ({
      digits: scores.every((row) => row.every((s) => Math.abs(s - exact[s.toString()]!) < 1e-9)) ? 1 : 0.98,
    })
    const exact = Object.fromEntries((await scoresOf(artifact)).flat().map((s) => [s.toString(), s]))
    const without = await publishToy(tools, { version: 'fp32-only', judge, now })
    expect(without).toMatchObject({ passed: true })
    expect(without.manifest.graphs.map((g) => g.precision)).toEqual(['fp32', 'fp32'])
    expect(without.manifest.int8).toMatchObject({
      mode: 'if-passed',
      published: false,
      reason: 'digits drops by 2.00 % (1.0000 to 0.9800), 1.00 % at most',
      report: { passed: false, metric: { fp32: 1, int8: 0.98 } },
    })
    const lenient = await publishToy(tools, { version: 'lenient', judge, int8: { maxDrop: 0.03 }, now })
    expect(lenient.manifest.int8).toMatchObject({ published: true, reason: null, report: { metric: { limit: 0.03 } } })
    const required = { version: 'required', judge, int8: { mode: 'required' } as const, now }
    await expect(publishToy(tools, required)).rejects.toMatchObject({
      code: 'GATE_FAILED',
      message: expect.stringContaining('int8: digits drops by 2.00 %'),
    })
    const forced = await publishToy(tools, { ...required, force: { reason: 'to look at' } })
    expect(forced).toMatchObject({ passed: false, manifest: { int8: { published: true } } })
    await promote(database, 'latest', artifact.id, { now })
  })

  it('publishes models of every read-out', async () => {
    const graphExamples = (target: (i: number) => GraphExample['target']): GraphExample[] =>
      toyLists(12).map(({ candidates: [first] }, i) => ({ ...first!, id: `g${i}`, target: target(i)! }))
    const right =
      (answers: (scores: readonly number[], i: number) => boolean) => (_: readonly unknown[], scores: readonly (readonly number[])[]) => ({
        accuracy: scores.filter(answers).length / scores.length,
      })
    for (const [name, options, examples] of [
      ['ggnn-node', {}, graphExamples(() => 0)],
      ['ggnn-graph', { labels: ['no', 'perhaps', 'yes'] }, graphExamples((i) => ['no', 'perhaps', 'yes'][i % 3])],
      ['ggnn-sequence', { labels: ['a', 'b'], maxOutputs: 3 }, graphExamples(() => ['a', 'b'])],
    ] as const) {
      const model = models[name]!
      const modelOptions = model.options.parse({ features: 4, hidden: 8, steps: 2, ...options })
      const { manifest } = await publish(
        { ...tools, executor: ortExecutor },
        {
          component: name,
          model,
          modelOptions,
          parameters: initializeParameters(model.parameters(modelOptions), 3),
          metrics: {},
          gates: [],
          validation: examples,
          judge: right((scores) => scores.every(Number.isFinite)),
          now,
        },
      )
      expect(manifest).toMatchObject({ passed: true, parity: { passed: true, lists: 12 }, int8: { published: true } })
      expect(manifest.graphs).toHaveLength(4)
      const labels = 'labels' in options ? [...options.labels] : undefined
      expect(manifest.labels).toEqual(labels)
      const metadata = readMetadata(await blobs.get(manifest.files[0]!.sha256))
      expect(metadata['label_map'] && Object.values(JSON.parse(metadata['label_map']))).toEqual(labels)
    }
  })

  it('moves latest, and tells the graph in the same transaction', async () => {
    expect(await aliasOf('latest')).toBe(artifact.id)
    const changes = (await readGraphChanges(database, 0, 1000)).map((c) => c.change)
    const nodes = changes.filter((c) => c.op === 'upsert-node' && c.id === `artifact:${artifact.id}`)
    expect(nodes.at(-1)).toMatchObject({ kind: 'Artifact', properties: { aliases: ['latest'], passed: true, project_id: 'p' } })
    expect(changes).toContainEqual(
      expect.objectContaining({ op: 'upsert-edge', sourceId: `artifact:${artifact.id}`, label: 'PRODUCED_BY', targetId: 'run:r1' }),
    )
    expect(changes).toContainEqual(
      expect.objectContaining({ op: 'upsert-edge', sourceId: 'run:r1', label: 'USED', targetId: 'dataset-version:d1' }),
    )
  })

  it('refuses a version that exists, and artifacts never change', async () => {
    await expect(publishToy(tools, { now })).rejects.toMatchObject({ code: 'CONFLICT' })
    await expect(database.query(`UPDATE artifact SET passed = false WHERE id = $1`, [artifact.id])).rejects.toThrow(/immutable/)
  })

  it('publishes nothing that fails a gate, unless forced', async () => {
    const before = (await readArtifacts(database)).length
    await expect(publishToy(tools, { ...failed, version: 'bad' })).rejects.toMatchObject({
      code: 'GATE_FAILED',
      message: expect.stringContaining('mrr is 0.9, its threshold 0.95'),
    })
    expect(await readArtifacts(database)).toHaveLength(before)
    const forced = await publishToy(tools, { ...failed, version: 'forced', force: { reason: 'a demonstration' } })
    expect(forced).toMatchObject({ passed: false, manifest: { forced: 'a demonstration', passed: false } })
    expect(await aliasOf('latest')).toBe(artifact.id)
  })

  it('fails parity when the exported scores are not the trainer’s', async () => {
    // an export that loses the GRU's last step: the trainer goes through another graph than the file
    const skewed: typeof ggnn = {
      ...ggnn,
      forward: (b, parameters, layout, options) => {
        const isExport = Object.values(parameters)[0]!.source.kind === 'constant'
        return ggnn.forward(b, parameters, layout, isExport ? { ...options, steps: options.steps - 1 } : options)
      },
    }
    await expect(publishToy(tools, { model: skewed, version: 'skewed' })).rejects.toMatchObject({
      code: 'GATE_FAILED',
      message: expect.stringMatching(/parity: scores of the validation examples differ by .*grid: dense: forward by 0/),
    })
  })

  it('says so when the weights are beyond what float32 computes with', async () => {
    const parameters = initializeParameters(ggnn.parameters(toyOptions), 1)
    for (const { data } of Object.values(parameters)) (data as Float32Array).fill(1e30)
    await expect(publishToy(tools, { parameters, version: 'grown' })).rejects.toMatchObject({
      code: 'GATE_FAILED',
      message: expect.stringContaining('scores that are not finite'),
      remedy: expect.stringContaining('smaller learningRate'),
    })
  })

  it('refuses names that could not be paths or ids', async () => {
    await expect(publishToy(tools, { component: '../x' })).rejects.toMatchObject({ code: 'BAD_INPUT' })
    await expect(publishToy(tools, { version: 'a b' })).rejects.toMatchObject({ code: 'BAD_INPUT' })
  })
})

describe('promotion', () => {
  let [a, b, c]: Artifact[] = []
  beforeAll(async () => {
    a = await publishToy(tools, { version: 'a' })
    b = await publishToy(tools, { version: 'b', seed: 2 })
    c = await publishToy(tools, { version: 'c', seed: 3 })
  })

  it('moves an alias, keeps its history, rolls back step by step', async () => {
    for (const artifact of [a!, b!, c!]) await promote(database, 'production', artifact.id, { now: new Date(), actor: 'ada' })
    expect(await aliasOf('production')).toBe(c!.id)
    expect((await rollback(database, 'ranker', 'production', { now: new Date(), reason: 'worse' })).artifactId).toBe(b!.id)
    expect((await rollback(database, 'ranker', 'production', { now: new Date() })).artifactId).toBe(a!.id)
    await expect(rollback(database, 'ranker', 'production', { now: new Date() })).rejects.toMatchObject({ code: 'CONFLICT' })
    expect(await aliasOf('production')).toBe(a!.id)
    const history = await readPromotions(database, 'ranker', 'production')
    expect(history.map((p) => [p.artifactId, p.previousId, p.undoes === null])).toEqual([
      [a!.id, b!.id, false],
      [b!.id, c!.id, false],
      [c!.id, b!.id, true],
      [b!.id, a!.id, true],
      [a!.id, null, true],
    ])
    // and on from there
    await promote(database, 'production', c!.id, { now: new Date() })
    expect((await rollback(database, 'ranker', 'production', { now: new Date() })).artifactId).toBe(a!.id)
  })

  it('promoting what the alias names already moves nothing', async () => {
    const before = await readPromotions(database, 'ranker', 'production')
    const again = await promote(database, 'production', (await aliasOf('production'))!, { now: new Date() })
    expect(again).toEqual(before[0])
    expect(await readPromotions(database, 'ranker', 'production')).toEqual(before)
  })

  it('compares and sets: of many who expect the same, one wins', async () => {
    await promote(database, 'staging', a!.id, { now: new Date(), expected: null })
    const tries = await Promise.allSettled(
      Array.from({ length: 8 }, (_, i) => promote(database, 'staging', (i % 2 ? b : c)!.id, { now: new Date(), expected: a!.id })),
    )
    expect(tries.filter((t) => t.status === 'fulfilled')).toHaveLength(1)
    for (const t of tries) if (t.status === 'rejected') expect(t.reason).toMatchObject({ code: 'CONFLICT' })
    expect(await readPromotions(database, 'ranker', 'staging')).toHaveLength(2)
  })

  it('refuses what failed its gates, unless forced with a reason', async () => {
    const bad = await publishToy(tools, { ...failed, version: 'bad2', force: { reason: 'kept for comparison' } })
    await expect(promote(database, 'production', bad.id, { now: new Date() })).rejects.toMatchObject({ code: 'GATE_FAILED' })
    await expect(promote(database, 'production', bad.id, { now: new Date(), force: { reason: ' ' } })).rejects.toMatchObject({
      code: 'GATE_FAILED',
    })
    const forced = await promote(database, 'production', bad.id, { now: new Date(), force: { reason: 'on fire' } })
    expect(forced).toMatchObject({ forced: true, reason: 'on fire' })
    await rollback(database, 'ranker', 'production', { now: new Date() })
  })

  it('names what it does not know', async () => {
    await expect(promote(database, 'production', 'ranker@none', { now: new Date() })).rejects.toMatchObject({ code: 'NOT_FOUND' })
    expect(() => parseAlias('producton')).toThrow(expect.objectContaining({ remedy: 'Did you mean "production"?' }))
  })

  it('tells those who watch, and writes the aliases of both ends to the graph', async () => {
    const moves: (AliasMove | null)[] = []
    let heard = () => {}
    const wait = new Promise<void>((resolve) => {
      heard = resolve
    })
    const stop = await watchAlias(database, (move) => {
      moves.push(move)
      heard()
    })
    const from = await aliasOf('production')
    await promote(database, 'production', b!.id, { now: new Date() })
    await wait
    await stop()
    expect(moves).toEqual([{ component: 'ranker', alias: 'production', artifactId: b!.id }])
    const changes = (await readGraphChanges(database, 0, 10_000)).map((x) => x.change)
    const aliasesOf = (id: string) => {
      const last = changes.filter((x) => x.op === 'upsert-node' && x.id === `artifact:${id}`).at(-1)
      return last?.op === 'upsert-node' ? last.properties['aliases'] : null
    }
    expect(aliasesOf(b!.id)).toContain('production')
    expect(aliasesOf(from!)).not.toContain('production')
  })

  it('lists newest first, by pages and filters', async () => {
    const all = await readArtifacts(database, { first: 100 })
    const pages: string[] = []
    for (let after: string | undefined; ; after = pages.at(-1)) {
      const page = await readArtifacts(database, { first: 2, ...(after ? { after } : {}) })
      if (page.length === 0) break
      pages.push(...page.map((x) => x.id))
    }
    expect(pages).toEqual(all.map((x) => x.id))
    expect((await readArtifacts(database, { runId: 'r1' })).map((x) => x.runId)).toEqual(['r1'])
    expect((await readArtifacts(database, { passed: false })).every((x) => !x.passed)).toBe(true)
  })

  it('names every blob that must be kept', async () => {
    const needed = (await readArtifacts(database, { first: 100 })).flatMap((x) => [
      x.manifestDigest,
      ...x.manifest.files.map((f) => f.sha256),
    ])
    const named = await readArtifactBlobs(database, [...needed, 'a'.repeat(64)])
    expect(new Set(named)).toEqual(new Set(needed))
    for (const digest of named) expect(await blobs.has(digest)).toBe(true)
  })

  it('verifies every byte again, and names the file that was changed', async () => {
    expect(await verifyArtifact(database, blobs, a!.id)).toMatchObject({
      problems: [],
      files: expect.arrayContaining([{ path: 'manifest.json', sha256: a!.manifestDigest, isIntact: true }]),
    })
    const spoilt = a!.manifest.files.find((f) => f.path === 'ggnn.onnx')!
    const file = path.join(folder, spoilt.sha256.slice(0, 2), spoilt.sha256)
    const bytes = await fs.readFile(file)
    bytes[100]! ^= 1
    await fs.writeFile(file, bytes)
    const { problems, files } = await verifyArtifact(database, blobs, a!.id)
    expect(problems.map((p) => p.where)).toEqual([`${a!.id}: ggnn.onnx`])
    expect(files.filter((f) => !f.isIntact).map((f) => f.path)).toEqual(['ggnn.onnx'])
    await fs.rm(file)
    expect((await verifyArtifact(database, blobs, a!.id)).problems).toHaveLength(1)
  })
})
