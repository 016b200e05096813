import { columnTypeText } from '../column.js'
import { parseType, printType } from '../sql/type-tree.js'
import { type GleanManifest, type GleanNode, momentOf } from './decode.js'

export interface TypeDistributionOfDay {
  /** `2024-01-31` (UTC) */
  date: string
  /** columns per type; each column counts once, with the last type of the day */
  types: Record<string, number>
}

export interface TypeTransition {
  from: string
  to: string
  /** how often a column went from the one to the other between two exports */
  count: number
  /** ids of these columns, in order, 100 at most */
  columns: string[]
}

export interface ColumnTypePatterns {
  type_distributions: TypeDistributionOfDay[]
  /** by the last type of each column, the commonest first */
  common_types: { type: string; count: number }[]
  /** the commonest first */
  type_transitions: TypeTransition[]
  /** columns seen, each once */
  total_columns: number
}

const mostColumns = 100

/** The type of an exported column, normalised; `unknown` where the export does not say. */
export function exportedType({ properties }: GleanNode): string {
  const text = columnTypeText(properties) || [properties['type'], properties['dtype']].find((t) => typeof t === 'string') || ''
  const tree = parseType(text as string)
  return tree ? printType(tree) : (text as string).trim().toLowerCase() || 'unknown'
}

interface Sighting {
  column: string
  type: string
  at: number
}

const exportOf = ({ systemId, exportedAt }: Pick<GleanNode, 'systemId' | 'exportedAt'>) => `${systemId} ${exportedAt?.getTime()}`

/** What was seen when, in order of time; where a manifest tells when its export was true, that counts. */
function sightings(columns: readonly GleanNode[], manifests: readonly GleanManifest[]): Sighting[] {
  const moments = new Map(manifests.map((manifest) => [exportOf(manifest), momentOf(manifest)?.getTime()]))
  const seen = columns.flatMap((node) => {
    const exported = node.exportedAt?.getTime()
    return exported === undefined
      ? []
      : [{ column: node.id, type: exportedType(node), at: moments.get(exportOf(node)) ?? exported, exported }]
  })
  return seen.sort((a, b) => a.at - b.at || a.exported - b.exported)
}

const increment = (counts: Map<string, number>, key: string) => counts.set(key, (counts.get(key) ?? 0) + 1)

const commonest = (counts: ReadonlyMap<string, number>) =>
  [...counts].sort(([a, n], [b, m]) => m - n || (a < b ? -1 : 1)).map(([type, count]) => ({ type, count }))

function transitionsOf(seen: readonly Sighting[]): TypeTransition[] {
  const last = new Map<string, string>()
  const transitions = new Map<string, TypeTransition>()
  for (const { column, type: to } of seen) {
    const from = last.get(column)
    last.set(column, to)
    if (from === undefined || from === to) continue
    const name = JSON.stringify([from, to])
    const transition = transitions.get(name) ?? { from, to, count: 0, columns: [] }
    transition.count++
    if (transition.columns.length < mostColumns && !transition.columns.includes(column)) transition.columns.push(column)
    transitions.set(name, transition)
  }
  return [...transitions.values()].sort((a, b) => b.count - a.count || (`${a.from} ${a.to}` < `${b.from} ${b.to}` ? -1 : 1))
}

/** How the types of columns are distributed, day by day, and what became of them. The order of the columns does not matter. */
export function columnTypePatterns(columns: readonly GleanNode[], manifests: readonly GleanManifest[] = []): ColumnTypePatterns {
  const seen = sightings(columns, manifests)
  const days = new Map<string, Map<string, string>>()
  const last = new Map<string, string>()
  for (const { column, type, at } of seen) {
    const date = new Date(at).toISOString().slice(0, 10)
    const day = days.get(date) ?? new Map<string, string>()
    days.set(date, day.set(column, type))
    last.set(column, type)
  }
  const countsOf = (types: Iterable<string>) => {
    const counts = new Map<string, number>()
    for (const type of types) increment(counts, type)
    return counts
  }
  return {
    type_distributions: [...days].map(([date, types]) => ({ date, types: Object.fromEntries(commonestEntries(countsOf(types.values()))) })),
    common_types: commonest(countsOf(last.values())),
    type_transitions: transitionsOf(seen),
    total_columns: last.size,
  }
}

const commonestEntries = (counts: ReadonlyMap<string, number>) => commonest(counts).map(({ type, count }) => [type, count] as const)
