import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import fc from 'fast-check'
import { afterAll, describe, expect, it } from 'vitest'
import type { BlobStore } from '../../../src/blobs/blob-store.js'
import { localBlobs } from '../../../src/blobs/local.js'
import { sha256 } from '../../../src/util/hash.js'

const scratch = fs.mkdtempSync(path.join(os.tmpdir(), 'espalier-blobs-'))
afterAll(() => fs.rmSync(scratch, { recursive: true }))
let made = 0
const newFolder = () => path.join(scratch, String(made++))
const bytesOf = (text: string) => new TextEncoder().encode(text)
const listed = async (blobs: BlobStore) => {
  const all = []
  for await (const entry of blobs.list()) all.push(entry.digest)
  return all
}

/** What every adapter of the port must do; an adapter for another store gets a line here. */
describe.each([{ name: 'local', open: () => localBlobs(newFolder()) }])('BlobStore $name', ({ open }) => {
  it('gives back what was put, under its SHA-256', async () => {
    const blobs = open()
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 5_000 }), async (bytes) => {
        const digest = await blobs.put(bytes)
        expect(digest).toBe(sha256(bytes))
        expect(Buffer.compare(await blobs.get(digest), bytes)).toBe(0)
        expect(await blobs.stat(digest)).toMatchObject({ digest, bytes: bytes.length })
      }),
      { numRuns: 30 },
    )
  })
  it('takes a stream, and knows it for the same bytes', async () => {
    const blobs = open()
    async function* pieces() {
      yield bytesOf('one ')
      yield bytesOf('')
      yield bytesOf('two')
    }
    expect(await blobs.put(pieces())).toBe(await blobs.put(bytesOf('one two')))
    expect(await listed(blobs)).toEqual([sha256('one two')])
  })
  it('gives it back in pieces, and tells of what is not there', async () => {
    const blobs = open()
    const bytes = new Uint8Array(3_000_000).map((_, i) => i % 251)
    const pieces: Uint8Array[] = []
    for await (const piece of blobs.read(await blobs.put(bytes))) pieces.push(piece)
    expect(pieces.length).toBeGreaterThan(1)
    expect(Buffer.compare(Buffer.concat(pieces), bytes)).toBe(0)
    const readAll = async (digest: string) => {
      for await (const _ of blobs.read(digest));
    }
    await expect(readAll(sha256('never put'))).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })
  it('survives many puts of the same bytes at once', async () => {
    const blobs = open()
    const bytes = new Uint8Array(100_000).fill(7)
    const digests = await Promise.all(Array.from({ length: 8 }, () => blobs.put(bytes)))
    expect(new Set(digests).size).toBe(1)
    expect(await listed(blobs)).toEqual([digests[0]])
  })
  it('says what is there, deletes it, and lists in order', async () => {
    const blobs = open()
    expect(await listed(blobs)).toEqual([])
    const digests = await Promise.all(['a', 'b', 'c'].map((text) => blobs.put(bytesOf(text))))
    expect(await listed(blobs)).toEqual([...digests].sort())
    expect(await blobs.has(digests[0]!)).toBe(true)
    expect(await blobs.delete(digests[0]!)).toBe(true)
    expect(await blobs.delete(digests[0]!)).toBe(false)
    expect(await blobs.has(digests[0]!)).toBe(false)
    expect(await blobs.stat(digests[0]!)).toBeNull()
    await expect(blobs.get(digests[0]!)).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })
  it.each(['', '../../etc/passwd', 'A'.repeat(64), 'a'.repeat(63)])('refuses "%s" as a digest', async (digest) => {
    await expect(open().get(digest)).rejects.toMatchObject({ code: 'BAD_INPUT' })
  })
})

describe('local blobs on disk', () => {
  it('finds out changed bytes, and a new put mends them', async () => {
    const folder = newFolder()
    const blobs = localBlobs(folder)
    const digest = await blobs.put(bytesOf('precious'))
    fs.writeFileSync(path.join(folder, digest.slice(0, 2), digest), 'previous')
    await expect(blobs.get(digest)).rejects.toMatchObject({ code: 'CORRUPT', message: expect.stringContaining(digest) })
    const read = async () => {
      for await (const _ of blobs.read(digest));
    }
    await expect(read()).rejects.toMatchObject({ code: 'CORRUPT' })
    await blobs.put(bytesOf('precious'))
    expect(Buffer.from(await blobs.get(digest)).toString()).toBe('precious')
  })
  it('leaves nothing of a put whose source fails', async () => {
    const folder = newFolder()
    async function* failing() {
      yield bytesOf('half')
      throw new Error('source failed')
    }
    await expect(localBlobs(folder).put(failing())).rejects.toThrow('source failed')
    expect(fs.readdirSync(path.join(folder, 'incoming'))).toEqual([])
  })
  it('counts the grace period from the last put', async () => {
    const folder = newFolder()
    const blobs = localBlobs(folder)
    const digest = await blobs.put(bytesOf('again'))
    fs.utimesSync(path.join(folder, digest.slice(0, 2), digest), 1_000, 1_000)
    await blobs.put(bytesOf('again'))
    expect((await blobs.stat(digest))!.savedAt.getTime()).toBeGreaterThan(Date.now() - 60_000)
  })
})
