import type { BlobStore } from '../blobs/blob-store.js'
import type { Model } from '../models/model.js'
import { parseOptions } from '../models/options.js'
import type { RankingList } from '../models/rankings/ranking-list.js'
import { appendGraphChanges } from '../postgres/outbox.js'
import type { TensorExecutor } from '../tensor/executor.js'
import { opset } from '../tensor/onnx.js'
import type { NamedTensors } from '../tensor/tensor.js'
import { EspalierError } from '../util/error.js'
import { canonicalJson, contentHash, sha256 } from '../util/hash.js'
import { readEnvironment } from './environment.js'
import { artifactNode, lineageEdges } from './graph.js'
import { artifactName, encodeManifest, type Int8Mode, type Manifest, type ParityReport, versionAt } from './manifest.js'
import { type ExportedGraph, exportGraphs } from './onnx/export.js'
import { type Checked, type CheckRequest, checkGraphs } from './parity/check.js'
import { type GridCase, parityGrid, widthsOf } from './parity/grid.js'
import { int8Failure, type Judge, publishesInt8 } from './parity/int8.js'
import { samplesPath } from './parity/samples.js'
import { promoteWithin, type Transactions } from './promotion.js'
import { type Artifact, readArtifact, saveArtifact } from './store.js'

export interface PublishRequest<Example = RankingList> {
  /** what it does in a release: ranker, embedding, … */
  component: string
  /** default: the UTC moment of `now` */
  version?: string
  projectId?: string | null
  runId?: string | null
  dataset?: { versionId: string; hash: string } | null
  // biome-ignore lint/suspicious/noExplicitAny: options of any model, parsed by its own schema
  model: Model<any, Example>
  modelOptions: unknown
  /** the weights that ship */
  parameters: NamedTensors
  /** how inputs are encoded, as the dataset version holds it */
  featureSpec?: unknown
  metrics: Record<string, number>
  gates: Manifest['gates']
  /** the examples that parity is measured on: the real validation set */
  validation: readonly Example[]
  /**
   * int8 files beside the fp32 ones. `if-passed` (default): only where they pass their gate, and the manifest says why not; `required`:
   * nothing is published where they do not; `off`: none.
   */
  int8?: { mode?: Int8Mode; maxDrop?: number }
  /** what the int8 gate judges by; default MRR for ranking lists */
  judge?: Judge<Example>
  /** the metric of `judge` that counts; default the first */
  metric?: string
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
 * Publishes a trained model: forward graphs as fp32 and int8 ONNX, feature spec, labels, metrics and parity as blobs, a manifest that
 * names them by digest, and a row; moves the alias `latest` to it. GATE_FAILED, with nothing published, when a gate or parity fails
 * (unless forced); CONFLICT when the version exists.
 */
export async function publish<Example = RankingList>(tools: PublishTools, request: PublishRequest<Example>): Promise<Artifact> {
  const settled = settle(request)
  const graphs = exportGraphs(settled.model, settled.options, settled.parameters, metadataOf(settled))
  const checked = await checkGraphs(tools.executor, settled, graphs)
  refuseUnlessPassed(settled, checked)
  const files = filesOf(settled, checked)
  for (const { bytes } of files.values()) await tools.blobs.put(bytes)
  const manifest = buildManifest(settled, checked, files)
  await tools.blobs.put(encodeManifest(manifest).bytes)
  return record(tools.database, settled, manifest)
}

/** A request with every default filled in. */
interface Settled<Example> extends PublishRequest<Example>, CheckRequest<Example> {
  version: string
  options: Record<string, unknown>
  int8: { mode: Int8Mode; maxDrop: number }
  labels: string[] | null
}

/** How much of the task's metric int8 may lose, relative to fp32's. */
export const defaultMaxDrop = 0.01

function settle<Example>(request: PublishRequest<Example>): Settled<Example> {
  const { component, version = versionAt(request.now), model, validation, int8 } = request
  for (const [what, name] of Object.entries({ component, version }))
    if (!artifactName.safeParse(name).success)
      throw new EspalierError(
        'BAD_INPUT',
        `artifact ${what}: found "${name}", expected ${artifactName.safeParse(name).error?.issues[0]?.message}`,
      )
  const options = parseOptions(model, request.modelOptions) as Record<string, unknown>
  const widths = widthsOf(validation)
  if (!widths)
    throw new EspalierError('BAD_INPUT', `publish ${component}: there is no validation example with a node, so parity cannot be measured`, {
      remedy: 'Give the examples that the model was validated on.',
    })
  return {
    ...request,
    version,
    options,
    grid: parityGrid(model.examples, widths.features, widths.query) as GridCase<Example>[],
    labels: Array.isArray(options['labels']) && options['labels'].length > 0 ? options['labels'].map(String) : null,
    int8: { mode: int8?.mode ?? 'if-passed', maxDrop: int8?.maxDrop ?? defaultMaxDrop },
    environment: readEnvironment(),
  }
}

/** What travels inside each ONNX file. */
function metadataOf<Example>({ component, version, options, labels, runId, dataset, featureSpec, environment }: Settled<Example>) {
  return {
    ...Object.fromEntries(Object.entries(environment.producer).map(([tool, number]) => [`producer.${tool}`, number])),
    component,
    version,
    ...(runId ? { run_id: runId } : {}),
    ...(dataset ? { dataset_hash: dataset.hash } : {}),
    ...(featureSpec ? { feature_spec_hash: contentHash(featureSpec) } : {}),
    ...(labels ? { label_map: JSON.stringify(Object.fromEntries(labels.entries())) } : {}),
    options_hash: contentHash(options),
  }
}

function refuseUnlessPassed<Example>({ component, gates, force, int8 }: Settled<Example>, { parity, int8Report }: Checked): void {
  if (force?.reason.trim()) return
  const failures = gates.filter((g) => !g.passed).map((g) => `${g.metric} is ${g.value ?? 'not measured'}, its threshold ${g.threshold}`)
  if (!parity.passed) failures.push(parityFailure(parity))
  if (int8.mode === 'required' && int8Report && !int8Report.passed) failures.push(`int8: ${int8Failure(int8Report)}`)
  if (failures.length > 0)
    throw new EspalierError('GATE_FAILED', `publish ${component}: ${failures.join('; ')}`, {
      remedy: areFinite(parity)
        ? 'Train longer or on more data, lower the gate, or publish by force with a reason.'
        : 'Its weights are beyond what float32 computes with: train with a smaller learningRate, a warm-up or a clipNorm.',
    })
}

const areFinite = ({ max_abs_diff: difference, grid }: ParityReport): boolean =>
  difference !== null && grid.every(({ max_abs_diff: each }) => each !== null)

function parityFailure(parity: ParityReport): string {
  if (!areFinite(parity)) return 'parity: there are scores that are not finite'
  const bad = parity.grid.filter((g) => !g.passed).map((g) => `${g.case} by ${g.max_abs_diff}`)
  const where =
    bad.length > 0 ? `; those of the grid: ${bad.slice(0, 5).join(', ')}${bad.length > 5 ? ` and ${bad.length - 5} more` : ''}` : ''
  return `parity: scores of the validation examples differ by ${parity.max_abs_diff}, ${parity.tolerance} at most${where}`
}

function int8Decision<Example>({ int8: { mode } }: Settled<Example>, { int8Report }: Checked): NonNullable<Manifest['int8']> {
  const published = int8Report !== null && publishesInt8(mode, int8Report.passed)
  const reason = published
    ? null
    : int8Report
      ? int8Failure(int8Report)
      : mode === 'off'
        ? 'switched off'
        : 'the scores of fp32 are not finite'
  return { mode, published, reason, report: int8Report }
}

type Files = Map<string, { bytes: Uint8Array; sha256: string }>

function filesOf<Example>({ featureSpec, labels, metrics, gates }: Settled<Example>, checked: Checked): Files {
  const { graphs, parity, int8Report, samples } = checked
  const json = (value: unknown) => new TextEncoder().encode(canonicalJson(value))
  const contents: [string, Uint8Array][] = [
    ...graphs.map((g): [string, Uint8Array] => [g.entry.path, g.bytes]),
    ...(featureSpec ? [['feature-spec.json', json(featureSpec)] as [string, Uint8Array]] : []),
    ...(labels ? [['labels.json', json(labels)] as [string, Uint8Array]] : []),
    ['metrics.json', json({ metrics, gates })],
    ['parity.json', json({ fp32: parity, int8: int8Report })],
    [samplesPath, json(samples)],
  ]
  return new Map(contents.map(([path, bytes]) => [path, { bytes, sha256: sha256(bytes) }]))
}

function buildManifest<Example>(settled: Settled<Example>, checked: Checked, files: Files): Manifest {
  const { component, version, now, model, options, labels, runId, dataset, featureSpec, metrics, gates, force, environment } = settled
  const { graphs, parity, int8Report } = checked
  const int8Passed = settled.int8.mode !== 'required' || int8Report?.passed === true
  return {
    format: 1,
    component,
    version,
    created_at: now.toISOString(),
    model: { name: model.name, options: JSON.parse(canonicalJson(options)) },
    files: [...files].map(([path, { bytes, sha256 }]) => ({ path, size: bytes.length, sha256 })),
    graphs: graphs.map((g: ExportedGraph) => g.entry),
    opset,
    producer: environment.producer,
    run_id: runId ?? null,
    dataset: dataset ? { version_id: dataset.versionId, hash: dataset.hash } : null,
    options_hash: contentHash(options),
    feature_spec_hash: featureSpec ? contentHash(featureSpec) : null,
    metrics,
    gates,
    parity,
    int8: int8Decision(settled, checked),
    ...(labels ? { labels } : {}),
    passed: parity.passed && int8Passed && gates.every((g) => g.passed),
    forced: force?.reason ?? null,
  }
}

/** The row, `latest` and the graph's nodes and edges, in one transaction. */
function record(
  database: Transactions,
  { projectId, now }: { projectId?: string | null; now: Date },
  manifest: Manifest,
): Promise<Artifact> {
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
