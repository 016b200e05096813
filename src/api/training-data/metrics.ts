import { maySeeProject, type Principal } from '../../access/principal.js'
import { printLabels, readCounts, readDatasetGauges } from '../../datasets/exchange/metric-store.js'
import type { Sql } from '../../postgres/sql.js'
import type { Series } from '../http/metrics.js'

/** Counters and histograms of the work on datasets, whichever process did it. */
const counted: Readonly<Record<string, Omit<Series, 'values'>>> = {
  import_duration_seconds: { help: 'Time that imports of files took', type: 'histogram' },
  validation_duration_seconds: { help: 'Time that validations took', type: 'histogram' },
  validation_errors_total: { help: 'Issues that validations found, by rule', type: 'counter' },
  enhancement_duration_seconds: { help: 'Time that enhancements took', type: 'histogram' },
  enhancement_failures_total: { help: 'Enhancements that failed', type: 'counter' },
  format_conversion_duration_seconds: { help: 'Time that writing a version in a format took', type: 'histogram' },
}

/** Datasets as Prometheus sees them: how many, how large, how good (those that the caller may see), and what was done with all of them. */
export async function datasetSeries(sql: Sql, principal: Principal): Promise<[string, Series][]> {
  const counts = await readCounts(sql)
  const gauges = (await readDatasetGauges(sql)).filter(({ projectId }) => maySeeProject(principal, projectId))
  const kinds = new Map<string, number>()
  for (const { kind } of gauges) kinds.set(printLabels({ kind }), (kinds.get(printLabels({ kind })) ?? 0) + 1)
  const labelsOf = ({ projectId, name }: { projectId: string; name: string }) => printLabels({ project: projectId, dataset: name })
  const judged = gauges.filter((dataset) => dataset.quality !== null)
  return [
    ['training_datasets_total', { help: 'Datasets, by kind', type: 'gauge', values: kinds }],
    [
      'training_dataset_size',
      { help: 'Rows of the latest version', type: 'gauge', values: new Map(gauges.map((d) => [labelsOf(d), d.rows])) },
    ],
    [
      'training_dataset_quality',
      {
        help: 'Quality score of the latest version, once it was validated',
        type: 'gauge',
        values: new Map(judged.map((d) => [labelsOf(d), d.quality!])),
      },
    ],
    ...Object.entries(counted).map(([name, about]): [string, Series] => [
      name,
      {
        ...about,
        values: new Map(
          counts.flatMap((count) => (isOf(count.name, name) ? [[count.name.slice(name.length) + count.labels, count.value]] : [])),
        ),
      },
    ]),
  ]
}

const isOf = (sample: string, name: string): boolean =>
  sample === name || /^_(?:bucket|sum|count)$/.test(sample.startsWith(name) ? sample.slice(name.length) : '')
