import type { CatalogEdge, CatalogNode, EdgeLabel, NodeKind } from '../../vocabulary.js'
import type { EstateIndex, Grouping } from '../links/estate.js'

/** Names of the tasks; `tasks` (index.ts) has what each of them is. */
export const linkTaskNames = ['foreign-key', 'lineage', 'dependency'] as const
export type LinkTaskName = (typeof linkTaskNames)[number]

/** Column to column, or table to table. */
export const linkLevels = ['column', 'table'] as const
export type LinkLevel = (typeof linkLevels)[number]

/** The part of a feature spec that says what is asked and what may be known of it. */
export interface LinkQuestion {
  task: LinkTaskName
  level: LinkLevel
  group: Grouping
  knownLinks: 'others' | 'none'
}

/**
 * One kind of link that a model learns to find: from a source node (the query) to one of many possible targets (the candidates). All that
 * the tasks share (lists, negatives, features, the encoder) asks this for what is their own.
 */
export interface LinkTask {
  readonly name: LinkTaskName
  /** what a ranker of this task is published as, unless told otherwise */
  readonly component: string
  readonly description: string
  /** the edges it learns from, source to target */
  readonly label: EdgeLabel
  /** kinds of node at either end */
  kinds(level: LinkLevel): readonly NodeKind[]
  /** edges that candidate graphs are made of, in the order of their types */
  readonly walked: readonly EdgeLabel[]
  /** edges that are unknown where no link of this kind is (`knownLinks: 'none'`) */
  readonly unknown: readonly EdgeLabel[]
  /**
   * `others`: one link is missing from an estate that knows the rest; `none`: no such link is known at all. Where hiding one link leaves a
   * gap that others have not (a view without a source), only `none` tells nothing of the answer.
   */
  readonly knownByDefault: 'others' | 'none'
  /** relevance of a target that this edge leads to; 1 for what was declared */
  grade(edge: CatalogEdge): number
  /**
   * The edges that would give a link of `sourceId` away: the link itself, its mirror, and all that was read from the same statement. They
   * are hidden when a model is asked as when it was taught.
   */
  hidden(index: EstateIndex, sourceId: string): Set<CatalogEdge>
  /**
   * The best rule of thumb for a pair, higher is likelier. Hard negatives and recall go by it, a model sees it as one feature of many, and it
   * is one of the baselines that a model is measured against.
   */
  readonly rule: PairScore
  /** features of a pair beyond names and kinds: what else the estate says of it */
  readonly evidence: readonly Evidence[]
  /** what to do where an estate has no such link */
  readonly remedy: string
}

/** What evidence may look at: the estate without what is hidden. */
export interface Known {
  index: EstateIndex
  /** visible edges of these labels at a node */
  edges(id: string, labels: readonly EdgeLabel[]): readonly CatalogEdge[]
}

/** A number for a pair of query and candidate. */
export type PairScore = (query: CatalogNode, node: CatalogNode, known: Known) => number

export interface Evidence {
  name: string
  of: PairScore
}

/** The other end of an edge. */
export const otherEnd = ({ sourceId, targetId }: CatalogEdge, id: string): string => (sourceId === id ? targetId : sourceId)
