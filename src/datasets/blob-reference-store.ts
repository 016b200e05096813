import type { Sql } from '../postgres/sql.js'

/** Of these digests, those that a dataset version's chunks have: what a collector of blobs must keep. */
export async function readDatasetBlobs(sql: Sql, digests: readonly string[]): Promise<string[]> {
  const { rows } = await sql.query<{ blob: string }>('select distinct blob from dataset_chunk where blob = any($1)', [digests])
  return rows.map((row) => row.blob)
}
