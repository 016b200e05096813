import { createHash } from 'node:crypto'
import { type ExampleKind, exampleKinds } from '../models/model.js'
import { EspalierError } from '../util/error.js'
import { canonicalJson } from '../util/hash.js'
import type { JsonValue, Properties } from '../vocabulary.js'

/** What a row is: a ranking list, or a graph of which a node, a label or a sequence is asked. */
export const datasetKinds = exampleKinds
export type DatasetKind = ExampleKind

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
}

const digest = (...parts: Uint8Array[]): Buffer => {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(part)
  return hash.digest()
}

/** SHA-256 of a row's canonical JSON (UTF-8). */
export const rowHash = (canonical: string): Buffer => digest(Buffer.from(canonical))

/** The text that is hashed and stored; refuses what JSON cannot carry. */
export function canonicalRow(row: JsonValue, number: number): string {
  try {
    return canonicalJson(row)
  } catch (cause) {
    throw new EspalierError('BAD_INPUT', `dataset row ${number} holds NaN or infinity, expected values that JSON can carry`, { cause })
  }
}

const [leaf, branch] = [Buffer.of(0), Buffer.of(1)]

/**
 * Merkle root of hashes that arrive one by one, in memory of log n (the tree of RFC 6962, section 2.1: leaves and branches are hashed
 * with different prefixes, so that no row can pass for a branch). The root of nothing is the hash of the empty string.
 */
export class MerkleRoot {
  /** whole subtrees, largest first */
  private readonly subtrees: { size: number; hash: Buffer }[] = []

  add(hash: Uint8Array): void {
    let node = { size: 1, hash: digest(leaf, hash) }
    while (this.subtrees.at(-1)?.size === node.size) {
      const left = this.subtrees.pop()!
      node = { size: 2 * node.size, hash: digest(branch, left.hash, node.hash) }
    }
    this.subtrees.push(node)
  }

  /** lower-case hex; more rows may be added afterwards */
  root(): string {
    if (this.subtrees.length === 0) return digest().toString('hex')
    return this.subtrees
      .map((tree) => tree.hash)
      .reduceRight((right, left) => digest(branch, left, right))
      .toString('hex')
  }
}

/** The content hash of rows: what `saveDatasetVersion` gives their version. */
export function versionHash(rows: Iterable<JsonValue>): string {
  const tree = new MerkleRoot()
  let number = 0
  for (const row of rows) tree.add(rowHash(canonicalRow(row, ++number)))
  return tree.root()
}
