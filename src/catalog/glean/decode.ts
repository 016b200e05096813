import { type JsonValue, type NodeKind, nodeKinds, type Properties } from '../../vocabulary.js'
import { kindSlugs } from '../identity.js'
import { reserved } from './encode.js'
import type { RawKey, TypeShare } from './predicates.js'

/** What every fact tells of its export; null where a batch of other origin leaves it out. */
interface Stamp {
  projectId: string | null
  systemId: string | null
  exportedAt: Date | null
}

export interface GleanNode extends Stamp {
  id: string
  /** as it was written: kindOf makes a kind of the vocabulary of it */
  kind: string
  label: string
  /** null where the id tells it */
  qualifiedName: string | null
  properties: Properties
}

export interface GleanEdge extends Stamp {
  sourceId: string
  targetId: string
  label: string
  discriminator: string
  properties: Properties
}

export interface GleanManifest extends Stamp {
  nodeCount: number | null
  edgeCount: number | null
  exportFile: string | null
  metadataEntropy: number | null
  klDivergence: number | null
  columnCount: number | null
  actualDistribution: Record<string, number>
  idealDistribution: Record<string, number>
  metricsCalculatedAt: Date | null
}

const text = (value: unknown): string | null => (typeof value === 'string' && value !== '' ? value : null)

/** A number, or its decimal text. */
const decimal = (value: unknown): number | null => {
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value
  return typeof number === 'number' && Number.isFinite(number) ? number : null
}

function moment(value: unknown): Date | null {
  if (typeof value !== 'string') return null
  // a time without a zone is UTC, as exporters of other origin write it
  const zoned = /T.*(?:Z|[+-]\d\d:?\d\d)$|^\d{4}-\d\d-\d\d$/i.test(value) ? value : `${value.replace(' ', 'T')}Z`
  const date = new Date(zoned)
  return Number.isNaN(date.getTime()) ? null : date
}

/** Seconds, or milliseconds where so many seconds would be past the year 5000. */
function epochMoment(value: unknown): Date | null {
  const epoch = decimal(value)
  return epoch === null ? null : new Date(epoch > 1e11 ? epoch : epoch * 1000)
}

const stampOf = (key: RawKey): Stamp => ({
  projectId: text(key['project_id']),
  systemId: text(key['system_id']),
  exportedAt: moment(key['exported_at']) ?? epochMoment(key['exported_at_epoch']),
})

/** properties_json as an object; what is none becomes the property `properties_json`. */
function parseProperties(value: unknown): Properties {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Properties
  if (typeof value !== 'string' || value.trim() === '') return {}
  try {
    const parsed = JSON.parse(value) as JsonValue
    if (typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)) return parsed
  } catch {
    // falls through: kept as it is
  }
  return { properties_json: value }
}

/** Takes the reserved members out of the properties. */
function unwrap(value: unknown): { properties: Properties; qualifiedName: string | null; discriminator: string } {
  const all = parseProperties(value)
  const members = Object.entries(all).flatMap(([key, member]): [string, JsonValue][] => {
    if (key === reserved.qualifiedName || key === reserved.discriminator) return []
    return [[key.startsWith(reserved.property) ? key.slice(reserved.property.length) : key, member]]
  })
  return {
    properties: Object.fromEntries(members),
    qualifiedName: text(all[reserved.qualifiedName]),
    discriminator: text(all[reserved.discriminator]) ?? '',
  }
}

/** null where the key has no id or kind. */
export function decodeNode(key: RawKey): GleanNode | null {
  const [id, kind] = [text(key['id']), text(key['kind'])]
  if (id === null || kind === null) return null
  const { properties, qualifiedName } = unwrap(key['properties_json'])
  return { id, kind, label: text(key['label']) ?? id, qualifiedName, properties, ...stampOf(key) }
}

/** Reads `source` and `target`, and `source_id` and `target_id`; null where an end or the label is missing. */
export function decodeEdge(key: RawKey): GleanEdge | null {
  const sourceId = text(key['source']) ?? text(key['source_id'])
  const targetId = text(key['target']) ?? text(key['target_id'])
  const label = text(key['label'])
  if (sourceId === null || targetId === null || label === null) return null
  const { properties, discriminator } = unwrap(key['properties_json'])
  return { sourceId, targetId, label, discriminator, properties, ...stampOf(key) }
}

/** Type -> share, from a list of { type, ppm }; other exporters write an object of shares. */
function shares(value: unknown): Record<string, number> {
  if (Array.isArray(value))
    return Object.fromEntries(
      (value as Partial<TypeShare>[]).flatMap((s) => (text(s?.type) ? [[s.type!, (decimal(s.ppm) ?? 0) / 1e6]] : [])),
    )
  const object = typeof value === 'string' ? parseProperties(value) : value
  if (typeof object !== 'object' || object === null) return {}
  return Object.fromEntries(Object.entries(object).flatMap(([type, share]) => (decimal(share) === null ? [] : [[type, decimal(share)!]])))
}

export const decodeManifest = (key: RawKey): GleanManifest => ({
  ...stampOf(key),
  nodeCount: decimal(key['node_count']),
  edgeCount: decimal(key['edge_count']),
  exportFile: text(key['export_file']),
  metadataEntropy: decimal(key['metadata_entropy']),
  klDivergence: decimal(key['kl_divergence']),
  columnCount: decimal(key['column_count']),
  actualDistribution: shares(key['actual_distribution']),
  idealDistribution: shares(key['ideal_distribution']),
  metricsCalculatedAt: moment(key['metrics_calculated_at']),
})

/** When what a manifest's export tells was true. */
export const momentOf = (manifest: GleanManifest): Date | null => manifest.metricsCalculatedAt ?? manifest.exportedAt

const fold = (kind: string): string => kind.toLowerCase().replace(/[^a-z0-9]/g, '')

/** Spellings of a kind, letters and digits alone -> the kind: `Control-M_Job`, `controlm-job` and `ControlMJob` are one. */
const kinds = new Map<string, NodeKind>(nodeKinds.flatMap((kind) => [[fold(kind), kind] as const, [fold(kindSlugs[kind]), kind] as const]))

/** The kind of the vocabulary that a batch means; null where there is none. */
export const kindOf = (written: string): NodeKind | null => kinds.get(fold(written)) ?? null

/** All spellings of a kind that are asked for: ours, and lower case as other exporters write it. */
export const spellingsOf = (kind: NodeKind): string[] => [...new Set([kind, kind.toLowerCase(), kindSlugs[kind]])]
