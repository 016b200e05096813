import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type RowBlobs, readChunkRows, writeRows } from '../../../src/datasets/chunks.js'
import { MerkleRoot, rowHash, versionHash } from '../../../src/datasets/version.js'
import { EspalierError } from '../../../src/util/error.js'
import { canonicalJson } from '../../../src/util/hash.js'
import type { JsonValue } from '../../../src/vocabulary.js'

const sha = (...parts: Uint8Array[]) => createHash('sha256').update(Buffer.concat(parts)).digest()

/** The definition in RFC 6962, section 2.1, as it is written there. */
function treeHash(leaves: Uint8Array[]): Buffer {
  if (leaves.length === 0) return sha()
  if (leaves.length === 1) return sha(Buffer.of(0), leaves[0]!)
  let k = 1
  while (k * 2 < leaves.length) k *= 2
  return sha(Buffer.of(1), treeHash(leaves.slice(0, k)), treeHash(leaves.slice(k)))
}

class MemoryBlobs implements RowBlobs {
  readonly bytes = new Map<string, Uint8Array>()
  async put(bytes: Uint8Array) {
    const digest = sha(bytes).toString('hex')
    this.bytes.set(digest, bytes)
    return digest
  }
  async get(digest: string) {
    const bytes = this.bytes.get(digest)
    if (!bytes) throw new EspalierError('NOT_FOUND', 'no blob')
    if (sha(bytes).toString('hex') !== digest) throw new EspalierError('CORRUPT', 'changed')
    return bytes
  }
}

const rows = (n: number): JsonValue[] => Array.from({ length: n }, (_, i) => ({ n: i, text: `row ${i} ${'x'.repeat(i % 50)}` }))
const read = async (blobs: RowBlobs, written: Awaited<ReturnType<typeof writeRows>>) => {
  const found: JsonValue[] = []
  for await (const row of readChunkRows(blobs, written.chunks, { name: 'dataset "d" 1.0', hash: written.hash })) found.push(row)
  return found
}

describe('the version hash', () => {
  it('is the Merkle root of RFC 6962', () => {
    for (let n = 0; n <= 70; n++) {
      const leaves = Array.from({ length: n }, (_, i) => sha(Buffer.of(i)))
      const tree = new MerkleRoot()
      for (const leaf of leaves) tree.add(leaf)
      expect(tree.root()).toBe(treeHash(leaves).toString('hex'))
    }
  })

  it('depends on values and their order alone, not on the order of keys', () => {
    expect(versionHash([{ a: 1, b: [2] }])).toBe(versionHash([{ b: [2], a: 1 }]))
    expect(versionHash([1, 2])).not.toBe(versionHash([2, 1]))
    expect(versionHash([[1], [2]])).not.toBe(versionHash([[1, 2]]))
    expect(versionHash(rows(3))).toBe(treeHash(rows(3).map((r) => rowHash(canonicalJson(r)))).toString('hex'))
  })

  it('refuses what JSON cannot carry, with the row', () => {
    expect(() => versionHash([1, Number.NaN])).toThrow('dataset row 2 holds NaN or infinity')
  })
})

describe('chunks of rows', () => {
  it('give back whatever JSON was put in', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.jsonValue({ noUnicodeString: false })), async (values) => {
        const blobs = new MemoryBlobs()
        const plain = JSON.parse(JSON.stringify(values)) as JsonValue[]
        const written = await writeRows(blobs, plain)
        expect(written.rowCount).toBe(plain.length)
        expect(written.hash).toBe(versionHash(plain))
        expect(await read(blobs, written)).toEqual(plain)
      }),
      { numRuns: 50 },
    )
  })

  it('are shared by versions that differ in a few rows', async () => {
    const blobs = new MemoryBlobs()
    const before = await writeRows(blobs, rows(5000))
    const count = blobs.bytes.size
    expect(before.chunks.length).toBeGreaterThan(8)
    const edited = rows(5000)
    edited.splice(2500, 1, { n: 'changed' })
    edited.splice(1200, 0, { n: 'added' })
    const after = await writeRows(blobs, edited)
    expect(after.hash).not.toBe(before.hash)
    expect(blobs.bytes.size - count).toBeLessThanOrEqual(4)
  })

  it('that cannot be stored fail the whole, once what is under way has ended', async () => {
    for (const failing of [1, 3, 6]) {
      const blobs = new MemoryBlobs()
      let [puts, ended] = [0, 0]
      const put = async (bytes: Uint8Array) => {
        const number = ++puts
        await new Promise(setImmediate)
        ended++
        if (number === failing) throw new EspalierError('UNAVAILABLE', 'the disk is full')
        return blobs.put(bytes)
      }
      await expect(writeRows({ put, get: (digest) => blobs.get(digest) }, rows(3000))).rejects.toThrow('the disk is full')
      expect(ended).toBe(puts)
    }
  })

  it('say which one is broken', async () => {
    const blobs = new MemoryBlobs()
    const written = await writeRows(blobs, rows(2000))
    const { blob } = written.chunks[2]!
    const whole = blobs.bytes.get(blob)!
    const flipped = Uint8Array.from(whole)
    flipped[10]! ^= 1
    blobs.bytes.set(blob, flipped)
    await expect(read(blobs, written)).rejects.toMatchObject({
      code: 'CORRUPT',
      message: expect.stringContaining(`dataset "d" 1.0: chunk 2 (blob ${blob})`),
    })
    blobs.bytes.delete(blob)
    await expect(read(blobs, written)).rejects.toMatchObject({ code: 'CORRUPT', message: expect.stringContaining('the blob is gone') })
    blobs.bytes.set(blob, whole)
    const other = { ...written, chunks: written.chunks.with(2, { ...written.chunks[2]!, blob: written.chunks[1]!.blob }) }
    await expect(read(blobs, other)).rejects.toMatchObject({ message: expect.stringContaining('chunk 2') })
    await expect(read(blobs, { ...written, chunks: written.chunks.slice(1) })).rejects.toMatchObject({
      code: 'CORRUPT',
      message: expect.stringContaining('hash to'),
    })
    expect(await read(blobs, written)).toHaveLength(2000)
  })
})
