import { contentHash } from '../../util/hash.js'
import type { EdgeLabel, NodeKind } from '../../vocabulary.js'

/** What can be taken out of the catalog. */
export type DeletionTarget =
  | { kind: 'project'; projectId: string }
  | { kind: 'system'; projectId: string; systemId: string }
  | { kind: 'snapshot'; snapshotId: string }

/** How many facts of a kind (label) of the current state come, change and go. */
export interface Turnover<Kind extends string> {
  kind: Kind
  added: number
  changed: number
  removed: number
}

/** What a deletion does to the catalog. */
export interface CatalogDeletion {
  projectId: string
  /** null for a whole project */
  systemId: string | null
  snapshots: number
  /** of the current state, by kind and by label; what does not change is left out */
  nodes: Turnover<NodeKind>[]
  edges: Turnover<EdgeLabel>[]
  /** recorded changes that go, less those that come */
  changes: number
  /** nodes of which people say something; their words go with a system or a project, and stay when a snapshot goes */
  annotatedNodes: number
  glossaryTerms: number
  /** hash of all that was there before and that the deletion could concern */
  stateBefore: string
}

/** What somebody must have seen to confirm a deletion: the hash of its preview, of the state before it included. */
export const confirmationToken = (target: DeletionTarget, preview: object): string => contentHash({ target, preview }).slice(0, 32)
