import type { Sql } from '../../postgres/sql.js'
import type { RowBlobs } from '../chunks.js'
import { readDatasetRows } from '../store.js'
import { readReport, saveReport } from '../validation/report-store.js'
import type { DatasetVersion } from '../version.js'
import { collectStatistics, type DatasetStatistics } from './collect.js'

/** Statistics of every field of a version: read once, then found again. */
export async function versionStatistics(sql: Sql, blobs: RowBlobs, version: DatasetVersion, now: Date): Promise<DatasetStatistics> {
  // by the version itself: rows of the same hash may differ in when they were made, and that is told of too
  const options = { versionId: version.id }
  const known = await readReport<DatasetStatistics>(sql, version, 'statistics', options)
  if (known) return known
  const statistics = await collectStatistics(readDatasetRows(sql, blobs, version.id), version.kind)
  await saveReport(sql, version, 'statistics', options, statistics, now)
  return statistics
}
