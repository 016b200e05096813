import type { Sql } from '../../postgres/sql.js'
import { contentHash } from '../../util/hash.js'
import { storableJson } from '../../util/storable.js'
import type { DatasetVersion } from '../version.js'

/** Reports of another make are made anew: raise it when rules, dimensions or the report's members change. */
const reportFormat = 2

/** digests of the modules whose rules and dimensions were added */
const siteMarks = new Set<string>()
export const markSite = (digest: string): void => {
  siteMarks.add(digest)
}

const keyOf = (options: unknown): string => contentHash([reportFormat, [...siteMarks].sort(), options])

/** A report on rows equal to these (by their hash, within the project) that was asked for with equal options; null where there is none. */
export async function readReport<T>(sql: Sql, version: DatasetVersion, report: string, options: unknown): Promise<T | null> {
  const { rows } = await sql.query<{ body: T }>(
    `SELECT r.body FROM dataset_report r JOIN dataset_version v ON v.id = r.version_id JOIN dataset d ON d.id = v.dataset_id
     WHERE v.hash = $1 AND d.project_id = $2 AND d.kind = $3 AND r.report = $4 AND r.options_hash = $5 LIMIT 1`,
    [version.hash, version.projectId, version.kind, report, keyOf(options)],
  )
  return rows[0]?.body ?? null
}

export async function saveReport(
  sql: Sql,
  version: DatasetVersion,
  report: string,
  options: unknown,
  body: unknown,
  now: Date,
): Promise<void> {
  await sql.query(
    `INSERT INTO dataset_report (version_id, report, options_hash, body, created_at) VALUES ($1, $2, $3, $4, $5)
     ON CONFLICT (version_id, report, options_hash) DO UPDATE SET body = excluded.body, created_at = excluded.created_at`,
    [version.id, report, keyOf(options), storableJson(body), now],
  )
}

/** What the version says of itself: the last validation's score and whether it passed. */
export async function saveVerdict(sql: Sql, versionId: string, verdict: { qualityScore: number; passed: boolean }): Promise<void> {
  await sql.query('UPDATE dataset_version SET quality_score = $2, validation_passed = $3 WHERE id = $1', [
    versionId,
    verdict.qualityScore,
    verdict.passed,
  ])
}
