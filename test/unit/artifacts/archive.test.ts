import { execFileSync } from 'node:child_process'
import fs from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { gunzipSync } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { gzipStored, packArchive, readArchive } from '../../../src/artifacts/release/archive.js'

const mtime = new Date('2026-03-01T10:00:00.000Z')
const bytes = (text: string) => new TextEncoder().encode(text)
const file = (name: string, content: Uint8Array) => ({ path: name, read: async () => content })
async function collect(pieces: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const all: Uint8Array[] = []
  for await (const piece of pieces) all.push(piece)
  return Buffer.concat(all)
}

async function* inPieces(content: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < content.length; at += size) yield content.subarray(at, at + size)
}

describe('gzipStored', () => {
  it('is gzip, and its bytes do not depend on how the content came', async () => {
    for (const length of [0, 1, 65_534, 65_535, 65_536, 200_000]) {
      const content = Uint8Array.from({ length }, (_, i) => (i * 31) % 251)
      const packed = await collect(gzipStored(inPieces(content, 100_000)))
      expect(gunzipSync(packed).equals(Buffer.from(content))).toBe(true)
      for (const size of [1000, 65_535, 65_537]) expect((await collect(gzipStored(inPieces(content, size)))).equals(packed)).toBe(true)
    }
  })
})

describe('an archive', () => {
  const files = [file('b/z.json', bytes('{}')), file('a.txt', bytes('ä'.repeat(40_000))), file(`${'long/'.repeat(30)}x`, bytes('deep'))]

  it('has the same bytes whatever the order of its files, and others for another content, name or moment', async () => {
    const packed = await collect(packArchive(files, mtime))
    expect((await collect(packArchive([...files].reverse(), mtime))).equals(packed)).toBe(true)
    const others = [
      packArchive([...files.slice(1), file('b/z.json', bytes('[]'))], mtime),
      packArchive([...files.slice(1), file('b/y.json', bytes('{}'))], mtime),
      packArchive(files, new Date(0)),
    ]
    for (const other of others) expect((await collect(other)).equals(packed)).toBe(false)
  })

  it('comes back whole: by our reader and by tar itself', async () => {
    const packed = await collect(packArchive(files, mtime))
    const read = await readArchive(packed)
    expect([...read.keys()].sort()).toEqual(files.map((f) => f.path).sort())
    for (const { path: name, read: content } of files) expect(Buffer.from(read.get(name)!).equals(Buffer.from(await content()))).toBe(true)
    const folder = await fs.mkdtemp(path.join(os.tmpdir(), 'espalier-archive-'))
    try {
      await fs.writeFile(path.join(folder, 'p.tar.gz'), packed)
      execFileSync('tar', ['-xzf', 'p.tar.gz'], { cwd: folder })
      expect(await fs.readFile(path.join(folder, 'a.txt'), 'utf8')).toBe('ä'.repeat(40_000))
      expect((await fs.stat(path.join(folder, 'a.txt'))).mtimeMs).toBe(mtime.getTime())
    } finally {
      await fs.rm(folder, { recursive: true })
    }
  })

  it('names and contents of any kind survive', async () => {
    const name = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 40 }).filter((s) => !/[/\0\\]/.test(s) && s !== '.' && s !== '..')
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(fc.tuple(name, fc.uint8Array({ maxLength: 2000 })), { selector: ([n]) => n, minLength: 1 }),
        async (entries) => {
          const read = await readArchive(
            await collect(
              packArchive(
                entries.map(([n, c]) => file(n, c)),
                mtime,
              ),
            ),
          )
          expect(new Map([...read].map(([n, c]) => [n, [...c]]))).toEqual(new Map(entries.map(([n, c]) => [n, [...c]])))
        },
      ),
      { numRuns: 50 },
    )
  })

  it('a flipped byte of a file still lets the files be read, so that the check can name it', async () => {
    const packed = await collect(packArchive([file('a', bytes('aaaa')), file('b', bytes('bbbb'))], mtime))
    packed[packed.indexOf('bbbb')]! ^= 1
    expect(Buffer.from((await readArchive(packed)).get('b')!).toString()).toBe('cbbb')
    await expect(readArchive(bytes('this is no archive at all'))).rejects.toMatchObject({ code: 'CORRUPT' })
    await expect(readArchive(packed.subarray(0, 700))).rejects.toMatchObject({ code: 'CORRUPT' })
  })
})
