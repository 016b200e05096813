import type { Sql } from '../../postgres/sql.js'

/** Upper bounds of histograms of durations, seconds. */
export const durationBuckets = [0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60, 300] as const

export interface Count {
  name: string
  /** label -> value */
  labels?: Readonly<Record<string, string>>
  value: number
}

const escaped = (value: string) => value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')

/** Labels in Prometheus' own spelling, by name. */
export const printLabels = (labels: Readonly<Record<string, string>> = {}): string => {
  const parts = Object.keys(labels)
    .sort()
    .map((name) => `${name}="${escaped(labels[name]!)}"`)
  return parts.length === 0 ? '' : `{${parts.join(',')}}`
}

/** The counts that one observed duration adds to a histogram. */
export const observed = (name: string, seconds: number, labels: Readonly<Record<string, string>> = {}): Count[] => [
  ...durationBuckets
    .filter((bound) => seconds <= bound)
    .map((bound) => ({ name: `${name}_bucket`, labels: { ...labels, le: String(bound) }, value: 1 })),
  { name: `${name}_bucket`, labels: { ...labels, le: '+Inf' }, value: 1 },
  { name: `${name}_sum`, labels, value: seconds },
  { name: `${name}_count`, labels, value: 1 },
]

/** Adds to counters, whichever process asks. Rows are locked in one order, so that two of them never wait for each other. */
export async function addCounts(sql: Sql, counts: readonly Count[]): Promise<void> {
  const sums = new Map<string, { name: string; labels: string; value: number }>()
  for (const { name, labels, value } of counts) {
    const printed = printLabels(labels)
    const sum = sums.get(name + printed) ?? { name, labels: printed, value: 0 }
    sums.set(name + printed, { ...sum, value: sum.value + value })
  }
  if (sums.size === 0) return
  const sorted = [...sums].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, sum]) => sum)
  await sql.query(
    `INSERT INTO dataset_metric AS m (name, labels, value)
     SELECT c.name, c.labels, c.value FROM jsonb_to_recordset($1::jsonb) AS c (name text, labels text, value float8)
     ON CONFLICT (name, labels) DO UPDATE SET value = m.value + excluded.value`,
    [JSON.stringify(sorted)],
  )
}

/** Every counter, by name and labels. */
export async function readCounts(sql: Sql): Promise<{ name: string; labels: string; value: number }[]> {
  const { rows } = await sql.query<{ name: string; labels: string; value: number }>(
    'SELECT name, labels, value FROM dataset_metric ORDER BY name, labels',
  )
  return rows
}

export interface DatasetGauge {
  projectId: string
  name: string
  kind: string
  rows: number
  quality: number | null
}

/** Rows and quality of the latest version of each dataset: what gauges show. */
export async function readDatasetGauges(sql: Sql): Promise<DatasetGauge[]> {
  const { rows } = await sql.query<DatasetGauge>(
    `SELECT d.project_id AS "projectId", d.name, d.kind, coalesce(v.row_count, 0) AS rows, v.quality_score AS quality
     FROM dataset d LEFT JOIN LATERAL (SELECT row_count, quality_score FROM dataset_version WHERE dataset_id = d.id
       ORDER BY major DESC, minor DESC LIMIT 1) v ON true
     ORDER BY d.project_id, d.name`,
  )
  return rows
}
