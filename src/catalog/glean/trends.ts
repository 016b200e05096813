import { type GleanManifest, momentOf } from './decode.js'

export interface TrendPoint {
  /** ISO-8601: when what was exported was true */
  date: string
  value: number
}

/** Metrics of a system over its exports. */
export interface InformationTheoryMetrics {
  /** bits; each list in order of time */
  metadata_entropy_trend: TrendPoint[]
  kl_divergence_trend: TrendPoint[]
  column_count_trend: TrendPoint[]
  /** over the points of each trend; null where there are none */
  averages: { metadata_entropy: number | null; kl_divergence: number | null; column_count: number | null }
  /** manifests that were read */
  sample_count: number
}

const measures = { metadata_entropy: 'metadataEntropy', kl_divergence: 'klDivergence', column_count: 'columnCount' } as const

const mean = (points: readonly TrendPoint[]): number | null =>
  points.length > 0 ? points.reduce((sum, { value }) => sum + value, 0) / points.length : null

/** The trends that manifests tell; one that lacks a value or a time has no point in that trend. */
export function informationTrends(manifests: readonly GleanManifest[]): InformationTheoryMetrics {
  const timed = manifests.flatMap((manifest) => {
    const at = momentOf(manifest)
    return at ? [{ manifest, at }] : []
  })
  timed.sort((a, b) => a.at.getTime() - b.at.getTime() || (a.manifest.exportedAt?.getTime() ?? 0) - (b.manifest.exportedAt?.getTime() ?? 0))
  const trend = (measure: keyof typeof measures): TrendPoint[] =>
    timed.flatMap(({ manifest, at }) => {
      const value = manifest[measures[measure]]
      return value === null ? [] : [{ date: at.toISOString(), value }]
    })
  const [entropy, kl, columns] = [trend('metadata_entropy'), trend('kl_divergence'), trend('column_count')]
  return {
    metadata_entropy_trend: entropy,
    kl_divergence_trend: kl,
    column_count_trend: columns,
    averages: { metadata_entropy: mean(entropy), kl_divergence: mean(kl), column_count: mean(columns) },
    sample_count: manifests.length,
  }
}
