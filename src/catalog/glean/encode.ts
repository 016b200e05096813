import { canonicalJson } from '../../util/hash.js'
import { type CatalogEdge, type CatalogNode, canonicalTypes, type JsonValue, type Properties } from '../../vocabulary.js'
import type { EstateMetrics, TypeDistribution } from '../quality/metrics.js'
import { partsOfId } from '../resolve/scope.js'
import type { EdgeKey, ManifestKey, NodeKey, TrainingMetricsKey, TypeShare } from './predicates.js'

/** Of what, and when, an export tells. */
export interface Export {
  projectId: string
  systemId: string
  exportedAt: Date
}

export const epochOf = (at: Date): number => Math.floor(at.getTime() / 1000)

const stampOf = ({ projectId, systemId, exportedAt }: Export) => ({
  project_id: projectId,
  system_id: systemId,
  exported_at: exportedAt.toISOString(),
  exported_at_epoch: epochOf(exportedAt),
})

/** Members of properties_json that are not properties but what the keys have no field for. */
export const reserved = {
  qualifiedName: 'espalier:qualified_name',
  discriminator: 'espalier:discriminator',
  /** a property whose own name begins with `espalier:` */
  property: 'espalier:property:',
} as const

function propertiesJson(properties: Properties, extra: Properties = {}): string {
  const entries = Object.entries(properties).map(([key, value]): [string, JsonValue] => [
    key.startsWith('espalier:') ? `${reserved.property}${key}` : key,
    value,
  ])
  return canonicalJson(Object.fromEntries([...entries, ...Object.entries(extra)]))
}

/** A node of the ledger as a key; `label` is its name, and the qualified name goes along where it isn't the one in the id. */
export function encodeNode(node: CatalogNode, stamp: Export): NodeKey {
  const isInId = partsOfId(node.id)?.qualifiedName === node.qualifiedName
  const extra: Properties = isInId ? {} : { [reserved.qualifiedName]: node.qualifiedName }
  return {
    ...{ id: node.id, kind: node.kind, label: node.name },
    ...stampOf(stamp),
    properties_json: propertiesJson(node.properties, extra),
  }
}

export function encodeEdge(edge: CatalogEdge, stamp: Export): EdgeKey {
  const extra: Properties = edge.discriminator ? { [reserved.discriminator]: edge.discriminator } : {}
  const ends = { source: edge.sourceId, target: edge.targetId, label: edge.label }
  return { ...ends, ...stampOf(stamp), properties_json: propertiesJson(edge.properties, extra) }
}

/** A number as plain decimal text that reads back as the same number: `0.0000001`, never `1e-7`. */
export function decimalText(value: number): string {
  if (!Number.isFinite(value)) throw new TypeError(`decimalText: ${value} is no decimal`)
  const [, sign, whole, fraction = '', exponent] = /^(-?)(\d+)(?:\.(\d+))?(?:e([+-]\d+))?$/.exec(String(value))!
  if (exponent === undefined) return String(value)
  const digits = whole! + fraction
  const point = whole!.length + Number(exponent)
  if (point <= 0) return `${sign}0.${'0'.repeat(-point)}${digits}`
  return `${sign}${digits.padEnd(point, '0').slice(0, point)}${digits.length > point ? `.${digits.slice(point)}` : ''}`
}

/** Shares in millionths that sum to a million (or to nothing, where there are none): the largest remainders are rounded up. */
export function millionths(distribution: TypeDistribution): TypeShare[] {
  const exact = canonicalTypes.map((type) => ({ type, value: distribution[type] * 1e6 }))
  const shares = exact.map(({ type, value }) => ({ type, ppm: Math.floor(value), rest: value - Math.floor(value) }))
  const total = Math.round(exact.reduce((sum, { value }) => sum + value, 0))
  const missing = total - shares.reduce((sum, { ppm }) => sum + ppm, 0)
  const byRest = [...shares].sort((a, b) => b.rest - a.rest)
  for (const share of byRest.slice(0, missing)) share.ppm++
  return shares.map(({ type, ppm }) => ({ type, ppm }))
}

export interface Manifest {
  nodeCount: number
  edgeCount: number
  exportFile: string
  metrics: EstateMetrics
  ideal: TypeDistribution
  /** when what is exported was true */
  observedAt: Date
}

export function encodeManifest(manifest: Manifest, stamp: Export): ManifestKey {
  const { nodeCount, edgeCount, exportFile, metrics, ideal, observedAt } = manifest
  return {
    ...stampOf(stamp),
    node_count: nodeCount,
    edge_count: edgeCount,
    export_file: exportFile,
    metadata_entropy: decimalText(metrics.metadata_entropy),
    kl_divergence: decimalText(metrics.kl_divergence),
    column_count: metrics.column_count,
    actual_distribution: millionths(metrics.distribution),
    ideal_distribution: millionths(ideal),
    metrics_calculated_at: observedAt.toISOString(),
  }
}

/** What a training run came to, by shape: any evaluation that has these. */
export interface TrainingEvaluation {
  runId: string
  model: string
  /** values that are no finite numbers go as the texts NaN, Infinity, -Infinity */
  metrics: Readonly<Record<string, number>>
  details?: Properties
}

export function encodeTrainingMetrics({ runId, model, metrics, details = {} }: TrainingEvaluation, stamp: Export): TrainingMetricsKey {
  const values = Object.entries(metrics).map(([name, value]) => ({
    name,
    value: Number.isFinite(value) ? decimalText(value) : String(value),
  }))
  return { run_id: runId, model, ...stampOf(stamp), metrics: values, properties_json: propertiesJson(details) }
}
