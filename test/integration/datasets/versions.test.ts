import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { Readable } from 'node:stream'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { localBlobs } from '../../../src/blobs/local.js'
import { enhanceVersion } from '../../../src/datasets/enhancement/enhance-version.js'
import { readDataset } from '../../../src/datasets/exchange/dataset-store.js'
import { importDataset } from '../../../src/datasets/exchange/import.js'
import { datasetGraph } from '../../../src/datasets/graph-store.js'
import { readSplits } from '../../../src/datasets/splits/split-store.js'
import { splitDatasetVersion } from '../../../src/datasets/splits/split-version.js'
import { versionStatistics } from '../../../src/datasets/statistics/version-statistics.js'
import {
  findDatasetVersion,
  type NewDatasetVersion,
  readDatasetRows,
  readDatasets,
  readDatasetVersion,
  readDatasetVersions,
  readVersionChunks,
  saveDatasetVersion,
} from '../../../src/datasets/store.js'
import { validateVersion } from '../../../src/datasets/validation/validate-version.js'
import { createVersionFrom } from '../../../src/datasets/versions/derive.js'
import { countChanges, diffVersions } from '../../../src/datasets/versions/diff.js'
import { editExamples } from '../../../src/datasets/versions/edit.js'
import { restoreVersion } from '../../../src/datasets/versions/restore-store.js'
import { readGraphChanges } from '../../../src/postgres/outbox.js'
import type { Database, Sql } from '../../../src/postgres/sql.js'
import type { JsonValue, Properties } from '../../../src/vocabulary.js'
import { freshDatabase } from '../../support/database.js'

let database: Database
let folder: string
let blobs: ReturnType<typeof localBlobs>
const now = new Date('2024-05-06T07:08:09.123Z')
const texts = (n: number, more: Properties = {}): Properties[] =>
  Array.from({ length: n }, (_, i) => ({
    id: `r${i}`,
    text: `text number ${i}`,
    expected_intent: i % 2 ? 'odd' : 'even',
    expected_sentiment: 'ok',
    ...more,
  }))
const save = async (name: string, rows: JsonValue[], more: Partial<NewDatasetVersion> = {}) =>
  (await saveDatasetVersion(database, blobs, { dataset: { projectId: 'demo', name, kind: 'labeled-text' }, rows, ...more }, now)).version
const rowsOf = async (versionId: string): Promise<Properties[]> => {
  const rows: Properties[] = []
  for await (const row of readDatasetRows(database, blobs, versionId)) rows.push(row as Properties)
  return rows
}
const blobCount = async () => (await readdir(folder, { recursive: true })).filter((file) => /[0-9a-f]{64}$/.test(file)).length

beforeAll(async () => {
  database = (await freshDatabase()).database
  folder = await mkdtemp(path.join(tmpdir(), 'espalier-versions-'))
  blobs = localBlobs(folder)
})
afterAll(() => rm(folder, { recursive: true, force: true }))

describe('editing', () => {
  it('adds, changes and removes rows as a minor version of the same parent line', async () => {
    const first = await save('edited', texts(5))
    const { version, added, changed, removed, isNew } = await editExamples(
      database,
      blobs,
      {
        versionId: first.id,
        add: [{ id: 'new', text: 'one more text', expected_intent: 'even', expected_sentiment: 'ok' }],
        change: { r1: { text: 'another text', expected_sentiment: null } },
        remove: ['r0'],
        createdBy: 'ann',
      },
      now,
    )
    expect({ added, changed, removed, isNew }).toEqual({ added: 1, changed: 1, removed: 1, isNew: true })
    expect(version).toMatchObject({ number: '1.1', parentId: first.id, rowCount: 5, createdBy: 'ann' })
    const rows = await rowsOf(version.id)
    expect(rows.map(({ id }) => id)).toEqual(['r1', 'r2', 'r3', 'r4', 'new'])
    expect(rows[0]).toMatchObject({ text: 'another text', expected_intent: 'odd' })
    expect(rows[0]).not.toHaveProperty('expected_sentiment')
    expect(await rowsOf(first.id)).toEqual(texts(5))
    expect(await countChanges(diffVersions(database, blobs, { from: first.id, to: version.id }))).toEqual({
      added: 1,
      changed: 1,
      removed: 1,
    })
  })

  it('is a major version where the label set is another then, and a new one where it goes back', async () => {
    const first = await save('labels', texts(4))
    const label = (id: string, expected_intent: string) =>
      editExamples(database, blobs, { versionId: id, change: { r0: { expected_intent } } }, now)
    const { version: third } = await label(first.id, 'third')
    expect(third).toMatchObject({ number: '2.0', shape: { labels: { intent: ['even', 'odd', 'third'], sentiment: ['ok'] } } })
    const { version: back } = await label(third.id, 'even')
    expect(back.number).toBe('3.0')
    expect((await findDatasetVersion(database, first.datasetId, 'latest')).id).toBe(back.id)
    expect((await rowsOf(back.id))[0]).toEqual({ ...texts(1)[0], confidence: 1, expected_entities: [], metadata: {}, source: 'import' })
  })

  it('names rows without id by their content, and refuses keys and rows that do not fit as a whole', async () => {
    const plain = texts(3).map(({ id: _, ...row }) => row)
    const first = await save('nameless', plain)
    const keys: string[] = []
    const empty = await save('nameless empty', [])
    for await (const { key } of diffVersions(database, blobs, { from: empty.id, to: first.id })) keys.push(key)
    const { version } = await editExamples(database, blobs, { versionId: first.id, remove: [keys[1]!] }, now)
    expect((await rowsOf(version.id)).map(({ text }) => text)).toEqual(['text number 0', 'text number 2'])
    const before = await readDatasetVersions(database, first.datasetId)
    await expect(editExamples(database, blobs, { versionId: version.id, remove: ['nobody'] }, now)).rejects.toMatchObject({
      code: 'BAD_INPUT',
      problems: [{ code: 'no-such-row', where: 'nobody' }],
    })
    await expect(editExamples(database, blobs, { versionId: version.id, add: [{ text: 1 }] }, now)).rejects.toMatchObject({
      problems: [{ code: 'wrong-type', where: 'add[0].text' }],
    })
    await expect(
      editExamples(database, blobs, { versionId: version.id, change: { [keys[0]!]: { expected_intnt: 'x' } } }, now),
    ).rejects.toMatchObject({ problems: [{ severity: 'error', code: 'unknown-field', suggestion: 'Did you mean "expected_intent"?' }] })
    expect(await readDatasetVersions(database, first.datasetId)).toEqual(before)
    await expect(editExamples(database, blobs, { versionId: first.id, add: [] }, now)).rejects.toMatchObject({
      code: 'CONFLICT',
      remedy: expect.stringContaining('read the latest'),
    })
  })

  it('refuses an id that is, or becomes, that of several rows', async () => {
    const double = { ...texts(1)[0]!, text: 'another text' }
    const first = await save('doubles', [...texts(2), double])
    const refusal = (edits: object) =>
      editExamples(database, blobs, { versionId: first.id, ...edits }, now).then(
        () => null,
        (error) => error.problems.map((p: { code: string; where: string }) => [p.code, p.where]),
      )
    expect(await refusal({ remove: ['r0'] })).toEqual([['repeated-id', 'r0']])
    expect(await refusal({ change: { r0: { text: 'x' } } })).toEqual([['repeated-id', 'r0']])
    expect(await refusal({ add: [{ id: 'r1', text: 'y' }] })).toEqual([['repeated-id', 'add[0]']])
    const fresh = { id: 'new', text: 'z' }
    expect(await refusal({ add: [fresh, fresh] })).toEqual([['repeated-id', 'add[1]']])
    const { version } = await editExamples(database, blobs, { versionId: first.id, remove: ['r1'], add: [{ id: 'r1', text: 'y' }] }, now)
    expect((await rowsOf(version.id)).map(({ id, text }) => [id, text])).toEqual([
      ['r0', 'text number 0'],
      ['r0', 'another text'],
      ['r1', 'y'],
    ])
  })
})

describe('what is done alongside', () => {
  it('is in the transaction of the save: what it throws leaves nothing of either', async () => {
    const first = await save('alongside', texts(3))
    const before = await readDatasetVersions(database, first.datasetId)
    const alongside = async (client: Sql): Promise<never> => {
      await client.query("INSERT INTO audit_log (actor, action, subject) VALUES ('ann', 'dataset-modified', 'alongside')")
      throw new Error('no audit')
    }
    const deeds: (() => Promise<unknown>)[] = [
      () => editExamples(database, blobs, { versionId: first.id, remove: ['r0'], alongside }, now),
      () => createVersionFrom(database, blobs, { sourceId: first.id, modifications: { drop: ['r0'] }, alongside }, now),
      () => enhanceVersion(database, blobs, { versionId: first.id, options: { enrich: {} }, alongside }, now),
      () => restoreVersion(database, { versionId: first.id, alongside }, now),
      () => validateVersion(database, blobs, { versionId: first.id, alongside }, now),
      () => splitDatasetVersion(database, blobs, { versionId: first.id, alongside }, now),
      () =>
        importDataset(database, blobs, {
          dataset: { projectId: 'demo', name: 'alongside', kind: 'labeled-text' },
          source: Readable.from([Buffer.from('{"text":"hello there"}')]),
          file: 'a.jsonl',
          now,
          alongside,
        }),
    ]
    for (const deed of deeds) await expect(deed()).rejects.toThrow('no audit')
    expect(await readDatasetVersions(database, first.datasetId)).toEqual(before)
    expect(await readSplits(database, first.id)).toEqual([])
    expect((await database.query("SELECT 1 FROM audit_log WHERE subject = 'alongside'")).rowCount).toBe(0)
  })

  it('leaves a dataset that says when its newest version was made', async () => {
    const { datasetId, id } = await save('dated', texts(2))
    const later = new Date('2024-06-01T00:00:00Z')
    await editExamples(database, blobs, { versionId: id, remove: ['r0'] }, later)
    expect(await readDataset(database, datasetId)).toMatchObject({ createdAt: now, updatedAt: later })
    const latest = new Date('2024-07-01T00:00:00Z')
    await restoreVersion(database, { versionId: id }, latest)
    expect((await readDataset(database, datasetId)).updatedAt).toEqual(latest)
  })
})

describe('texts that Postgres cannot keep', () => {
  it('are rows all the same, and told of with a mark in their place', async () => {
    const odd = { text: 'half \ud800 and nul \u0000 here', expected_intent: 'a\u0000b', expected_sentiment: '\udc00' }
    const version = await save('odd', [odd], { description: 'x\u0000y' })
    expect(version).toMatchObject({ description: 'x\ufffdy', shape: { labels: { intent: ['a\ufffdb'], sentiment: ['\ufffd'] } } })
    expect(await rowsOf(version.id)).toEqual([odd])
    const { report } = await validateVersion(database, blobs, { versionId: version.id }, now)
    expect(report.total).toBe(1)
    expect((await versionStatistics(database, blobs, version, now)).rows).toBe(1)
    expect((await validateVersion(database, blobs, { versionId: version.id }, now)).cached).toBe(true)
  })
})

describe('racing writers', () => {
  it('200 at once take 200 numbers in a row; of 200 that edit one version, one wins and the others are told', async () => {
    const saved = await Promise.all(Array.from({ length: 200 }, (_, i) => save('race', texts(2, { metadata: { i } }))))
    expect(saved.map((version) => version.minor).sort((a, b) => a - b)).toEqual(Array.from({ length: 200 }, (_, i) => i))
    const parent = await save('contest', texts(2))
    const edits = await Promise.allSettled(
      Array.from({ length: 200 }, (_, i) =>
        editExamples(database, blobs, { versionId: parent.id, change: { r0: { text: `writer ${i}` } } }, now),
      ),
    )
    const lost = edits.flatMap((edit) => (edit.status === 'rejected' ? [edit.reason] : []))
    expect(lost).toHaveLength(199)
    expect(new Set(lost.map((error) => error.code))).toEqual(new Set(['CONFLICT']))
    expect((await readDatasetVersions(database, parent.datasetId)).map((version) => version.number)).toEqual(['1.1', '1.0'])
  })
})

describe('versions made of others', () => {
  it('are mapped, filtered, dropped, merged and sampled, and say of what', async () => {
    const source = await save('source', texts(20, { confidence: 0.9 }))
    const other = await save('other', texts(22, { confidence: 0.9 }))
    const modifications = {
      merge: [other.id],
      filter: [{ field: 'expected_intent', is: 'equal' as const, value: 'even' }],
      drop: ['r2'],
      intent_mapping: { even: 'straight' },
      confidence_adjustment: 0.5,
    }
    const { version } = await createVersionFrom(database, blobs, { sourceId: source.id, modifications, name: 'derived' }, now)
    const rows = await rowsOf(version.id)
    expect(rows.map(({ id }) => id)).toEqual(['r0', 'r4', 'r6', 'r8', 'r10', 'r12', 'r14', 'r16', 'r18', 'r20'])
    expect(rows.every((row) => row['expected_intent'] === 'straight' && row['confidence'] === 1)).toBe(true)
    expect(version).toMatchObject({ number: '1.0', datasetName: 'derived', provenance: { made_from: source.id, modifications } })
    const sample = (seed: number) =>
      createVersionFrom(database, blobs, { sourceId: source.id, modifications: { sample: { size: 6, seed } } }, now)
    const [one, same, two] = [await sample(1), await sample(1), await sample(2)]
    expect([one.version.rowCount, two.version.rowCount, same.version.id]).toEqual([6, 6, one.version.id])
    expect(one.version.hash).not.toBe(two.version.hash)
    const tabular = await saveDatasetVersion(
      database,
      blobs,
      { dataset: { projectId: 'demo', name: 'table', kind: 'tabular' }, rows: [{ a: 1 }] },
      now,
    )
    const merging = (id: string) => createVersionFrom(database, blobs, { sourceId: source.id, modifications: { merge: [id] } }, now)
    await expect(merging(tabular.version.id)).rejects.toMatchObject({ code: 'BAD_INPUT' })
    await expect(
      createVersionFrom(database, blobs, { sourceId: source.id, modifications: { sampel: 1 } as never }, now),
    ).rejects.toMatchObject({ code: 'BAD_INPUT' })
  })

  it('restored are a new version equal to the old one, with its chunks and its place in the graph', async () => {
    const first = await save('restored', texts(2000))
    const second = await save('restored', texts(10))
    const before = await blobCount()
    const { version, isNew } = await restoreVersion(database, { versionId: first.id, createdBy: 'ann' }, now)
    expect(isNew).toBe(true)
    expect(version).toMatchObject({
      number: '1.2',
      hash: first.hash,
      rowCount: 2000,
      parentId: second.id,
      provenance: { restored: first.id },
      createdBy: 'ann',
    })
    expect(await rowsOf(version.id)).toEqual(texts(2000))
    expect(await blobCount()).toBe(before)
    expect(await restoreVersion(database, { versionId: first.id }, now)).toEqual({ version, isNew: false })
    const changes = (await readGraphChanges(database, 0, 10_000)).map(({ change }) => change)
    const sourceOf = (change: object) => ('id' in change ? change.id : 'sourceId' in change ? change.sourceId : null)
    expect(changes.filter((change) => sourceOf(change) === `dataset-version:${version.id}`)).toMatchObject([
      { op: 'upsert-node', kind: 'DatasetVersion', properties: { number: '1.2' } },
      { op: 'upsert-edge', label: 'DERIVED_FROM', targetId: `dataset-version:${first.id}`, properties: { how: 'restored' } },
    ])
  })

  it('go on saying what is true of their rows, and each of what it was made itself', async () => {
    const tables = [{ tableId: 'bank/hive/table:core.account', snapshot: 's1' }]
    const first = await save('inheriting', texts(4), { provenance: { task: 'intents', required_labels: ['intent'] }, derivedFrom: tables })
    const { version: second } = await editExamples(database, blobs, { versionId: first.id, remove: ['r0'] }, now)
    const { version: third } = await enhanceVersion(database, blobs, { versionId: second.id, options: { enrich: {} } }, now)
    const { version: fourth } = await createVersionFrom(database, blobs, { sourceId: third!.id, modifications: { drop: ['r1'] } }, now)
    const { version: fifth } = await restoreVersion(database, { versionId: second.id }, now)
    const lasting = { task: 'intents', required_labels: ['intent'], derived_from: tables }
    expect(second.provenance).toEqual({ ...lasting, edited: first.id })
    expect(third!.provenance).toEqual({ ...lasting, enhanced: second.id, steps: expect.anything() })
    expect(fourth.provenance).toEqual({ ...lasting, made_from: third!.id, modifications: expect.anything() })
    expect(fifth.provenance).toEqual({ ...lasting, restored: second.id })
    const told = (await readGraphChanges(database, 0, 100_000)).flatMap(({ change }) =>
      change.op === 'upsert-edge' && change.sourceId === `dataset-version:${fourth.id}` ? [change.targetId] : [],
    )
    expect(told).toEqual(['bank/hive/table:core.account', `dataset-version:${third!.id}`])
  })

  it('come back into the graph with their lineage, nodes before the edges between them', async () => {
    const source = await save('ancestor', texts(3))
    const { version } = await createVersionFrom(
      database,
      blobs,
      { sourceId: source.id, modifications: { drop: ['r0'] }, name: 'descendant' },
      now,
    )
    const told: string[] = []
    for await (const changes of datasetGraph(database))
      for (const change of changes)
        told.push('id' in change ? change.id : 'sourceId' in change ? `${change.sourceId} of ${change.targetId}` : '')
    const [from, to] = [`dataset-version:${version.id}`, `dataset-version:${source.id}`]
    expect(told.indexOf(`${from} of ${to}`)).toBeGreaterThan(Math.max(told.indexOf(from), told.indexOf(to)))
    expect(told.filter((node) => node === from)).toHaveLength(1)
  })

  it('of 5,000 rows and 100 more store only the chunks that are new', async () => {
    const first = await save('grown', texts(5000))
    const before = await blobCount()
    const second = await save('grown', [...texts(5000), ...texts(5100).slice(5000)])
    expect(second.rowCount).toBe(5100)
    const [old, grown] = [await readVersionChunks(database, first.id), await readVersionChunks(database, second.id)]
    const known = new Set(old.map(({ blob }) => blob))
    const fresh = grown.filter(({ blob }) => !known.has(blob))
    expect(await blobCount()).toBe(before + fresh.length)
    expect(fresh.reduce((sum, { rowCount }) => sum + rowCount, 0)).toBeLessThan(100 + 2 * 1024)
    expect(old.length).toBeGreaterThan(8)
    expect(await countChanges(diffVersions(database, blobs, { from: first.id, to: second.id }))).toEqual({
      added: 100,
      changed: 0,
      removed: 0,
    })
  })

  it('whose bytes were flipped on disk are not read: the error names the chunk, for rows with times too', async () => {
    const version = await save('flipped', texts(2000, { created_at: '2024-01-01T00:00:00Z' }))
    const { blob } = (await readVersionChunks(database, version.id))[1]!
    const file = path.join(folder, blob.slice(0, 2), blob)
    const bytes = await readFile(file)
    for (const at of [0, 7, bytes.length - 1]) {
      const flipped = Buffer.from(bytes)
      flipped[at]! ^= 0x10
      await writeFile(file, flipped)
      await expect(rowsOf(version.id)).rejects.toMatchObject({
        code: 'CORRUPT',
        message: expect.stringContaining(`"flipped" 1.0: chunk 1 (blob ${blob})`),
      })
    }
    await writeFile(file, bytes)
    expect(await rowsOf(version.id)).toHaveLength(2000)
  })
})

describe('times and random ids', () => {
  it('are kept, and are no part of the hash', async () => {
    const made = (day: number) =>
      texts(3).map((row, i) => ({ ...row, id: `00000000-0000-4000-8000-00000000${day}00${i}`, created_at: `2024-01-0${day}` }))
    const first = await save('times', made(1))
    expect((await save('times', made(2))).id).toBe(first.id)
    expect((await rowsOf(first.id)).map((row) => row['created_at'])).toEqual(['2024-01-01', '2024-01-01', '2024-01-01'])
  })
})

describe('provenance of a dataset', () => {
  it('says where the rows come from, until something else is said', async () => {
    const dataset = { projectId: 'demo', name: 'sourced', kind: 'labeled-text' as const }
    await save('sourced', texts(1), { dataset: { ...dataset, source: 'support chats', provenance: { from: '2024-01' } } })
    await save('sourced', texts(2), { dataset })
    const found = (await readDatasets(database, { projectId: 'demo' })).find(({ name }) => name === 'sourced')
    expect(found).toMatchObject({ source: 'support chats', provenance: { from: '2024-01' } })
  })
})

describe('validation of a version', () => {
  it('is kept by the hash of its rows and the options, and told by the version', async () => {
    const first = await save('judged', [...texts(30), { text: '', expected_intent: 'odd' }])
    const { report, cached } = await validateVersion(database, blobs, { versionId: first.id }, now)
    expect([cached, report.passed, report.total, report.counts['empty-text']]).toEqual([false, false, 31, 1])
    expect(await readDatasetVersion(database, first.id)).toMatchObject({ qualityScore: report.qualityScore, validationPassed: false })
    expect(await validateVersion(database, blobs, { versionId: first.id }, now)).toEqual({ report, cached: true })
    expect((await validateVersion(database, blobs, { versionId: first.id, options: { minLength: 99 } }, now)).cached).toBe(false)
    expect((await validateVersion(database, blobs, { versionId: first.id, fresh: true }, now)).cached).toBe(false)
    const copy = await save('judged copy', [...texts(30), { text: '', expected_intent: 'odd' }])
    expect((await validateVersion(database, blobs, { versionId: copy.id }, now)).cached).toBe(true)
    expect(await readDatasetVersion(database, copy.id)).toMatchObject({ validationPassed: false })
  })

  it('asks for the labels that the import found', async () => {
    const rows = texts(5).map(({ expected_sentiment: _, ...row }) => row)
    const mapped = await save('mapped', rows, { provenance: { required_labels: ['intent'] } })
    expect((await validateVersion(database, blobs, { versionId: mapped.id }, now)).report).toMatchObject({
      passed: true,
      requiredLabels: ['intent'],
    })
    const options = { requiredLabels: ['sentiment'] }
    expect((await validateVersion(database, blobs, { versionId: mapped.id, options }, now)).report.invalid).toBe(5)
  })
})

describe('enhancement of a version', () => {
  it('is a new version that says what was done to which; a dry run saves nothing', async () => {
    const source = await save('dirty', [...texts(4), { id: 'r9', text: ' text  number 3', expected_intent: 'odd' }])
    const asked = { versionId: source.id, options: { clean: {}, duplicates: {} } }
    const preview = await enhanceVersion(database, blobs, { ...asked, dryRun: true }, now)
    expect(preview).toMatchObject({
      version: null,
      report: { rowsBefore: 5, rowsAfter: 4, dropped: [{ row: 5, key: 'r9', step: 'duplicates' }] },
    })
    expect(await readDatasetVersions(database, source.datasetId)).toHaveLength(1)
    const { version, report } = await enhanceVersion(database, blobs, asked, now)
    expect(report).toEqual(preview.report)
    expect(version).toMatchObject({ number: '1.1', rowCount: 4, provenance: { enhanced: source.id, steps: { clean: { trim: true } } } })
    expect(await rowsOf(version!.id)).toEqual(texts(4))
    const again = await enhanceVersion(database, blobs, { ...asked, versionId: version!.id }, now)
    expect([again.isNew, again.version!.id]).toEqual([false, version!.id])
  })

  it('says how far it is, over all its passes; what stops it there leaves no version', async () => {
    const source = await save('many', texts(12_000))
    const heard: [number, number][] = []
    const asked = {
      versionId: source.id,
      options: { duplicates: {} },
      onProgress: (rows: number, of: number) => void heard.push([rows, of]),
    }
    await enhanceVersion(database, blobs, { ...asked, dryRun: true }, now)
    expect(heard).toEqual([
      [10_000, 24_000],
      [20_000, 24_000],
    ])
    const onProgress = (rows: number) => {
      if (rows > 10_000) throw new Error('told to stop')
    }
    await expect(enhanceVersion(database, blobs, { ...asked, onProgress }, now)).rejects.toThrow('told to stop')
    expect(await readDatasetVersions(database, source.datasetId)).toHaveLength(1)
  })
})
