import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { localBlobs } from '../../../src/blobs/local.js'
import { collectStatistics } from '../../../src/datasets/statistics/collect.js'
import { versionStatistics } from '../../../src/datasets/statistics/version-statistics.js'
import { readDatasetRows, saveDatasetVersion } from '../../../src/datasets/store.js'
import type { Database } from '../../../src/postgres/sql.js'
import { freshDatabase } from '../../support/database.js'

let database: Database
let folder: string
let blobs: ReturnType<typeof localBlobs>
const now = new Date('2024-05-06T07:08:09.123Z')
beforeAll(async () => {
  database = (await freshDatabase()).database
  folder = await mkdtemp(path.join(tmpdir(), 'espalier-statistics-'))
  blobs = localBlobs(folder)
})
afterAll(() => rm(folder, { recursive: true, force: true }))

const save = async (name: string, day: number) => {
  const rows = [0, 1, 2].map((i) => ({
    text: `text ${i}`,
    expected_intent: 'a',
    confidence: i / 2,
    created_at: `2024-01-0${day}T00:00:00.000Z`,
  }))
  const dataset = { projectId: 'demo', name, kind: 'labeled-text' as const }
  return (await saveDatasetVersion(database, blobs, { dataset, rows }, now)).version
}

it('statistics of a version are those of its rows, are read once, and are its own', async () => {
  const [first, second] = [await save('first', 1), await save('second', 2)]
  expect(second.hash).toBe(first.hash)
  const statistics = await versionStatistics(database, blobs, first, now)
  expect(statistics).toEqual(await collectStatistics(readDatasetRows(database, blobs, first.id), 'labeled-text'))
  expect(statistics.fields.find((field) => field.field === 'confidence')!.numbers!.mean).toBeCloseTo(0.5, 12)
  const made = (of: typeof statistics) => of.fields.find((field) => field.field === 'created_at')!.least
  expect([made(statistics), made(await versionStatistics(database, blobs, second, now))]).toEqual([
    '2024-01-01T00:00:00.000Z',
    '2024-01-02T00:00:00.000Z',
  ])
  await rm(folder, { recursive: true })
  expect(await versionStatistics(database, blobs, first, now)).toEqual(statistics)
})
