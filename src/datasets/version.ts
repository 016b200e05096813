import { hash } from 'node:crypto'
import { EspalierError } from '../util/error.js'
import { canonicalJson } from '../util/hash.js'
import type { JsonValue, Properties } from '../vocabulary.js'
import type { DatasetKind } from './records/index.js'
import { rowContent } from './records/parse-row.js'
import type { Shape } from './versions/shape.js'

export { type DatasetKind, datasetKinds } from './records/index.js'

/** One kind of example under one name; its versions hold the rows. */
export interface Dataset {
  id: string
  projectId: string
  name: string
  kind: DatasetKind
  description: string
  tags: string[]
  createdBy: string
  createdAt: Date
  updatedAt: Date
  /** where the rows come from, in a word or two (a file, a system); '' when nobody said */
  source: string
  /** whatever else is known of where they come from */
  provenance: Properties
}

/** Immutable rows with a content hash: equal rows have the equal hash, wherever and whenever they were made. */
export interface DatasetVersion {
  id: string
  datasetId: string
  datasetName: string
  projectId: string
  kind: DatasetKind
  /** `major.minor`: minor for rows, major for another schema or label set */
  number: string
  major: number
  minor: number
  /** Merkle root over the ordered row hashes, lower-case hex */
  hash: string
  rowCount: number
  /** of the rows as canonical JSON */
  bytes: number
  parentId: string | null
  description: string
  provenance: Properties
  qualityScore: number | null
  validationPassed: boolean | null
  createdBy: string
  createdAt: Date
  /** label sets and columns; null of a version that was saved before shapes were kept */
  shape: Shape | null
}

// One call a digest: a hash object with updates takes twice as long, and there are three digests a row.
const digest = (bytes: string | Uint8Array): Buffer => hash('sha256', bytes, 'buffer')

/** SHA-256 of a row's canonical JSON (UTF-8). */
export const rowHash = (canonical: string): Buffer => digest(canonical)

/** The text that is hashed and stored; refuses what JSON cannot carry. */
export function canonicalRow(row: JsonValue, number: number): string {
  try {
    return canonicalJson(row)
  } catch (cause) {
    throw new EspalierError('BAD_INPUT', `dataset row ${number} holds NaN or infinity, expected values that JSON can carry`, { cause })
  }
}

/** Hash of what counts of a row (`rowContent`); `canonical` is the whole row's text, which is hashed where all of it counts. */
export function contentHash(row: JsonValue, canonical: string, kind: DatasetKind): Buffer {
  const content = rowContent(kind, row)
  return rowHash(content === row ? canonical : canonicalJson(content))
}

const scratch = Buffer.alloc(65)
/** The digest of a mark and one or two hashes. */
function branchOf(mark: 0 | 1, left: Uint8Array, right?: Uint8Array): Buffer {
  scratch[0] = mark
  scratch.set(left, 1)
  if (right) scratch.set(right, 33)
  return digest(scratch.subarray(0, right ? 65 : 33))
}
const [leaf, branch] = [0, 1] as const

/**
 * Merkle root of hashes that arrive one by one, in memory of log n (the tree of RFC 6962, section 2.1: leaves and branches are hashed
 * with different prefixes, so that no row can pass for a branch). The root of nothing is the hash of the empty string.
 */
export class MerkleRoot {
  /** whole subtrees, largest first */
  private readonly subtrees: { size: number; hash: Buffer }[] = []

  add(hash: Uint8Array): void {
    let node = { size: 1, hash: branchOf(leaf, hash) }
    while (this.subtrees.at(-1)?.size === node.size) {
      const left = this.subtrees.pop()!
      node = { size: 2 * node.size, hash: branchOf(branch, left.hash, node.hash) }
    }
    this.subtrees.push(node)
  }

  /** lower-case hex; more rows may be added afterwards */
  root(): string {
    if (this.subtrees.length === 0) return digest('').toString('hex')
    return this.subtrees
      .map((tree) => tree.hash)
      .reduceRight((right, left) => branchOf(branch, left, right))
      .toString('hex')
  }
}

/** The content hash of rows: what `saveDatasetVersion` gives their version. */
export function versionHash(rows: Iterable<JsonValue>, kind: DatasetKind = 'ranking'): string {
  const tree = new MerkleRoot()
  let number = 0
  for (const row of rows) tree.add(contentHash(row, canonicalRow(row, ++number), kind))
  return tree.root()
}
