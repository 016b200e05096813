import { type NodeKind, nodeKinds } from '../vocabulary.js'
import { kindSlugs } from './identity.js'

/** The system that an ingest speaks for, with its keys in the ledger. */
export interface Scope {
  key: number
  /** of the project's own scope, which holds the Project node */
  projectKey: number
  projectId: string
  systemId: string
}

const kindsBySlug = new Map<string, NodeKind>(nodeKinds.map((kind) => [kindSlugs[kind], kind]))

/** The parts of a node id; null where the text is not one. */
export function partsOfId(id: string): { projectId: string; systemId: string | null; kind: NodeKind; qualifiedName: string } | null {
  const match = /^([^/:]+)(?:\/([^/:]+)(?:\/([a-z-]+):([\s\S]+))?)?$/.exec(id)
  if (!match) return null
  const [, projectId, systemId, slug, name] = match as unknown as [string, string, string?, string?, string?]
  if (systemId === undefined) return { projectId, systemId: null, kind: 'Project', qualifiedName: projectId }
  if (slug === undefined) return { projectId, systemId, kind: 'System', qualifiedName: systemId }
  const kind = kindsBySlug.get(slug)
  return kind ? { projectId, systemId, kind, qualifiedName: name! } : null
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
