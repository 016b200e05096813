import { entropyBits, klDivergenceBits } from '../../statistics/information.js'
import { type CanonicalType, canonicalTypes } from '../../vocabulary.js'

/** Columns per canonical type; `unclassified` counts those with a type outside the six (interval, mixed, unknown). */
export type TypeCounts = Record<CanonicalType | 'unclassified', number>

export type TypeDistribution = Record<CanonicalType, number>

/** What a healthy estate is compared with, unless a project names its own. */
export const defaultIdeal: Readonly<TypeDistribution> = { string: 0.4, number: 0.4, boolean: 0.1, date: 0.05, array: 0.03, object: 0.02 }

const idealFloor = 1e-6

export const countKeys = [...canonicalTypes, 'unclassified'] as const

export const emptyCounts = (): TypeCounts => Object.fromEntries(countKeys.map((key) => [key, 0])) as TypeCounts

/** Where a column is counted, by what the ledger stores of it ('' where no canonical type fits). */
export const countKey = (canonical: string | null): keyof TypeCounts => (canonical ? (canonical as CanonicalType) : 'unclassified')

/** The shares of the six types among the classified columns; all 0 where there are none. */
export function distributionOf(counts: TypeCounts): TypeDistribution {
  const total = canonicalTypes.reduce((sum, type) => sum + counts[type], 0)
  return Object.fromEntries(canonicalTypes.map((type) => [type, total ? counts[type] / total : 0])) as TypeDistribution
}

/** A project's ideal with every share at least 1e-6, renormalised: a divergence from it is always finite. Missing types count as 0. */
export function normalizeIdeal(ideal: Partial<TypeDistribution> = defaultIdeal): TypeDistribution {
  const total = canonicalTypes.reduce((sum, type) => sum + (ideal[type] ?? 0), 0)
  const floored = canonicalTypes.map((type) => Math.max(idealFloor, total > 0 ? (ideal[type] ?? 0) / total : 0))
  const flooredTotal = floored.reduce((a, b) => a + b, 0)
  return Object.fromEntries(canonicalTypes.map((type, i) => [type, floored[i]! / flooredTotal])) as TypeDistribution
}

export interface TypeMetrics {
  /** bits, 0 to log2 6 */
  metadata_entropy: number
  /** bits, against the ideal */
  kl_divergence: number
  /** all columns, unclassified ones included */
  column_count: number
  /** 0 to 1; 0 where there are no columns */
  unclassified_ratio: number
}

/** Entropy and divergence of the types of a set of columns; finite for every count. */
export function typeMetrics(counts: TypeCounts, ideal: TypeDistribution = normalizeIdeal()): TypeMetrics {
  const classified = canonicalTypes.map((type) => counts[type])
  const columns = classified.reduce((a, b) => a + b, 0) + counts.unclassified
  return {
    metadata_entropy: entropyBits(classified),
    // rounding can leave -1e-17 where both distributions are equal
    kl_divergence: Math.max(
      0,
      klDivergenceBits(
        classified,
        canonicalTypes.map((type) => ideal[type]),
      ),
    ),
    column_count: columns,
    unclassified_ratio: columns ? counts.unclassified / columns : 0,
  }
}

/** What is counted of an estate: columns per type, tables, views, visible edges. */
export type EstateCounts = TypeCounts & { tables: number; views: number; edges: number }
export const estateKeys = [...countKeys, 'tables', 'views', 'edges'] as const
export const emptyEstateCounts = (): EstateCounts => ({ ...emptyCounts(), tables: 0, views: 0, edges: 0 })

export interface CountEvent<Key extends string> {
  at: number
  key: Key
  /** how many more (or fewer) there are from `at` on */
  delta: number
}

/** The counts after each moment of the events (sorted by time) where they differ from before; all begin at 0. */
export function countSeries<Key extends string>(events: readonly CountEvent<Key>[], zero: Record<Key, number>) {
  const series: { at: number; counts: Record<Key, number> }[] = []
  const counts = { ...zero }
  for (let i = 0; i < events.length; ) {
    const { at } = events[i]!
    const net = new Map<Key, number>()
    for (; events[i]?.at === at; i++) net.set(events[i]!.key, (net.get(events[i]!.key) ?? 0) + events[i]!.delta)
    for (const [key, delta] of net) counts[key] += delta
    if ([...net.values()].some((delta) => delta !== 0)) series.push({ at, counts: { ...counts } })
  }
  return series
}

/** The counts in force at a time, from a series. */
export const countsAt = <Key extends string>(
  series: readonly { at: number; counts: Record<Key, number> }[],
  at: number,
  zero: Record<Key, number>,
): Record<Key, number> => series.findLast((entry) => entry.at <= at)?.counts ?? zero

/** The metrics of a project or system at a moment. */
export interface EstateMetrics extends TypeMetrics {
  /** views apart */
  table_count: number
  view_count: number
  edge_count: number
  distribution: TypeDistribution
}

export const estateMetrics = (counts: EstateCounts, ideal: TypeDistribution): EstateMetrics => ({
  ...typeMetrics(counts, ideal),
  table_count: counts.tables,
  view_count: counts.views,
  edge_count: counts.edges,
  distribution: distributionOf(counts),
})
