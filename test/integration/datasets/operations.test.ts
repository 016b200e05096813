import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { localBlobs } from '../../../src/blobs/local.js'
import { fitOperations } from '../../../src/datasets/operations/fit.js'
import { buildOperations } from '../../../src/datasets/operations/fitted.js'
import { fitDatasetOperations, operateDatasetVersion, readOperatedRows } from '../../../src/datasets/operations/operate-version.js'
import type { TableRow } from '../../../src/datasets/operations/operation.js'
import { findOperations, readOperations } from '../../../src/datasets/operations/operations-store.js'
import { findSplit, readMembership } from '../../../src/datasets/splits/split-store.js'
import { splitDatasetVersion } from '../../../src/datasets/splits/split-version.js'
import { readDatasetRows, saveDatasetVersion } from '../../../src/datasets/store.js'
import type { Database } from '../../../src/postgres/sql.js'
import type { JsonValue } from '../../../src/vocabulary.js'
import { freshDatabase } from '../../support/database.js'

let database: Database
let folder: string
let blobs: ReturnType<typeof localBlobs>
const now = new Date('2024-05-06T07:08:09.123Z')
const rows: TableRow[] = Array.from({ length: 300 }, (_, i) => ({ x: (i * 37) % 101, colour: ['red', 'green', 'blue'][i % 3]!, y: i % 2 }))
const steps = [
  { op: 'z-score', columns: ['x'] },
  { op: 'target-encode', columns: ['colour'], target: 'y' },
]
const collect = async <T>(stream: AsyncIterable<T>): Promise<T[]> => {
  const found: T[] = []
  for await (const item of stream) found.push(item)
  return found
}

async function stored(name: string, of: readonly JsonValue[]) {
  const dataset = { projectId: 'demo', name, kind: 'tabular' as const }
  const { version } = await saveDatasetVersion(database, blobs, { dataset, rows: of }, now)
  const { split } = await splitDatasetVersion(database, blobs, { versionId: version.id, options: { seed: 5 } }, now)
  return { version, split }
}

beforeAll(async () => {
  database = (await freshDatabase()).database
  folder = await mkdtemp(path.join(tmpdir(), 'espalier-operations-'))
  blobs = localBlobs(folder)
})
afterAll(() => rm(folder, { recursive: true, force: true }))

describe('steps fitted on a stored version', () => {
  it('learn from the training part alone: other rows may say what they like', async () => {
    const first = await stored('first', rows)
    const membership = await readMembership(database, first.split)
    const spoiled = rows.map((row, i) => (membership[i] === 0 ? row : { x: 1e6, colour: 'pink', y: 1 }))
    const second = await stored('second', spoiled)
    // the split is by row number, so both have the same parts
    expect(second.split.membershipHash).toBe(first.split.membershipHash)
    const fit = (versionId: string) => fitDatasetOperations(database, blobs, { versionId, steps, split: 'default' }, now)
    const [one, two] = [await fit(first.version.id), await fit(second.version.id)]
    expect(two.operations.hash).toBe(one.operations.hash)
    expect(one.operations.fitted).toEqual(await fitOperations(() => rows.filter((_, i) => membership[i] === 0), steps))
    const whole = await fitDatasetOperations(database, blobs, { versionId: second.version.id, steps, name: 'leaking' }, now)
    expect(whole.operations.hash).not.toBe(one.operations.hash)
  })

  it('are kept, read back as they were, and done to rows as at serving', async () => {
    const { version, split } = await stored('kept', rows)
    const { operations } = await fitDatasetOperations(database, blobs, { versionId: version.id, steps, split: 'default' }, now)
    const again = await fitDatasetOperations(database, blobs, { versionId: version.id, steps, split: 'default' }, now)
    expect(again).toEqual({ operations, isNew: false })
    expect(await findOperations(database, version.id, 'default')).toEqual(operations)
    const serve = buildOperations(operations.fitted)
    const done = await collect(readOperatedRows(database, blobs, operations, split))
    const membership = await readMembership(database, split)
    let trained = 0
    const expected = rows.map((row, i) => ({
      row: membership[i] === 0 ? serve(row, trained++) : serve(row),
      part: split.options.parts[membership[i]!],
    }))
    expect(done).toEqual(expected)
    await expect(
      fitDatasetOperations(database, blobs, { versionId: version.id, steps: [steps[0]], split: 'default' }, now),
    ).rejects.toMatchObject({ code: 'CONFLICT' })
    await expect(findOperations(database, version.id, 'defautl')).rejects.toMatchObject({ remedy: 'Did you mean "default"?' })
    await database.query(`UPDATE dataset_operations SET fitted = jsonb_set(fitted, '{rows}', '1') WHERE id = $1`, [operations.id])
    await expect(readOperations(database, version.id)).rejects.toMatchObject({ code: 'CORRUPT' })
  })

  it('make a version of their own, which tells where it is from', async () => {
    const { version } = await stored('source', rows)
    const made = await operateDatasetVersion(
      database,
      blobs,
      {
        versionId: version.id,
        steps: [{ op: 'filter', where: [{ field: 'colour', is: 'not-equal', value: 'blue' }] }, ...steps],
        split: 'default',
        datasetName: 'made',
      },
      now,
    )
    expect(made.version).toMatchObject({ number: '1.0', rowCount: 200, kind: 'tabular', datasetName: 'made' })
    expect(made.version.provenance).toMatchObject({
      made_from: version.id,
      operations: { hash: made.operations.hash },
      split: { id: (await findSplit(database, version.id, 'default')).id, part: 'train' },
    })
    const first = (await collect(readDatasetRows(database, blobs, made.version.id)))[0] as TableRow
    expect(typeof first['colour']).toBe('number')
  })

  it('are for tables, and for parts that there are', async () => {
    const { version } = await stored('parts', rows)
    const fit = (more: object) => fitDatasetOperations(database, blobs, { versionId: version.id, steps, ...more }, now)
    await expect(fit({ split: 'default', part: 'trian' })).rejects.toMatchObject({ code: 'BAD_INPUT', remedy: 'Did you mean "train"?' })
    await expect(fit({ split: 'none' })).rejects.toMatchObject({ code: 'NOT_FOUND' })
    const dataset = { projectId: 'demo', name: 'texts', kind: 'labeled-text' as const }
    const texts = await saveDatasetVersion(database, blobs, { dataset, rows: [{ text: 'hello' }] }, now)
    await expect(fit({ versionId: texts.version.id })).rejects.toMatchObject({ code: 'BAD_INPUT' })
  })
})
