import type { BlobStat, BlobStore, Digest } from './blob-store.js'

/** Of the digests asked about, those that something refers to. Each room that keeps blobs has one. */
export type BlobReferrer = (digests: readonly Digest[]) => Promise<readonly Digest[]>

export interface CollectOptions {
  /** only blobs that were put last before this moment: what is being written is not yet referred to */
  before: Date
  /** counts and deletes nothing */
  dryRun?: boolean
}

export interface Collected {
  /** blobs looked at */
  blobs: number
  deleted: number
  /** of those deleted */
  bytes: number
}

const batchSize = 1000

async function unreferenced(batch: readonly BlobStat[], referrers: readonly BlobReferrer[]): Promise<BlobStat[]> {
  const digests = batch.map((blob) => blob.digest)
  const kept = new Set<Digest>()
  for (const referrer of referrers) for (const digest of await referrer(digests)) kept.add(digest)
  return batch.filter((blob) => !kept.has(blob.digest))
}

/**
 * Deletes the blobs that nothing refers to, once their grace period is over. A put of the same content begins the period anew, so a
 * writer that finds its blob there already has the whole of it to write its reference; right before a deletion both are looked at again.
 */
export async function collectBlobs(
  blobs: Pick<BlobStore, 'list' | 'stat' | 'delete'>,
  referrers: readonly BlobReferrer[],
  { before, dryRun = false }: CollectOptions,
): Promise<Collected> {
  const total: Collected = { blobs: 0, deleted: 0, bytes: 0 }
  let batch: BlobStat[] = []
  const flush = async () => {
    for (const { digest, bytes } of await unreferenced(batch, referrers)) {
      const now = await blobs.stat(digest)
      if (!now || now.savedAt >= before) continue
      if (!dryRun) {
        if ((await unreferenced([now], referrers)).length === 0) continue
        await blobs.delete(digest)
      }
      total.deleted++
      total.bytes += bytes
    }
    batch = []
  }
  for await (const blob of blobs.list()) {
    total.blobs++
    if (blob.savedAt >= before) continue
    batch.push(blob)
    if (batch.length >= batchSize) await flush()
  }
  await flush()
  return total
}
