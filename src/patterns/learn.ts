import type { CatalogEdge, CatalogNode } from '../vocabulary.js'
import {
  type ColumnEvent,
  type ColumnPatterns,
  type ColumnTypeLearning,
  emptyColumnTypes,
  learnColumnTypes,
  summarizeColumnTypes,
} from './column-types.js'
import { learnRelationships, type RelationshipPatterns } from './relationships.js'

/** What is known of a project: its columns over time, and all that holds now. */
export interface ProjectHistory {
  /** in order of time */
  events: Iterable<ColumnEvent>
  nodes: readonly CatalogNode[]
  edges: readonly CatalogEdge[]
  snapshots: readonly { id: string; observedAt: Date }[]
}

export interface Patterns {
  columnPatterns: ColumnPatterns
  relationshipPatterns: RelationshipPatterns
  summary: {
    nodes: number
    edges: number
    snapshots: number
    uniqueColumnTypes: number
    uniqueLabels: number
    /** whether there is more than one moment to compare */
    hasHistoricalData: boolean
    /** the last moment that was observed; patterns are as of then */
    asOf: string | null
    learnedAt: string
  }
}

/** Learns everything there is to learn of a project. An empty history gives zeros, never NaN. */
export function learnPatterns(history: ProjectHistory, now: Date): { patterns: Patterns; learning: ColumnTypeLearning } {
  const { events, nodes, edges, snapshots } = history
  const last = snapshots.reduce((latest, { observedAt }) => Math.max(latest, observedAt.getTime()), Number.NEGATIVE_INFINITY)
  const asOf = Number.isFinite(last) ? new Date(last) : null
  const learning = learnColumnTypes(events, emptyColumnTypes())
  const columnPatterns = summarizeColumnTypes(learning, asOf ?? now)
  const relationshipPatterns = learnRelationships(nodes, edges)
  return {
    learning,
    patterns: {
      columnPatterns,
      relationshipPatterns,
      summary: {
        nodes: nodes.length,
        edges: edges.length,
        snapshots: snapshots.length,
        uniqueColumnTypes: Object.keys(columnPatterns.typeDistribution).length,
        uniqueLabels: new Set(relationshipPatterns.relationships.map((row) => row.label)).size,
        hasHistoricalData: new Set(snapshots.map((snapshot) => snapshot.observedAt.getTime())).size > 1,
        asOf: asOf?.toISOString() ?? null,
        learnedAt: now.toISOString(),
      },
    },
  }
}
