import { columnCanonical, columnOrdinal } from '../catalog/column.js'
import type { CanonicalType, CatalogEdge, CatalogNode } from '../vocabulary.js'
import { type TargetName, targetName } from './names.js'

/** What a catalog read gives: the nodes and edges of an estate at one moment. */
export interface Estate {
  nodes: readonly CatalogNode[]
  edges: readonly CatalogEdge[]
}

/** An estate with its ways laid out for tasks over columns. */
export interface EstateIndex {
  node(id: string): CatalogNode | undefined
  /** edges of the labels that walks follow (HAS_COLUMN, REFERENCES, DATA_FLOW), in a fixed order */
  incident(id: string): readonly CatalogEdge[]
  tableOf(columnId: string): CatalogNode | undefined
  /** primary keys first, then by position, then by id */
  columnsOf(tableId: string): readonly CatalogNode[]
  /** what a column or table is held out with: the id of its database, or of its system where there is none */
  groupOf(id: string): string
  /** columns of a group, in the order of their ids */
  columnsIn(group: string): readonly CatalogNode[]
  /** how the names of a column and its table may be spelled in a key */
  targetName(column: CatalogNode): TargetName
  /** foreign keys that are known to point to a column */
  timesReferenced(columnId: string): number
  /** every column-to-column foreign key, in the order of source and target */
  readonly references: readonly CatalogEdge[]
}

const walkedLabels = ['HAS_COLUMN', 'REFERENCES', 'DATA_FLOW'] as const
const walked: ReadonlySet<string> = new Set(walkedLabels)
const byText = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0)
const byId = (a: CatalogNode, b: CatalogNode) => byText(a.id, b.id)
const byEnds = (a: CatalogEdge, b: CatalogEdge) =>
  walkedLabels.indexOf(a.label as 'REFERENCES') - walkedLabels.indexOf(b.label as 'REFERENCES') ||
  byText(a.sourceId, b.sourceId) ||
  byText(a.targetId, b.targetId) ||
  byText(a.discriminator, b.discriminator)

export const isPrimaryKey = (node: CatalogNode): boolean => (node.properties['is_primary_key'] ?? node.properties['primary_key']) === true
const ordinal = (node: CatalogNode): number => columnOrdinal(node.properties) ?? Number.MAX_SAFE_INTEGER

const types = new WeakMap<CatalogNode, CanonicalType | 'none'>()

/** The canonical type of a column; `none` where it has none that is known, and for other nodes. Kept: reading a type tree costs. */
export function canonicalTypeOf(node: CatalogNode): CanonicalType | 'none' {
  const known = types.get(node)
  if (known) return known
  const type = node.kind === 'Column' ? (columnCanonical(node.properties) ?? 'none') : 'none'
  types.set(node, type)
  return type
}

const indexes = new WeakMap<Estate, EstateIndex>()

/** Builds the index of an estate, once: the same object gives the same index (do not change an estate afterwards). */
export function indexEstate(estate: Estate): EstateIndex {
  const known = indexes.get(estate)
  if (known) return known
  const index = buildIndex(estate)
  indexes.set(estate, index)
  return index
}

const push = <K, V>(map: Map<K, V[]>, key: K, value: V) => {
  const list = map.get(key)
  if (list) list.push(value)
  else map.set(key, [value])
}

function buildIndex(estate: Estate): EstateIndex {
  const nodes = new Map(estate.nodes.map((node) => [node.id, node]))
  const whole = estate.edges.filter((e) => nodes.has(e.sourceId) && nodes.has(e.targetId))
  const incident = new Map<string, CatalogEdge[]>()
  for (const edge of whole.filter((e) => walked.has(e.label)).sort(byEnds)) {
    push(incident, edge.sourceId, edge)
    if (edge.targetId !== edge.sourceId) push(incident, edge.targetId, edge)
  }
  const { tableOf, columnsOf } = indexColumns(whole, nodes)
  const containers = new Map(whole.filter((e) => e.label === 'CONTAINS').map((e) => [e.targetId, e.sourceId]))
  const groupOf = (id: string) => {
    const owner = tableOf.get(id) ?? nodes.get(id)
    const container = nodes.get(containers.get(owner?.id ?? id) ?? '')
    return container?.kind === 'Database' ? container.id : `${owner?.projectId ?? ''}/${owner?.systemId ?? ''}`
  }
  const columnsIn = new Map<string, CatalogNode[]>()
  for (const node of estate.nodes.filter((n) => n.kind === 'Column').sort(byId)) push(columnsIn, groupOf(node.id), node)
  const targetNames = new Map<string, TargetName>()
  const isColumn = (id: string) => nodes.get(id)?.kind === 'Column'
  const references = whole.filter((e) => e.label === 'REFERENCES' && isColumn(e.sourceId) && isColumn(e.targetId)).sort(byEnds)
  const timesReferenced = new Map<string, number>()
  for (const { targetId } of references) timesReferenced.set(targetId, (timesReferenced.get(targetId) ?? 0) + 1)
  return {
    node: (id) => nodes.get(id),
    incident: (id) => incident.get(id) ?? [],
    tableOf: (id) => tableOf.get(id),
    columnsOf: (id) => columnsOf.get(id) ?? [],
    groupOf,
    columnsIn: (group) => columnsIn.get(group) ?? [],
    targetName({ id, name }) {
      const known = targetNames.get(id) ?? targetName(name, tableOf.get(id)?.name ?? '')
      targetNames.set(id, known)
      return known
    },
    timesReferenced: (id) => timesReferenced.get(id) ?? 0,
    references,
  }
}

function indexColumns(edges: readonly CatalogEdge[], nodes: ReadonlyMap<string, CatalogNode>) {
  const tableOf = new Map<string, CatalogNode>()
  const columnsOf = new Map<string, CatalogNode[]>()
  for (const edge of edges) {
    if (edge.label !== 'HAS_COLUMN') continue
    tableOf.set(edge.targetId, nodes.get(edge.sourceId)!)
    push(columnsOf, edge.sourceId, nodes.get(edge.targetId)!)
  }
  for (const columns of columnsOf.values())
    columns.sort((a, b) => Number(isPrimaryKey(b)) - Number(isPrimaryKey(a)) || ordinal(a) - ordinal(b) || byId(a, b))
  return { tableOf, columnsOf }
}
