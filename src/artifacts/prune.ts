import type { BlobStore } from '../blobs/blob-store.js'
import { type BlobReferrer, type Collected, collectBlobs } from '../blobs/collect.js'
import { appendGraphChanges } from '../postgres/outbox.js'
import type { Sql } from '../postgres/sql.js'
import { artifactNodeId } from '../util/node-ids.js'
import type { Transactions } from './promotion.js'
import { deleteArtifact, readPrunable } from './prune-store.js'

export interface PruneOptions {
  /** newest artifacts of each component that are kept (default 10) */
  keep?: number
  /** days that an artifact is kept at least (default 30) */
  artifactDays?: number
  /** hours that a blob which nothing refers to is kept (default 24) */
  blobHours?: number
  /** tells what would go, and deletes nothing; blobs of artifacts that would go are not counted */
  dryRun?: boolean
  now: Date
}

export interface Pruned {
  /** ids of the artifacts that went */
  artifacts: string[]
  blobs: Collected
  dryRun: boolean
}

export interface PruneTools {
  database: Sql & Transactions
  blobs: Pick<BlobStore, 'list' | 'stat' | 'delete'>
  /** of every room that keeps blobs */
  referrers: readonly BlobReferrer[]
}

const hour = 3_600_000

/**
 * Deletes artifacts that nobody needs any more, then every blob that nothing refers to. What an alias or a release names, or what was
 * ever staged or in production, is never pruned.
 */
export async function prune({ database, blobs, referrers }: PruneTools, options: PruneOptions): Promise<Pruned> {
  const { keep = 10, artifactDays = 30, blobHours = 24, dryRun = false, now } = options
  const found = await readPrunable(database, { keep, before: new Date(now.getTime() - artifactDays * 24 * hour) })
  const artifacts: string[] = []
  for (const id of found) if (dryRun || (await removeArtifact(database, id))) artifacts.push(id)
  const before = new Date(now.getTime() - blobHours * hour)
  return { artifacts, blobs: await collectBlobs(blobs, referrers, { before, dryRun }), dryRun }
}

/** The row and its node, in one transaction. */
const removeArtifact = (database: Transactions, id: string): Promise<boolean> =>
  database.transaction(async (sql) => {
    if (!(await deleteArtifact(sql, id))) return false
    await appendGraphChanges(sql, [{ op: 'delete-node', id: artifactNodeId(id), kind: 'Artifact' }])
    return true
  })
