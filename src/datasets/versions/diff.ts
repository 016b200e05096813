import type { Sql } from '../../postgres/sql.js'
import { EspalierError } from '../../util/error.js'
import type { JsonValue } from '../../vocabulary.js'
import { type Chunk, type RowBlobs, readChunkRows } from '../chunks.js'
import { DigestTable } from '../records/digest-table.js'
import type { DatasetKind } from '../records/index.js'
import { rowDigest, rowId } from '../records/row-key.js'
import { expectedRows, readDatasetVersion, readVersionChunks } from '../store.js'
import { type DatasetVersion, rowHash } from '../version.js'

export type RowChange =
  | { change: 'added'; key: string; after: JsonValue }
  | { change: 'removed'; key: string; before: JsonValue }
  | { change: 'changed'; key: string; before: JsonValue; after: JsonValue }

/**
 * How one version's rows differ from another's, streamed: rows with an id are compared by it, others by their content, however often
 * each occurs; where they stand does not matter. Chunks that both versions have are not read at all. Memory: some 40 bytes a row of the
 * chunks that differ, and at most `heldRows` changed rows.
 */
export async function* diffVersions(
  sql: Sql,
  blobs: RowBlobs,
  { from, to, heldRows = 20_000 }: { from: string; to: string; heldRows?: number },
): AsyncGenerator<RowChange> {
  const [before, after] = await Promise.all([readDatasetVersion(sql, from), readDatasetVersion(sql, to)])
  if (before.kind !== after.kind)
    throw new EspalierError('BAD_INPUT', `diff: ${before.number} holds rows of the kind ${before.kind}, ${after.number} of ${after.kind}`)
  if (before.hash === after.hash) return
  const [left, right] = unshared(await readVersionChunks(sql, before.id), await readVersionChunks(sql, after.id))
  const rowsOf = (version: DatasetVersion, chunks: readonly Chunk[]) => () => readPart(blobs, version, chunks)
  yield* diffRows(before.kind, rowsOf(before, left), rowsOf(after, right), heldRows)
}

/** Chunks of each side without those that the other has too, as often as it has them. */
function unshared(left: readonly Chunk[], right: readonly Chunk[]): [Chunk[], Chunk[]] {
  const count = (chunks: readonly Chunk[]) => {
    const counts = new Map<string, number>()
    for (const { blob } of chunks) counts.set(blob, (counts.get(blob) ?? 0) + 1)
    return counts
  }
  const without = (chunks: readonly Chunk[], others: Map<string, number>) =>
    chunks.filter(({ blob }) => {
      const same = others.get(blob) ?? 0
      if (same > 0) others.set(blob, same - 1)
      return same === 0
    })
  const [ofLeft, ofRight] = [count(left), count(right)]
  return [without(left, ofRight), without(right, ofLeft)]
}

/** Rows of some of a version's chunks, each verified against its own hash. */
async function* readPart(blobs: RowBlobs, version: DatasetVersion, chunks: readonly Chunk[]): AsyncGenerator<JsonValue> {
  yield* readChunkRows(blobs, chunks, { ...expectedRows(version), hash: null })
}

const seen = 0xfffffffe

/** The same for rows that can be read twice. An id that names several rows names none: those are compared by their content. */
export async function* diffRows(
  kind: DatasetKind,
  before: () => AsyncIterable<JsonValue>,
  after: () => AsyncIterable<JsonValue>,
  heldRows = 20_000,
): AsyncGenerator<RowChange> {
  // content (of rows with an id: id and content) -> how often it was there, less how often it is there still
  const contents = new DigestTable()
  const ids = new DigestTable()
  const repeated = new DigestTable()
  for await (const row of before()) {
    const { id, digest } = marksOf(kind, row)
    contents.set(digest, (contents.get(digest) ?? 0) + 1)
    if (id !== null && !ids.add(idDigest(id)).isNew) repeated.add(idDigest(id))
  }
  if (ids.size > 0) await noteRepeated(after(), repeated)
  const isAmong = (id: string | null) => id === null || (repeated.size > 0 && repeated.get(idDigest(id)) !== undefined)
  let held = new Map<string, JsonValue>()
  for await (const row of after()) {
    const { id, digest } = marksOf(kind, row)
    const left = contents.get(digest) ?? 0
    if (left > 0) contents.set(digest, left - 1)
    if (isAmong(id)) {
      if (left === 0) yield { change: 'added', key: digest.toString('hex'), after: row }
      continue
    }
    if (ids.get(idDigest(id!)) === undefined) {
      yield { change: 'added', key: id!, after: row }
      continue
    }
    ids.set(idDigest(id!), seen)
    if (left > 0) continue
    held.set(id!, row)
    if (held.size < heldRows) continue
    yield* changedRows(before(), held)
    held = new Map()
  }
  for await (const row of before()) {
    const { id, digest } = marksOf(kind, row)
    if (!isAmong(id)) {
      if (held.has(id!)) {
        yield { change: 'changed', key: id!, before: row, after: held.get(id!)! }
        held.delete(id!)
      } else if (ids.get(idDigest(id!)) !== seen) yield { change: 'removed', key: id!, before: row }
      continue
    }
    const left = contents.get(digest)!
    if (left === 0) continue
    contents.set(digest, left - 1)
    yield { change: 'removed', key: digest.toString('hex'), before: row }
  }
}

/** A row's id, and what stands for its content: of a row with an id, for both. */
function marksOf(kind: DatasetKind, row: JsonValue): { id: string | null; digest: Buffer } {
  const id = rowId(row)
  const digest = rowDigest(kind, row)
  return { id, digest: id === null ? digest : pairDigest(id, digest) }
}

async function noteRepeated(rows: AsyncIterable<JsonValue>, repeated: DigestTable): Promise<void> {
  const known = new DigestTable()
  for await (const row of rows) {
    const id = rowId(row)
    if (id !== null && !known.add(idDigest(id)).isNew) repeated.add(idDigest(id))
  }
}

const idDigest = (id: string): Buffer => rowHash(id)
const pairDigest = (id: string, content: Buffer): Buffer => rowHash(`${id}\n${content.toString('hex')}`)

async function* changedRows(before: AsyncIterable<JsonValue>, held: Map<string, JsonValue>): AsyncGenerator<RowChange> {
  for await (const row of before) {
    const id = rowId(row)
    const after = id === null ? undefined : held.get(id)
    if (after === undefined) continue
    held.delete(id!)
    yield { change: 'changed', key: id!, before: row, after }
    if (held.size === 0) return
  }
}

/** How many rows were added, removed and changed. */
export async function countChanges(changes: AsyncIterable<RowChange>): Promise<Record<RowChange['change'], number>> {
  const counts = { added: 0, removed: 0, changed: 0 }
  for await (const { change } of changes) counts[change]++
  return counts
}
