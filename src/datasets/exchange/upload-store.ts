import { randomUUID } from 'node:crypto'
import type { Sql } from '../../postgres/sql.js'
import { EspalierError } from '../../util/error.js'

/** A file that was sent ahead; its bytes are a blob. */
export interface Upload {
  id: string
  blob: string
  file: string
  bytes: number
  /** kind and id of the principal that sent it: nobody else can use it */
  owner: string
  createdAt: Date
}

const hours = 24
const columns = `id, blob, file, bytes, owner, created_at AS "createdAt"`

/** Notes a file whose blob is stored already; what is older than a day is forgotten on the way. */
export async function saveUpload(sql: Sql, upload: Omit<Upload, 'id' | 'createdAt'>, now: Date): Promise<Upload> {
  await sql.query('DELETE FROM dataset_upload WHERE created_at < $1', [oldest(now)])
  const { rows } = await sql.query<Upload>(
    `INSERT INTO dataset_upload (id, blob, file, bytes, owner, created_at) VALUES ($1, $2, $3, $4, $5, $6) RETURNING ${columns}`,
    [randomUUID(), upload.blob, upload.file, upload.bytes, upload.owner, now],
  )
  return rows[0]!
}

const oldest = (now: Date): Date => new Date(now.getTime() - hours * 3_600_000)

/** The upload of this id that `owner` sent within the last day; NOT_FOUND says no more of another's. */
export async function readUpload(sql: Sql, id: string, owner: string, now: Date): Promise<Upload> {
  const { rows } = await sql.query<Upload>(
    `SELECT ${columns} FROM dataset_upload WHERE id::text = $1 AND owner = $2 AND created_at >= $3`,
    [id.toLowerCase(), owner, oldest(now)],
  )
  if (rows[0]) return rows[0]
  throw new EspalierError('NOT_FOUND', `upload "${id.slice(0, 80)}": there is none of this id, or it is older than ${hours} hours`, {
    remedy: 'Send the file to /uploads again.',
  })
}

/** Of these digests, those that an upload of the last day has: what a collector of blobs must keep. */
export async function readUploadBlobs(sql: Sql, digests: readonly string[]): Promise<string[]> {
  const { rows } = await sql.query<{ blob: string }>(`SELECT DISTINCT blob FROM dataset_upload WHERE blob = ANY($1) AND created_at >= $2`, [
    digests,
    oldest(new Date()),
  ])
  return rows.map((row) => row.blob)
}
