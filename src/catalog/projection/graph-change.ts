import { canonicalJson } from '../../util/hash.js'
import type { CatalogEdge, CatalogNode, GraphChange, JsonValue, Properties } from '../../vocabulary.js'
import type { Annotations } from '../people/annotation.js'

const snakeCase = (name: string): string =>
  name
    .replace(/([\p{Ll}\p{N}])(\p{Lu})/gu, '$1_$2')
    .replace(/[^\p{L}\p{N}_]+/gu, '_')
    .toLowerCase()

const isScalar = (value: JsonValue): value is string | number | boolean => value !== null && typeof value !== 'object'

/** A graph property holds a scalar or a list of scalars of one type; anything else goes in as its JSON text. */
function graphValue(value: JsonValue): JsonValue {
  if (isScalar(value)) return value
  const isList = Array.isArray(value) && value.every((item) => isScalar(item) && typeof item === typeof value[0])
  return isList ? value : canonicalJson(value)
}

/** Properties with snake_case names, nulls left out; the platform's own names win over a source's. */
export function graphProperties(properties: Properties, own: Properties): Properties {
  const entries = Object.entries(properties).map(([key, value]) => [snakeCase(key), value] as const)
  const all = [...entries, ...Object.entries(own)].filter(([key, value]) => value !== null && key !== '')
  return Object.fromEntries(all.map(([key, value]) => [key, graphValue(value)]))
}

export interface NodeMetrics {
  /** ISO string */
  metrics_calculated_at: string
  metadata_entropy: number
  kl_divergence: number
}

/** People's words of a node as the graph holds them; lists that are empty are left out. */
const wordsOf = ({ owners, tags, terms, description, annotatedAt }: Annotations): Properties => ({
  ...(owners.length > 0 ? { owners } : {}),
  ...(tags.length > 0 ? { tags } : {}),
  ...(terms.length > 0 ? { terms } : {}),
  description_by_people: description,
  annotated_at: annotatedAt?.toISOString() ?? null,
})

/** A node as the graph holds it. `updatedAt`: since when it is as it is; `said`: what people say of it. */
export function nodeChange(node: CatalogNode, updatedAt: Date, metrics: NodeMetrics | null, said?: Annotations): GraphChange {
  const { id, kind, name, qualifiedName, projectId, systemId } = node
  const own: Properties = {
    id,
    name,
    qualified_name: qualifiedName,
    project_id: projectId,
    // what belongs to the project itself has no system
    system_id: systemId || null,
    updated_at: updatedAt.toISOString(),
    ...(metrics ?? {}),
    ...(said ? wordsOf(said) : {}),
  }
  return { op: 'upsert-node', id, kind, properties: graphProperties(node.properties, own) }
}

/** An edge as the graph holds it. */
export function edgeChange(edge: CatalogEdge, updatedAt: Date): GraphChange {
  const { sourceId, label, targetId, discriminator, projectId, systemId, properties } = edge
  const own: Properties = { project_id: projectId, system_id: systemId, updated_at: updatedAt.toISOString() }
  return { op: 'upsert-edge', sourceId, label, targetId, discriminator, properties: graphProperties(properties, own) }
}
