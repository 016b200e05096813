import type { Sql } from '../postgres/sql.js'

/** Of these digests, those that an artifact or a release has, manifests included: what a collector of blobs must keep. */
export async function readArtifactBlobs(sql: Sql, digests: readonly string[]): Promise<string[]> {
  const { rows } = await sql.query<{ digest: string }>(
    `SELECT digest FROM artifact_file WHERE digest = any($1)
     UNION SELECT manifest_digest FROM artifact WHERE manifest_digest = any($1)
     UNION SELECT manifest_digest FROM artifact_release WHERE manifest_digest = any($1)`,
    [digests],
  )
  return rows.map((row) => row.digest)
}

export interface PrunePolicy {
  /** newest artifacts of each component that are kept whatever their age */
  keep: number
  /** only artifacts that were published before this moment */
  before: Date
}

/**
 * Artifacts that nobody needs: named by no alias and no release, never staged nor in production (a roll-back may lead there), not among
 * the newest of their component, and old enough. Oldest first.
 */
export async function readPrunable(sql: Sql, { keep, before }: PrunePolicy): Promise<string[]> {
  const { rows } = await sql.query<{ id: string }>(
    `SELECT id FROM (
       SELECT id, created_at, row_number() OVER (PARTITION BY component ORDER BY created_at DESC, id DESC) AS place FROM artifact
     ) a
     WHERE place > $1 AND created_at < $2
       AND NOT EXISTS (SELECT 1 FROM artifact_alias l WHERE l.artifact_id = a.id)
       AND NOT EXISTS (SELECT 1 FROM artifact_release_component c WHERE c.artifact_id = a.id)
       AND NOT EXISTS (SELECT 1 FROM artifact_promotion p WHERE p.artifact_id = a.id AND p.alias <> 'latest')
     ORDER BY created_at, id`,
    [keep, before],
  )
  return rows.map((row) => row.id)
}

/**
 * Deletes an artifact and its files' rows; false when it is not there, or was promoted or released meanwhile (its rows are locked first,
 * and a reference to them would wait or fail).
 */
export async function deleteArtifact(sql: Sql, id: string): Promise<boolean> {
  const { rowCount } = await sql.query(
    `DELETE FROM artifact a WHERE id = (SELECT id FROM artifact WHERE id = $1 FOR UPDATE)
       AND NOT EXISTS (SELECT 1 FROM artifact_alias l WHERE l.artifact_id = a.id)
       AND NOT EXISTS (SELECT 1 FROM artifact_release_component c WHERE c.artifact_id = a.id)`,
    [id],
  )
  await sql.query('DELETE FROM artifact_package WHERE subject_id = $1', [id])
  return rowCount === 1
}
