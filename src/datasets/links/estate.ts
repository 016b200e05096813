import { columnCanonical, columnOrdinal } from '../../catalog/column.js'
import type { CanonicalType, CatalogEdge, CatalogNode, EdgeLabel, NodeKind } from '../../vocabulary.js'
import { type Spelling, spellingOf } from './names.js'

/** What a catalog read gives: the nodes and edges of an estate at one moment. */
export interface Estate {
  nodes: readonly CatalogNode[]
  edges: readonly CatalogEdge[]
}

/** What lists are held out with: a database (for jobs their outermost folder), a system, or a project. */
export const groupings = ['database', 'system', 'project'] as const
export type Grouping = (typeof groupings)[number]

/** An estate with its ways laid out for tasks over links. Every order depends on the facts alone, not on the order they come in. */
export interface EstateIndex {
  node(id: string): CatalogNode | undefined
  /** edges of these labels at a node, by label (in the order given), source, target */
  incident(id: string, labels: readonly EdgeLabel[]): readonly CatalogEdge[]
  /** what it is part of: the table of a column, the database of a table, the folder of a job */
  ownerOf(id: string): CatalogNode | undefined
  /** its parts: of a table its columns, primary keys first, then by position, then by id; of a folder its jobs */
  partsOf(id: string): readonly CatalogNode[]
  groupOf(id: string, by: Grouping): string
  /** nodes of these kinds in a group, in the order of their ids */
  membersOf(group: string, by: Grouping, kinds: readonly NodeKind[]): readonly CatalogNode[]
  /** edges of a label between nodes of these kinds, in the order of source and target */
  edgesOf(label: EdgeLabel, kinds: readonly NodeKind[]): readonly CatalogEdge[]
  /** how its name and its owner's are spelled */
  spelling(node: CatalogNode): Spelling
}

const byText = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0)
const byId = (a: CatalogNode, b: CatalogNode) => byText(a.id, b.id)
const byEnds = (a: CatalogEdge, b: CatalogEdge) =>
  byText(a.sourceId, b.sourceId) || byText(a.targetId, b.targetId) || byText(a.discriminator, b.discriminator)

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

/** The value of a key, made where it is missing. */
export function remember<K, V>(known: Map<K, V>, key: K, make: () => V): V {
  const before = known.get(key)
  if (before !== undefined) return before
  const made = make()
  known.set(key, made)
  return made
}

function buildIndex(estate: Estate): EstateIndex {
  const nodes = new Map(estate.nodes.map((node) => [node.id, node]))
  const whole = estate.edges.filter((e) => nodes.has(e.sourceId) && nodes.has(e.targetId)).sort(byEnds)
  const { owners, parts } = indexParts(whole, nodes)
  const byLabel = new Map<EdgeLabel, CatalogEdge[]>()
  for (const edge of whole) remember(byLabel, edge.label, () => []).push(edge)
  const walks = new Map<string, Map<string, CatalogEdge[]>>()
  const members = new Map<string, Map<string, CatalogNode[]>>()
  const spellings = new Map<string, Spelling>()
  const groupOf = (id: string, by: Grouping) => groupName(nodes.get(id), by, owners)
  return {
    node: (id) => nodes.get(id),
    incident: (id, labels) => remember(walks, labels.join(), () => walk(labels, byLabel)).get(id) ?? [],
    ownerOf: (id) => owners.get(id),
    partsOf: (id) => parts.get(id) ?? [],
    groupOf,
    membersOf(group, by, kinds) {
      const all = remember(members, `${by} ${kinds.join()}`, () => groupNodes(estate.nodes, kinds, (id) => groupOf(id, by)))
      return all.get(group) ?? []
    },
    edgesOf: (label, kinds) =>
      (byLabel.get(label) ?? []).filter((e) => [e.sourceId, e.targetId].every((id) => kinds.includes(nodes.get(id)!.kind))),
    spelling: (node) => remember(spellings, node.id, () => spellingOf(node.name, owners.get(node.id)?.name ?? '')),
  }
}

function walk(labels: readonly EdgeLabel[], byLabel: ReadonlyMap<EdgeLabel, readonly CatalogEdge[]>): Map<string, CatalogEdge[]> {
  const incident = new Map<string, CatalogEdge[]>()
  for (const label of labels)
    for (const edge of byLabel.get(label) ?? []) {
      remember(incident, edge.sourceId, () => []).push(edge)
      if (edge.targetId !== edge.sourceId) remember(incident, edge.targetId, () => []).push(edge)
    }
  return incident
}

function groupNodes(nodes: readonly CatalogNode[], kinds: readonly NodeKind[], groupOf: (id: string) => string) {
  const groups = new Map<string, CatalogNode[]>()
  for (const node of nodes.filter((n) => kinds.includes(n.kind)).sort(byId)) remember(groups, groupOf(node.id), () => []).push(node)
  return groups
}

/** Kinds that hold a group together; a table of no database goes with its system. */
const holders: ReadonlySet<NodeKind> = new Set(['Database', 'ControlMFolder'])

function groupName(node: CatalogNode | undefined, by: Grouping, owners: ReadonlyMap<string, CatalogNode>): string {
  const { projectId, systemId } = node ?? { projectId: '', systemId: '' }
  if (by === 'project') return projectId
  let holder: string | undefined
  // A ring of folders cannot be, but an estate is what it is: each is looked at once.
  const seen = new Set<string>()
  for (let at = by === 'database' ? node : undefined; at && !seen.has(at.id); at = owners.get(at.id)) {
    seen.add(at.id)
    if (holders.has(at.kind)) holder = at.id
  }
  return holder ?? `${projectId}/${systemId}`
}

const ownership: ReadonlySet<EdgeLabel> = new Set(['HAS_COLUMN', 'CONTAINS'])
const owningKinds: ReadonlySet<NodeKind> = new Set(['Table', 'View', 'Database', 'ControlMFolder'])

function indexParts(edges: readonly CatalogEdge[], nodes: ReadonlyMap<string, CatalogNode>) {
  const owners = new Map<string, CatalogNode>()
  const parts = new Map<string, CatalogNode[]>()
  for (const { label, sourceId, targetId } of edges) {
    const owner = nodes.get(sourceId)!
    if (!ownership.has(label) || !owningKinds.has(owner.kind) || owners.has(targetId)) continue
    owners.set(targetId, owner)
    remember(parts, sourceId, () => []).push(nodes.get(targetId)!)
  }
  for (const own of parts.values())
    own.sort((a, b) => Number(isPrimaryKey(b)) - Number(isPrimaryKey(a)) || ordinal(a) - ordinal(b) || byId(a, b))
  return { owners, parts }
}
