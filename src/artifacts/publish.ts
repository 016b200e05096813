import type { BlobStore } from '../blobs/blob-store.js'
import type { Model } from '../models/model.js'
import { parseOptions } from '../models/options.js'
import type { RankingList } from '../models/ranking-list.js'
import { createTrainer } from '../models/trainer.js'
import { appendGraphChanges } from '../postgres/outbox.js'
import type { TensorExecutor } from '../tensor/executor.js'
import { opset } from '../tensor/onnx.js'
import type { NamedTensors } from '../tensor/tensor.js'
import { EspalierError } from '../util/error.js'
import { canonicalJson, contentHash, sha256 } from '../util/hash.js'
import { readEnvironment } from './environment.js'
import { type ExportedGraph, exportGraph } from './export.js'
import { artifactNode, lineageEdges } from './graph.js'
import { artifactName, encodeManifest, type Manifest, type ParityReport, versionAt } from './manifest.js'
import { measureParity, type ParitySamples, parityGrid, type ReferenceScores, samplesPath, tolerance } from './parity.js'
import { promoteWithin, type Transactions } from './promotion.js'
import { openScorer } from './scorer.js'
import { type Artifact, readArtifact, saveArtifact } from './store.js'

export interface PublishRequest {
  /** what it does in a release: ranker, embedding, … */
  component: string
  /** default: the UTC moment of `now` */
  version?: string
  projectId?: string | null
  runId?: string | null
  dataset?: { versionId: string; hash: string } | null
  model: Model
  modelOptions: unknown
  /** the weights that ship */
  parameters: NamedTensors
  /** how inputs are encoded, as the dataset version holds it */
  featureSpec?: unknown
  metrics: Record<string, number>
  gates: Manifest['gates']
  /** the lists that parity is measured on: the real validation set */
  validation: readonly RankingList[]
  /** publishes what failed a gate, for the reason given; such an artifact is promoted only by force, too */
  force?: { reason: string }
  now: Date
}

export interface PublishTools {
  database: Transactions
  blobs: Pick<BlobStore, 'put'>
  executor: TensorExecutor
}

/**
 * Publishes a trained model: forward graphs as fp32 ONNX, feature spec, metrics and parity as blobs, a manifest that names them by
 * digest, and a row; moves the alias `latest` to it. GATE_FAILED, with nothing published, when a gate or parity fails (unless forced);
 * CONFLICT when the version exists.
 */
export async function publish(tools: PublishTools, request: PublishRequest): Promise<Artifact> {
  const settled = settle(request)
  const graphs = [exportFp32(settled)]
  const { parity, samples } = await checkParity(tools.executor, settled, graphs)
  refuseUnlessPassed(settled, parity)
  const files = filesOf(settled, graphs, parity, samples)
  for (const { bytes } of files.values()) await tools.blobs.put(bytes)
  const manifest = buildManifest(settled, graphs, parity, files)
  await tools.blobs.put(encodeManifest(manifest).bytes)
  return record(tools.database, settled, manifest)
}

interface Settled extends PublishRequest {
  version: string
  options: unknown
  grid: ReturnType<typeof parityGrid>
  environment: ReturnType<typeof readEnvironment>
}

function settle(request: PublishRequest): Settled {
  const { component, version = versionAt(request.now), model, validation } = request
  for (const [what, name] of Object.entries({ component, version }))
    if (!artifactName.safeParse(name).success)
      throw new EspalierError(
        'BAD_INPUT',
        `artifact ${what}: found "${name}", expected ${artifactName.safeParse(name).error?.issues[0]?.message}`,
      )
  const options = parseOptions(model, request.modelOptions)
  const sample = validation.find((list) => list.candidates.some((c) => c.nodeFeatures.length > 0))
  const features = sample?.candidates.find((c) => c.nodeFeatures.length > 0)?.nodeFeatures[0]?.length
  if (!sample || !features)
    throw new EspalierError('BAD_INPUT', `publish ${component}: there is no validation list with a node, so parity cannot be measured`, {
      remedy: 'Give the lists that the model was validated on.',
    })
  const grid = parityGrid(features, sample.query?.length ?? 0)
  return { ...request, version, options, grid, environment: readEnvironment() }
}

function exportFp32({ model, options, parameters, runId, dataset, featureSpec, environment }: Settled): ExportedGraph {
  const metadata = {
    ...Object.fromEntries(Object.entries(environment.producer).map(([tool, version]) => [`producer.${tool}`, version])),
    ...(runId ? { run_id: runId } : {}),
    ...(dataset ? { dataset_hash: dataset.hash } : {}),
    ...(featureSpec ? { feature_spec_hash: contentHash(featureSpec) } : {}),
    options_hash: contentHash(options),
  }
  return exportGraph(model, options, parameters, metadata)
}

async function checkParity(executor: TensorExecutor, settled: Settled, graphs: readonly ExportedGraph[]) {
  const { model, options, parameters, validation, grid, environment } = settled
  const scorer = await openScorer(model, options, new Map(graphs.map((g) => [g.entry.layout, g.bytes])))
  const trainer = createTrainer({ model, options, executor, seed: 0, optimizer: { name: 'sgd' } })
  try {
    trainer.restore({ ...trainer.state(), parameters })
    const reference: ReferenceScores = async (lists) => (await trainer.evaluate(model.encode(lists, options).batch)).scores
    const parity = await measureParity({ lists: validation, grid, scorer, reference, environment })
    const lists = grid.map((g) => g.list)
    const samples: ParitySamples = { tolerance, lists, scores: await scorer.score(scorer.encode(lists).batch) }
    return { parity, samples }
  } finally {
    await scorer.close()
    await trainer.close()
  }
}

function refuseUnlessPassed({ component, gates, force }: Settled, parity: ParityReport): void {
  if (force?.reason.trim()) return
  const failures = gates.filter((g) => !g.passed).map((g) => `${g.metric} is ${g.value ?? 'not measured'}, its threshold ${g.threshold}`)
  if (!parity.passed) {
    const bad = parity.grid.filter((g) => !g.passed).map((g) => g.case)
    const where = bad.length > 0 ? ` (grid: ${bad.join(', ')})` : ''
    failures.push(`parity: scores differ by ${parity.max_abs_diff ?? 'a number that is not finite'}, ${parity.tolerance} at most${where}`)
  }
  if (failures.length > 0)
    throw new EspalierError('GATE_FAILED', `publish ${component}: ${failures.join('; ')}`, {
      remedy: 'Train longer or on more data, lower the gate, or publish by force with a reason.',
    })
}

type Files = Map<string, { bytes: Uint8Array; sha256: string }>

function filesOf(
  { featureSpec, metrics, gates }: Settled,
  graphs: readonly ExportedGraph[],
  parity: ParityReport,
  samples: ParitySamples,
): Files {
  const json = (value: unknown) => new TextEncoder().encode(canonicalJson(value))
  const contents: [string, Uint8Array][] = [
    ...graphs.map((g): [string, Uint8Array] => [g.entry.path, g.bytes]),
    ...(featureSpec ? [['feature-spec.json', json(featureSpec)] as [string, Uint8Array]] : []),
    ['metrics.json', json({ metrics, gates })],
    ['parity.json', json(parity)],
    [samplesPath, json(samples)],
  ]
  return new Map(contents.map(([path, bytes]) => [path, { bytes, sha256: sha256(bytes) }]))
}

function buildManifest(settled: Settled, graphs: readonly ExportedGraph[], parity: ParityReport, files: Files): Manifest {
  const { component, version, now, model, options, runId, dataset, featureSpec, metrics, gates, force, environment } = settled
  return {
    format: 1,
    component,
    version,
    created_at: now.toISOString(),
    model: { name: model.name, options: JSON.parse(canonicalJson(options)) },
    files: [...files].map(([path, { bytes, sha256 }]) => ({ path, size: bytes.length, sha256 })),
    graphs: graphs.map((g) => g.entry),
    opset,
    producer: environment.producer,
    run_id: runId ?? null,
    dataset: dataset ? { version_id: dataset.versionId, hash: dataset.hash } : null,
    options_hash: contentHash(options),
    feature_spec_hash: featureSpec ? contentHash(featureSpec) : null,
    metrics,
    gates,
    parity,
    passed: parity.passed && gates.every((g) => g.passed),
    forced: force?.reason ?? null,
  }
}

/** The row, `latest` and the graph's nodes and edges, in one transaction. */
function record(database: Transactions, { projectId, now }: Settled, manifest: Manifest): Promise<Artifact> {
  const { component, version, run_id: runId, dataset, passed } = manifest
  const id = `${component}@${version}`
  return database.transaction(async (sql) => {
    await saveArtifact(sql, {
      id,
      component,
      version,
      projectId: projectId ?? null,
      runId,
      datasetVersionId: dataset?.version_id ?? null,
      passed,
      manifest,
      manifestDigest: encodeManifest(manifest).digest,
      createdAt: now,
    })
    if (passed) await promoteWithin(sql, 'latest', id, { now, reason: 'published' })
    const artifact = await readArtifact(sql, id)
    await appendGraphChanges(sql, [artifactNode(artifact, now), ...lineageEdges(artifact, now)])
    return artifact
  })
}
