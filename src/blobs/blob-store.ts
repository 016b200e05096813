/** SHA-256 of the content, lower-case hex. */
export type Digest = string

export interface BlobStat {
  digest: Digest
  bytes: number
  /** last put of this content: what a collector's grace period counts from */
  savedAt: Date
}

/** The port of content-addressed bytes: equal content has one digest and is kept once; content never changes under its digest. */
export interface BlobStore {
  /** Keeps the bytes durably and returns their digest; a second put of the same bytes costs no second copy. */
  put(bytes: Uint8Array | AsyncIterable<Uint8Array>): Promise<Digest>
  /** The bytes, hashed again on the way: other bytes than were put are a CORRUPT error, absent ones NOT_FOUND. */
  get(digest: Digest): Promise<Uint8Array>
  /** The same in pieces, for what is too large to hold: CORRUPT comes after the last piece. */
  read(digest: Digest): AsyncIterable<Uint8Array>
  has(digest: Digest): Promise<boolean>
  /** null when absent */
  stat(digest: Digest): Promise<BlobStat | null>
  /** Returns false when there was nothing to delete. */
  delete(digest: Digest): Promise<boolean>
  /** Every blob, in order of digest. */
  list(): AsyncIterable<BlobStat>
}

const digestPattern = /^[0-9a-f]{64}$/
export const isDigest = (text: string): boolean => digestPattern.test(text)
