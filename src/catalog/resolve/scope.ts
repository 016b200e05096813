import { type NodeKind, nodeKinds } from '../../vocabulary.js'
import { kindSlugs } from '../identity.js'

/** The system that an ingest speaks for, with its keys in the ledger. */
export interface Scope {
  key: number
  /** of the project's own scope, which holds the Project node */
  projectKey: number
  projectId: string
  systemId: string
}

const kindsBySlug = new Map<string, NodeKind>(nodeKinds.map((kind) => [kindSlugs[kind], kind]))

/** The parts of a node id; null where the text is not one. Without patterns: ingest asks this thrice for every column. */
export function partsOfId(id: string): { projectId: string; systemId: string | null; kind: NodeKind; qualifiedName: string } | null {
  const first = id.indexOf('/')
  const second = first < 0 ? -1 : id.indexOf('/', first + 1)
  const colon = id.indexOf(':')
  if (second < 0) return colon < 0 ? rootOfId(id, first) : null
  if (first === 0 || second === first + 1 || colon < second || colon === id.length - 1) return null
  const kind = kindsBySlug.get(id.slice(second + 1, colon))
  if (!kind) return null
  return { projectId: id.slice(0, first), systemId: id.slice(first + 1, second), kind, qualifiedName: id.slice(colon + 1) }
}

/** A project or a system is its own root. */
function rootOfId(id: string, slash: number): ReturnType<typeof partsOfId> {
  if (slash < 0) return id === '' ? null : { projectId: id, systemId: null, kind: 'Project', qualifiedName: id }
  const [projectId, systemId] = [id.slice(0, slash), id.slice(slash + 1)]
  return projectId && systemId ? { projectId, systemId, kind: 'System', qualifiedName: systemId } : null
}

/** What lies inside a thing of a kind, by the names that ids are built from: `core` holds `core.account`, which holds `core.account.id`. */
const contents: Partial<Record<NodeKind, readonly NodeKind[]>> = {
  Database: ['Table', 'View', 'Column'],
  Table: ['Column'],
  View: ['Column'],
}

/** Ids in [low, high), in the order of their bytes. */
export interface IdRange {
  low: string
  high: string
}

/**
 * The ids that go when a node is taken away by name: itself and its contents. Told from ids alone (a container's name is part of its
 * contents' names, and names that hold a dot are quoted), so that it does not matter when the contents become known.
 */
export function rangesOfRemoval(id: string): IdRange[] {
  const self = { low: id, high: `${id}\u0001` }
  const parts = partsOfId(id)
  if (!parts?.systemId) return [self]
  const prefix = (kind: NodeKind) => `${parts.projectId}/${parts.systemId}/${kindSlugs[kind]}:${parts.qualifiedName}`
  // '/' follows '.' in ASCII
  return [self, ...(contents[parts.kind] ?? []).map((kind) => ({ low: `${prefix(kind)}.`, high: `${prefix(kind)}/` }))]
}
