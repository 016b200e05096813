import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { localBlobs } from '../../../src/blobs/local.js'
import { buildLinkLists } from '../../../src/datasets/links/lists.js'
import {
  findDatasetVersion,
  type NewDatasetVersion,
  readDatasetBlobs,
  readDatasetRows,
  readDatasets,
  readDatasetVersion,
  readDatasetVersions,
  readRankingLists,
  saveDataset,
  saveDatasetVersion,
  saveRankingVersion,
  tagDatasetVersion,
} from '../../../src/datasets/store.js'
import { versionHash } from '../../../src/datasets/version.js'
import { readGraphChanges } from '../../../src/postgres/outbox.js'
import type { Database } from '../../../src/postgres/sql.js'
import { seeded } from '../../../src/util/random.js'
import type { JsonValue } from '../../../src/vocabulary.js'
import { freshDatabase } from '../../support/database.js'
import { smallEstate, tableId } from '../../support/small-estate.js'

let database: Database
let folder: string
let blobs: ReturnType<typeof localBlobs>
const now = new Date('2024-05-06T07:08:09.123Z')
const rows = (n: number): JsonValue[] => Array.from({ length: n }, (_, i) => ({ query_id: `q${i}`, candidates: [] }))
const save = (name: string, data: JsonValue[], more: Partial<NewDatasetVersion> = {}) =>
  saveDatasetVersion(database, blobs, { dataset: { projectId: 'demo', name, kind: 'ranking' }, rows: data, ...more }, now)

beforeAll(async () => {
  database = (await freshDatabase()).database
  folder = await mkdtemp(path.join(tmpdir(), 'espalier-datasets-'))
  blobs = localBlobs(folder)
})
afterAll(() => rm(folder, { recursive: true, force: true }))

describe('dataset versions', () => {
  it('hold ranking lists, and give them back whole', async () => {
    const { lists } = buildLinkLists(smallEstate(), { candidates: 6 }, seeded(1))
    const { version, isNew } = await saveRankingVersion(
      database,
      blobs,
      { dataset: { projectId: 'demo', name: 'keys' }, lists, provenance: { task: 'foreign-key' } },
      now,
    )
    expect(isNew).toBe(true)
    expect(version).toMatchObject({
      number: '1.0',
      rowCount: lists.length,
      kind: 'ranking',
      datasetName: 'keys',
      projectId: 'demo',
      parentId: null,
    })
    expect(version.createdAt).toEqual(now)
    expect(version.provenance).toEqual({ task: 'foreign-key' })
    expect(await readRankingLists(database, blobs, version.id)).toEqual(lists)
    expect(await readDatasetVersion(database, version.id)).toEqual(version)
  })

  it('equal data is the equal hash and the same version; other data the next number', async () => {
    const first = await save('numbers', rows(3))
    const again = await save('numbers', rows(3))
    expect(again).toEqual({ version: first.version, isNew: false })
    expect(first.version.hash).toBe(versionHash(rows(3)))
    const second = await save('numbers', rows(4))
    const third = await save('numbers', rows(5), { level: 'major' })
    expect([first, second, third].map((v) => v.version.number)).toEqual(['1.0', '1.1', '2.0'])
    expect(second.version.parentId).toBe(first.version.id)
    expect((await save('numbers', rows(3))).version.id).toBe(first.version.id)
    expect((await readDatasetVersions(database, first.version.datasetId)).map((v) => v.number)).toEqual(['2.0', '1.1', '1.0'])
  })

  it('are found by id, number, latest and tag', async () => {
    const { version: a } = await save('found', rows(1))
    const { version: b } = await save('found', rows(2))
    await tagDatasetVersion(database, a.id, 'gold')
    const find = async (reference: string) => (await findDatasetVersion(database, a.datasetId, reference)).id
    expect(await Promise.all([a.id, '1.1', 'latest', 'gold'].map(find))).toEqual([a.id, b.id, b.id, a.id])
    await tagDatasetVersion(database, b.id, 'gold')
    expect(await find('gold')).toBe(b.id)
    await expect(find('9.9')).rejects.toMatchObject({ code: 'NOT_FOUND', remedy: expect.stringContaining('1.1, 1.0') })
    await expect(readDatasetVersion(database, "x' or 1=1")).rejects.toMatchObject({ code: 'NOT_FOUND' })
    await expect(tagDatasetVersion(database, a.id, 'latest')).rejects.toMatchObject({ code: 'BAD_INPUT' })
    await expect(tagDatasetVersion(database, a.id, '1.0')).rejects.toMatchObject({ code: 'BAD_INPUT' })
  })

  it('ten writers at once get ten numbers in a row; writers of equal rows share one', async () => {
    const saved = await Promise.all(Array.from({ length: 10 }, (_, i) => save('busy', rows(i + 1))))
    expect(saved.map((s) => s.version.minor).sort((x, y) => x - y)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
    const equal = await Promise.all(Array.from({ length: 4 }, () => save('equal', rows(7))))
    expect(equal.filter((s) => s.isNew)).toHaveLength(1)
    expect(new Set(equal.map((s) => s.version.id)).size).toBe(1)
  })

  it('one made from a version that is no longer the latest is refused', async () => {
    const { version: base } = await save('edited', rows(1))
    await save('edited', rows(2), { parentId: base.id })
    await expect(save('edited', rows(3), { parentId: base.id })).rejects.toMatchObject({
      code: 'CONFLICT',
      message: expect.stringContaining('the latest is 1.1'),
    })
    expect(await readDatasetVersions(database, base.datasetId)).toHaveLength(2)
  })

  it('a flipped byte on disk is an error that names the chunk', async () => {
    const { version } = await save('broken', rows(2000))
    const before: JsonValue[] = []
    for await (const row of readDatasetRows(database, blobs, version.id)) before.push(row)
    expect(before).toEqual(rows(2000))
    const { rows: chunks } = await database.query<{ blob: string }>(
      'SELECT blob FROM dataset_chunk WHERE version_id = $1 AND ordinal = 1',
      [version.id],
    )
    const { blob } = chunks[0]!
    expect(await readDatasetBlobs(database)).toContain(blob)
    const file = path.join(folder, blob.slice(0, 2), blob)
    const bytes = await readFile(file)
    bytes[5]! ^= 1
    await writeFile(file, bytes)
    await expect(readRankingLists(database, blobs, version.id)).rejects.toMatchObject({
      code: 'CORRUPT',
      message: expect.stringContaining(`dataset "broken" 1.0: chunk 1 (blob ${blob})`),
    })
  })

  it('become nodes of the graph, derived from their tables, in the same transaction', async () => {
    const tables = [tableId('shop.orders'), tableId('shop.customers')]
    const derivedFrom = tables.map((id) => ({ tableId: id, snapshot: 's1' }))
    const { version } = await save('traced', rows(2), { derivedFrom })
    await save('traced', rows(2), { derivedFrom })
    const changes = (await readGraphChanges(database, 0, 1000)).map((c) => c.change)
    const own = changes.filter((c) => ('id' in c ? c.id : c.sourceId) === `dataset-version:${version.id}`)
    expect(own).toMatchObject([
      {
        op: 'upsert-node',
        kind: 'DatasetVersion',
        properties: { name: 'traced 1.0', hash: version.hash, row_count: 2, project_id: 'demo' },
      },
      ...tables.map((targetId) => ({ op: 'upsert-edge', label: 'DERIVED_FROM', targetId, properties: { snapshot: 's1' } })),
    ])
    expect(version.provenance).toEqual({ derived_from: tables.map((id) => ({ tableId: id, snapshot: 's1' })) })
  })

  it('a row that JSON cannot carry leaves nothing behind', async () => {
    await expect(save('never', [Number.NaN])).rejects.toMatchObject({ code: 'BAD_INPUT' })
    expect((await readDatasets(database)).map((d) => d.name)).not.toContain('never')
  })
})

describe('datasets', () => {
  it('keep their description and tags until others are given', async () => {
    const dataset = { projectId: 'demo', name: 'described', kind: 'ranking', description: 'keys', tags: ['a'] } as const
    const first = await saveDataset(database, dataset, now)
    const later = new Date(now.getTime() + 1000)
    expect(await saveDataset(database, { projectId: 'demo', name: 'described', kind: 'ranking' }, later)).toEqual(first)
    expect(await saveDataset(database, { ...dataset, tags: ['b'] }, later)).toMatchObject({
      id: first.id,
      tags: ['b'],
      description: 'keys',
      updatedAt: later,
    })
    expect((await readDatasets(database, { projectId: 'demo' })).map((d) => d.name)).toContain('described')
    expect(await readDatasets(database, { projectId: 'other' })).toEqual([])
    await database.query("UPDATE dataset SET kind = 'labeled-text' WHERE id = $1", [first.id])
    await expect(saveDataset(database, { ...dataset, description: 'new' }, later)).rejects.toMatchObject({ code: 'CONFLICT' })
    expect((await readDatasets(database)).find((d) => d.id === first.id)!.description).toBe('keys')
  })
})
