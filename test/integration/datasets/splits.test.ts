import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { localBlobs } from '../../../src/blobs/local.js'
import { planSplit } from '../../../src/datasets/splits/plan.js'
import { findSplit, readMembership } from '../../../src/datasets/splits/split-store.js'
import { partition, readSplitRows, splitDatasetVersion } from '../../../src/datasets/splits/split-version.js'
import { saveDatasetVersion } from '../../../src/datasets/store.js'
import type { DatasetVersion } from '../../../src/datasets/version.js'
import type { Database } from '../../../src/postgres/sql.js'
import type { JsonValue } from '../../../src/vocabulary.js'
import { freshDatabase } from '../../support/database.js'

let database: Database
let folder: string
let blobs: ReturnType<typeof localBlobs>
let version: DatasetVersion
const now = new Date('2024-05-06T07:08:09.123Z')
const rows: JsonValue[] = Array.from({ length: 700 }, (_, i) => ({ i, kind: i % 7 === 0 ? 'rare' : 'often' }))

beforeAll(async () => {
  database = (await freshDatabase()).database
  folder = await mkdtemp(path.join(tmpdir(), 'espalier-splits-'))
  blobs = localBlobs(folder)
  const dataset = { projectId: 'demo', name: 'numbers', kind: 'tabular' as const }
  version = (await saveDatasetVersion(database, blobs, { dataset, rows }, now)).version
})
afterAll(() => rm(folder, { recursive: true, force: true }))

const split = (name: string, options: unknown) => splitDatasetVersion(database, blobs, { versionId: version.id, name, options }, now)
const read = async (name: string, part: string) => {
  const found: JsonValue[] = []
  for await (const row of readSplitRows(database, blobs, await findSplit(database, version.id, name), part)) found.push(row)
  return found
}

describe('a stored split', () => {
  it('is what the rows in memory give, and streams its parts', async () => {
    const options = { method: 'stratified', by: 'kind', ratios: [0.7, 0.2, 0.1], seed: 4 }
    const { split: saved, isNew } = await split('main', options)
    const plan = await planSplit(rows, 'tabular', options)
    expect(isNew).toBe(true)
    expect(saved).toMatchObject({ name: 'main', counts: { train: 490, validation: 140, test: 70 }, membershipHash: plan.membershipHash })
    expect(saved.options).toEqual(plan.options)
    expect(await readMembership(database, saved)).toEqual(Buffer.from(plan.membership))
    for (const [number, part] of saved.options.parts.entries())
      expect(await read('main', part)).toEqual(rows.filter((_, i) => plan.membership[i] === number))
    const { parts } = await partition(database, version.id, 'main', rows)
    expect(parts['test']).toEqual(await read('main', 'test'))
  })

  it('is answered when it is asked for again, and never replaced', async () => {
    const first = await split('again', { seed: 1 })
    const second = await split('again', { seed: 1, ratios: [0.8, 0.1, 0.1] })
    expect([first.isNew, second.isNew]).toEqual([true, false])
    expect(second.split).toEqual(first.split)
    await expect(split('again', { seed: 2 })).rejects.toMatchObject({ code: 'CONFLICT' })
    await expect(split('a b', {})).rejects.toMatchObject({ code: 'BAD_INPUT' })
  })

  it('is made once by writers that race', async () => {
    const made = await Promise.all(Array.from({ length: 12 }, () => split('race', { seed: 3 })))
    expect(made.filter((m) => m.isNew)).toHaveLength(1)
    expect(new Set(made.map((m) => m.split.id)).size).toBe(1)
  })

  it('tells what there is when a name is wrong', async () => {
    await expect(findSplit(database, version.id, 'agian')).rejects.toMatchObject({ code: 'NOT_FOUND', remedy: 'Did you mean "again"?' })
    await expect(read('main', 'trian')).rejects.toMatchObject({ code: 'BAD_INPUT', remedy: 'Did you mean "train"?' })
  })

  it('says so when its membership was changed', async () => {
    const { split: saved } = await split('broken', { seed: 9 })
    await database.query('UPDATE dataset_split SET membership = set_byte(membership, 20, 255 - get_byte(membership, 20)) WHERE id = $1', [
      saved.id,
    ])
    await expect(readMembership(database, saved)).rejects.toMatchObject({ code: 'CORRUPT' })
    // its remedy: the same options under another name
    const { split: mended } = await split('mended', { seed: 9 })
    expect(mended.membershipHash).toBe(saved.membershipHash)
  })
})
