import { EspalierError } from '../util/error.js'
import { ownMember } from '../util/record.js'
import type { Patterns } from './learn.js'
import type { PatternSet, StoredPatterns } from './store.js'

/** A number that two sets tell differently; null where a set does not tell it. */
export interface Difference {
  name: string
  before: number | null
  after: number | null
  /** after less before; null where either is */
  change: number | null
}

export interface SetComparison {
  /** totals of the summaries, those that are the same included */
  summary: Difference[]
  /** columns by type, where they differ; the largest difference first */
  columnTypes: Difference[]
  /** `from -> to`, times seen */
  transitions: Difference[]
  /** `Table -HAS_COLUMN-> Column`, edges */
  relationships: Difference[]
  /** jobs, dependencies, the longest chain */
  workflows: Difference[]
  /** means of the metrics over nodes and time */
  metrics: Difference[]
  /** changes by kind, and their rate a month */
  schemaEvolution: Difference[]
  snapshotsAdded: string[]
  snapshotsRemoved: string[]
  /** learners that only one of the sets has (sets of before lack some): theirs is not compared */
  notCompared: string[]
}

type Figures = Record<string, number | null | undefined>

function difference(name: string, before: number | null | undefined, after: number | null | undefined): Difference {
  const change = typeof before === 'number' && typeof after === 'number' ? after - before : null
  return { name, before: before ?? null, after: after ?? null, change }
}

/** All names of either, in order; `absent` is what a name that is not there stands for. */
function differences(
  before: Figures,
  after: Figures,
  { absent = null, all = false }: { absent?: number | null; all?: boolean } = {},
): Difference[] {
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])]
  const rows = names.map((name) => difference(name, ownMember(before, name) ?? absent, ownMember(after, name) ?? absent))
  if (all) return rows
  return rows
    .filter((row) => row.before !== row.after)
    .sort((a, b) => Math.abs(b.change ?? 0) - Math.abs(a.change ?? 0) || (a.name < b.name ? -1 : 1))
}

const counted = <T>(rows: readonly T[], name: (row: T) => string, value: (row: T) => number): Figures =>
  Object.fromEntries(rows.map((row) => [name(row), value(row)]))

const summaryFigures = ({ summary: s, columnPatterns: c }: StoredPatterns): Figures => ({
  ...{ nodes: s.nodes, edges: s.edges, snapshots: s.snapshots, uniqueColumnTypes: s.uniqueColumnTypes, uniqueLabels: s.uniqueLabels },
  ...{ columns: c.columns, typeChanges: c.typeChanges, nullabilityChanges: c.nullabilityChanges, columnsRemoved: c.removed },
})

const evolutionFigures = (evolution: Patterns['schemaEvolution']): Figures => ({
  ...evolution.changePatterns.distribution,
  changesPerMonth: evolution.evolutionStatistics.changesPerMonth,
  liveTables: evolution.evolutionStatistics.liveTables,
})

const workflowFigures = ({ jobs, conditions, dependencies, longestChain }: Patterns['workflowPatterns']): Figures => ({
  ...{ jobs, conditions, dependencies, longestChain: longestChain.length },
})

const metricFigures = ({ overall }: Patterns['metricsPatterns']): Figures =>
  Object.fromEntries(Object.entries(overall).map(([metric, { mean }]) => [metric, mean]))

/** What differs between two sets of one project (BAD_INPUT for two of different ones, whose numbers say nothing about each other). */
export function comparePatternSets(before: PatternSet, after: PatternSet): SetComparison {
  if (before.projectId !== after.projectId)
    throw new EspalierError('BAD_INPUT', `compare: ${before.id} and ${after.id} are of two projects, expected two sets of one`)
  const [x, y] = [before.patterns, after.patterns]
  const notCompared: string[] = []
  const both = <K extends 'workflowPatterns' | 'metricsPatterns' | 'schemaEvolution'>(
    learner: K,
    figures: (value: Patterns[K]) => Figures,
  ): Difference[] => {
    const [a, b] = [x[learner], y[learner]] as [Patterns[K] | undefined, Patterns[K] | undefined]
    if (a && b) return differences(figures(a), figures(b))
    if (a || b) notCompared.push(learner)
    return []
  }
  const transitions = ({ columnPatterns }: StoredPatterns) =>
    counted(
      columnPatterns.transitions,
      ({ from, to }) => `${from} -> ${to}`,
      ({ count }) => count,
    )
  const relationships = ({ relationshipPatterns }: StoredPatterns) =>
    counted(
      relationshipPatterns.relationships,
      ({ sourceKind, label, targetKind }) => `${sourceKind} -${label}-> ${targetKind}`,
      ({ count }) => count,
    )
  const zero = { absent: 0 }
  return {
    summary: differences(summaryFigures(x), summaryFigures(y), { all: true }),
    columnTypes: differences(x.columnPatterns.typeDistribution, y.columnPatterns.typeDistribution, zero),
    transitions: differences(transitions(x), transitions(y), zero),
    relationships: differences(relationships(x), relationships(y), zero),
    workflows: both('workflowPatterns', workflowFigures),
    metrics: both('metricsPatterns', metricFigures),
    schemaEvolution: both('schemaEvolution', evolutionFigures),
    snapshotsAdded: after.snapshotIds.filter((id) => !before.snapshotIds.includes(id)),
    snapshotsRemoved: before.snapshotIds.filter((id) => !after.snapshotIds.includes(id)),
    notCompared,
  }
}
