import { Readable } from 'node:stream'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { readAudit } from '../../../src/access/store.js'
import { collectBlobs } from '../../../src/blobs/collect.js'
import { formatNames } from '../../../src/datasets/formats/index.js'
import { blobReferrers } from '../../../src/platform.js'
import { ortExecutor } from '../../../src/tensor/ort.js'
import { startWorker } from '../../../src/worker/worker.js'
import { type LiveServer, liveServer } from './live-server.js'
import { type TestPlatform, testPlatform } from './test-platform.js'

let platform: TestPlatform
let server: LiveServer
beforeAll(async () => {
  platform = await testPlatform()
  server = await liveServer(platform)
})
afterAll(() => server?.close())

const rows = [
  { text: 'fly 😀 to Paris', intent: 'book_flight', entities: [['Paris', 'CITY', 10, 15]] },
  { text: '=play "jazz"\nnow', intent: 'play_music', entities: [] },
  { text: 'and what about tomorrow?', intent: 'weather', entities: [] },
]
const jsonl = rows.map((row) => `${JSON.stringify(row)}\n`).join('')

// biome-ignore lint/suspicious/noExplicitAny: answers of any shape
type Json = any
async function call(
  path: string,
  init: RequestInit & { duplex?: 'half' } = {},
): Promise<{ status: number; body: Json; headers: Headers; text: string }> {
  const response = await fetch(new URL(`/api/training-data${path}`, server.url), init)
  const text = await response.text()
  const isJson = (response.headers.get('content-type') ?? '').startsWith('application/json')
  return { status: response.status, headers: response.headers, text, body: isJson ? JSON.parse(text) : null }
}
const post = (path: string, body: unknown) =>
  call(path, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) })
const importing = (name: string, body: string | Uint8Array<ArrayBuffer> = jsonl, more = '') =>
  call(`/import?project_id=words&name=${name}&file=${name}.jsonl${more}`, {
    method: 'POST',
    body,
    headers: { 'content-type': 'application/octet-stream' },
  })

describe('the datasets of a project', () => {
  test('come by the page, of one kind or of all, by GraphQL and by REST', async () => {
    const names = ['alpha', 'beta', 'gamma', 'omega']
    const create = 'mutation ($name: String!, $kind: DatasetKind!) { createDataset(projectId: "paged", name: $name, kind: $kind) { id } }'
    for (const name of names) await server.ask(create, { name, kind: name === 'omega' ? 'RELATION' : 'LABELED_TEXT' })
    const query = `query ($after: String, $kind: DatasetKind) { datasets(projectId: "paged", first: 2, after: $after, kind: $kind) {
      totalCount edges { node { name } } pageInfo { hasNextPage endCursor } } }`
    const namesOf = (page: Json) => page.edges.map((edge: Json) => edge.node.name)
    const { datasets: first } = await server.ask(query)
    expect([namesOf(first), first.totalCount, first.pageInfo.hasNextPage]).toEqual([['alpha', 'beta'], 4, true])
    const { datasets: second } = await server.ask(query, { after: first.pageInfo.endCursor })
    expect([namesOf(second), second.pageInfo.hasNextPage]).toEqual([['gamma', 'omega'], false])
    const { datasets: relations } = await server.ask(query, { kind: 'RELATION' })
    expect([namesOf(relations), relations.totalCount]).toEqual([['omega'], 1])
    const { errors } = await server.post(query, { after: 'nonsense' })
    expect(errors![0]!.message).toMatch(/"nonsense" is no cursor/)
    const { body } = await call('/datasets?project_id=paged&first=2&offset=1')
    expect([body.datasets.map((dataset: Json) => dataset.name), body.total]).toEqual([['beta', 'gamma'], 4])
  })
})

describe('training data by REST', () => {
  test('a file becomes a version, comes back in every format, and every format is that version again', async () => {
    const { status, body } = await importing('intents')
    expect([status, body.is_new, body.format, body.version.number, body.version.size]).toEqual([201, true, 'jsonl', '1.0', 3])
    expect(body.mapping).toEqual({ intent: 'expected_intent', entities: 'expected_entities' })
    expect(body.required_labels).toEqual(['intent'])
    expect(body.version.provenance).toMatchObject({ imported: 'intents.jsonl', required_labels: ['intent'] })
    for (const format of formatNames.filter((name) => name !== 'huggingface-columns')) {
      const file = await fetch(new URL(`/api/training-data/datasets/${body.dataset_id}/export?format=${format}`, server.url))
      expect(file.status).toBe(200)
      const name = /filename="(.+)"/.exec(file.headers.get('content-disposition')!)![1]!
      const again = await call(`/import?project_id=words&name=intents&file=${name}`, {
        method: 'POST',
        body: new Uint8Array(await file.arrayBuffer()),
        headers: { 'content-type': 'application/octet-stream' },
      })
      expect([format, again.status, again.body.is_new, again.body.version?.hash, again.body.problem_count]).toEqual([
        format,
        200,
        false,
        body.version.hash,
        0,
      ])
    }
  })

  test('a form is an upload too; append adds to what is there', async () => {
    const made = await post('/datasets', { project_id: 'words', name: 'form', kind: 'labeled-text', tags: ['a'] })
    expect(made.status).toBe(201)
    const form = new FormData()
    form.append('mapping', 'utterance=text')
    form.append('file', new Blob(['utterance,expected_intent\r\nhello there,greet\r\n']), 'rows.csv')
    const first = await call(`/datasets/${made.body.id}/upload`, { method: 'POST', body: form })
    expect([first.status, first.body.format, first.body.version.size]).toEqual([201, 'csv', 1])
    const added = await call(`/datasets/${made.body.id}/upload?mode=append&file=x.jsonl`, {
      method: 'POST',
      body: '{"text":"good bye","expected_intent":"leave"}',
    })
    expect([added.body.version.number, added.body.version.size]).toEqual(['2.0', 2])
    const { body } = await call(`/datasets/${made.body.id}/data?first=1&offset=1`)
    expect(body).toMatchObject({ rows: [{ text: 'good bye' }], total: 2, next_offset: null })
    expect((await call(`/datasets/${made.body.id}/versions?first=1`)).body).toMatchObject({
      versions: [{ number: '2.0' }],
      total: 2,
      next_after: '2.0',
    })
    expect((await call(`/datasets/${made.body.id}/versions?first=1&after=2.0`)).body).toMatchObject({
      versions: [{ number: '1.0' }],
      next_after: null,
    })
    expect((await call(`/datasets/${made.body.id}/statistics`)).body.statistics).toMatchObject({ rows: 2 })
    expect((await call('/datasets?project_id=words&first=1&offset=0')).body.total).toBeGreaterThanOrEqual(1)
    expect((await call(`/datasets/${made.body.id}`)).body).toMatchObject({ name: 'form', tags: ['a'], latest_version: { number: '2.0' } })
  })

  test('all or nothing: a file with errors saves no row, names each of them, and leaves nothing that is kept', async () => {
    const { status, body } = await importing('broken', `${jsonl}{"text": 3}\nnot json\n`)
    expect(status).toBe(400)
    expect(body.errors[0].extensions.problems.map((p: Json) => [p.where, p.code])).toEqual([
      ['broken.jsonl:4:text', 'wrong-type'],
      ['broken.jsonl:5', 'not-json'],
    ])
    expect((await call('/datasets?project_id=words')).body.datasets.map((d: Json) => d.name)).not.toContain('broken')
    const elsewhere = (project: string) => call(`/import?project_id=${project}&name=x`, { method: 'POST', body: '{"text": 3}' })
    expect((await elsewhere('unheard')).status).toBe(400)
    expect((await elsewhere('no%20name')).body.errors[0].message).toMatch(/project id/)
    expect((await server.ask('{ projects { id } }')).projects.map(({ id }: Json) => id)).not.toContain('unheard')
    const before = { before: new Date(Date.now() + 60_000) }
    await collectBlobs(platform.blobs, blobReferrers(platform.database), before)
    expect((await collectBlobs(platform.blobs, blobReferrers(platform.database), before)).deleted).toBe(0)
    const [intents] = (await call('/datasets?project_id=words')).body.datasets.filter((d: Json) => d.name === 'intents')
    expect((await call(`/datasets/${intents.id}/data`)).body.rows).toHaveLength(3)
  })

  test('a sender that goes away in the middle of a file leaves no version', async () => {
    const cut = new AbortController()
    async function* half() {
      for (let i = 0; i < 2000; i++) yield Buffer.from(jsonl)
      cut.abort()
      await new Promise((resolve) => setTimeout(resolve, 60_000).unref())
    }
    const body = Readable.toWeb(Readable.from(half())) as ReadableStream
    await expect(
      fetch(new URL('/api/training-data/import?project_id=words&name=half', server.url), {
        method: 'POST',
        body,
        duplex: 'half',
        signal: cut.signal,
      } as RequestInit),
    ).rejects.toThrow()
    expect((await call('/datasets?project_id=words')).body.datasets.map((d: Json) => d.name)).not.toContain('half')
  })

  test('a form that ends in the middle of its file is refused, and the server goes on', async () => {
    const part = '--x\r\nContent-Disposition: form-data; name="file"; filename="a.jsonl"\r\n\r\n{"text":"hello there"}\n'
    const send = (body: string, type: string) =>
      call('/import?project_id=words&name=cut', { method: 'POST', body, headers: { 'content-type': type } })
    for (const body of [part, `${part}--x`, '--x\r\nfoo'])
      expect((await send(body, 'multipart/form-data; boundary=x')).body.errors[0].message).toMatch(/could not be read to its end/)
    expect((await send(part, 'multipart/form-data')).body.errors[0].message).toMatch(/where its parts end/)
    expect((await call('/datasets?project_id=words')).body.datasets.map((d: Json) => d.name)).not.toContain('cut')
  })

  test('pickle is refused by name and by its first bytes, with the reason and what to use', async () => {
    const refused = await importing('p', new Uint8Array([0x80, 4, 0x95, 0, 0]), '&format=pickle')
    const sniffed = await importing('p', new Uint8Array([0x80, 4, 0x95, 0, 0]))
    for (const { status, body } of [refused, sniffed]) {
      expect(status).toBe(400)
      expect(body.errors[0]).toMatchObject({
        message: expect.stringContaining('runs'),
        extensions: { remedy: expect.stringContaining('JSON Lines') },
      })
    }
    const { id } = (await call('/datasets?project_id=words')).body.datasets[0]
    expect((await call(`/datasets/${id}/export?format=pickle`)).status).toBe(400)
    expect((await call(`/datasets/${id}/export?format=pickel`)).status).toBe(400)
  })

  test('what is not a parameter, and what is none of the choices, is an error and no silence', async () => {
    expect((await importing('typo', jsonl, '&fromat=jsonl')).body.errors[0].extensions.remedy).toContain('format')
    expect((await importing('typo', jsonl, '&kind=labelled-text')).body.errors[0].extensions.remedy).toContain('labeled-text')
    expect((await importing('typo', jsonl, '&mapping=intent')).status).toBe(400)
    expect((await call('/datasets?project_id=words&first=0')).status).toBe(400)
    expect((await call('/datasets/nope')).status).toBe(404)
    for (const given of [{ tags: [1] }, { tags: 'a' }, { tags: { a: 1 } }, { provenance: [1] }, { name: 'a\u0000b' }])
      expect([given, (await post('/datasets', { project_id: 'words', name: 'odd', ...given })).status]).toEqual([given, 400])
    const { id } = (await call('/datasets?project_id=words')).body.datasets[0]
    expect((await call(`/datasets/${id}/versions?after=new`)).body.errors[0].message).toMatch(/number of a version/)
    for (const both of [
      { restore: '1.0', add: [] },
      { restore: '1.0', from: '1.0' },
      { modifications: {}, remove: ['a'] },
    ])
      expect((await post(`/datasets/${id}/versions`, both)).body.errors[0].message).toMatch(/expected one of restore, from/)
  })

  test('health says how it is, and metrics count', async () => {
    const { body, status } = await call('/health')
    expect([status, body.status, body.checks.database, body.checks.worker]).toEqual([200, 'degraded', 'ok', 'failed'])
    expect(Date.parse(body.timestamp)).toBeGreaterThan(0)
  })

  test('deletion takes a dataset out of lists, rows and graph, and is written down as all the rest', async () => {
    const { body } = await importing('brief')
    const gone = await call(`/datasets/${body.dataset_id}`, { method: 'DELETE' })
    expect([gone.status, gone.body]).toEqual([200, { deleted: body.dataset_id, versions: 1 }])
    expect((await call(`/datasets/${body.dataset_id}/data`)).status).toBe(404)
    const { awaitProjection } = await server.ask('mutation { awaitProjection { lag } }').catch(() => ({ awaitProjection: null }))
    expect(awaitProjection).not.toBe(undefined)
    const actions = (await readAudit(platform.database, { subject: body.dataset_id })).map((entry) => entry.action).reverse()
    expect(actions).toEqual(['dataset-created', 'dataset-uploaded', 'dataset-deleted'])
  })
})

describe('checks, and work that is left to a run', () => {
  const mixed = [
    ...Array.from({ length: 9 }, (_, i) => ({
      text: `please play song number ${i} for me`,
      expected_intent: 'play',
      expected_sentiment: 'neutral',
    })),
    { text: '  fly   to Paris ', expected_intent: 'fly', expected_sentiment: 'neutral', expected_entities: [['Paris', 'CITY', 11, 16]] },
    { text: '', expected_intent: 'fly', expected_sentiment: 'neutral' },
  ]
  const file = mixed.map((row) => JSON.stringify(row)).join('\n')
  let made: Json
  let worker: Awaited<ReturnType<typeof startWorker>>
  beforeAll(async () => {
    worker = await startWorker({ ...platform, executor: ortExecutor, executorFor: async () => ortExecutor, close: async () => undefined })
    made = (await importing('mixed', file)).body
  })
  afterAll(() => worker?.stop())

  const settled = async (id: string): Promise<Json> => {
    const followed = server.follow(server.socket(), `subscription { runEvents(runId: "${id}") { type } }`)
    await followed.completed
    return (await call(`/runs/${id}`)).body
  }

  test('a version is validated by REST and by GraphQL alike, and then says how good it is', async () => {
    const { body } = await post(`/datasets/${made.dataset_id}/validate`, {})
    expect(body).toMatchObject({ passed: false, total: 11, valid: 10, invalid: 1, cached: false })
    expect(body.counts['empty-text']).toBe(1)
    const { validateDataset } = await server.ask(
      'mutation ($id: ID!) { validateDataset(versionId: $id) { cached passed total qualityScore issues { rule row severity } quality { band overall } version { qualityScore validationPassed } } }',
      { id: made.version.id },
    )
    expect(validateDataset).toMatchObject({ cached: true, passed: false, total: 11, qualityScore: body.quality_score })
    expect(validateDataset.version).toEqual({ qualityScore: body.quality_score, validationPassed: false })
    expect(
      (await server.ask('query ($id: ID!) { datasetQuality(versionId: $id) { overall } }', { id: made.version.id })).datasetQuality.overall,
    ).toBe(body.quality.overall)
    expect((await post(`/datasets/${made.dataset_id}/validate`, { options: { minLenght: 3 } })).status).toBe(400)
  })

  test('many rows are judged by a worker, while the caller waits and the server serves others', async () => {
    const many = Array.from({ length: 301 }, (_, i) =>
      JSON.stringify({ text: `sentence ${i * 7919} says ${i}`, expected_intent: `i${i % 3}`, expected_sentiment: 'neutral' }),
    )
    const { body } = await importing('many', many.join('\n'))
    const first = await post(`/datasets/${body.dataset_id}/validate`, {})
    expect([first.status, first.body.total, first.body.cached]).toEqual([200, 301, false])
    expect((await post(`/datasets/${body.dataset_id}/validate`, {})).body).toMatchObject({ cached: true, total: 301 })
    const { runs } = await server.ask('{ runs(kind: [DATASET], first: 1) { edges { node { options } } } }')
    expect(runs.edges[0].node.options).toMatchObject({ operation: 'validate', versionId: body.version.id })
    expect((await post(`/datasets/${body.dataset_id}/validate`, { options: { maxIssues: -1 } })).status).toBe(400)
  })

  test('an enhancement is previewed, then done; entity spans keep their text', async () => {
    const preview = await server.ask(
      'query ($id: ID!) { previewDatasetEnhancement(versionId: $id, steps: { clean: {} }) { version { id } rowsAfter changes } }',
      {
        id: made.version.id,
      },
    )
    expect(preview.previewDatasetEnhancement).toMatchObject({ version: null, rowsAfter: 11 })
    const { body } = await post(`/datasets/${made.dataset_id}/enhance`, { steps: { clean: {} } })
    expect(body).toMatchObject({ is_new: true, rows_after: 11 })
    const { rows: after } = (await call(`/datasets/${made.dataset_id}/data?offset=9&first=1`)).body
    const [[words, , start, end]] = after[0].expected_entities
    expect([after[0].text, after[0].text.slice(start, end), words]).toEqual(['fly to Paris', 'Paris', 'Paris'])
  })

  test('edits, derivations and restorations by REST', async () => {
    const versions = `/datasets/${made.dataset_id}/versions`
    const edited = await post(versions, { add: [{ text: 'one more of them', expected_intent: 'play' }], description: 'more' })
    expect([edited.status, edited.body.added, edited.body.version.size]).toEqual([201, 1, 12])
    const derived = await post(versions, {
      from: 'latest',
      modifications: { filter: [{ field: 'expected_intent', is: 'equal', value: 'fly' }] },
    })
    expect(derived.body.version.size).toBe(2)
    const restored = await post(versions, { restore: '1.0' })
    expect(restored.body.version).toMatchObject({ hash: made.version.hash, size: 11 })
    expect((await post(versions, { from: 'latest', modifications: { filtre: [] } })).status).toBe(400)
    expect((await post(versions, { version: '1.0', add: [{ text: 'late' }] })).status).toBe(409)
  })

  test('who does not wait is answered a run: import, validate, enhance, export', async () => {
    const queuedImport = await call('/import?project_id=words&name=queued&file=q.jsonl&wait=false', { method: 'POST', body: jsonl })
    expect(queuedImport.status).toBe(202)
    const run = await settled(queuedImport.body.run_id)
    expect(run).toMatchObject({ state: 'completed', result: { isNew: true, rows: 3, format: 'jsonl', requiredLabels: ['intent'] } })
    const { versionId: id, datasetId } = run.result
    const judged = await settled((await post(`/datasets/${datasetId}/validate`, { wait: false })).body.run_id)
    expect(judged).toMatchObject({ state: 'completed', result: { passed: true, total: 3 }, files: [{ name: 'validation.json' }] })
    const mended = await settled((await post(`/datasets/${datasetId}/enhance`, { wait: false, steps: { enrich: {} } })).body.run_id)
    expect(mended).toMatchObject({ state: 'completed', result: { isNew: true, rowsAfter: 3 } })
    const { queueDatasetExport } = await server.ask(
      'mutation ($id: ID!) { queueDatasetExport(versionId: $id, format: "json") { id kind options } }',
      { id },
    )
    const written = await settled(queueDatasetExport.id)
    const download = await fetch(new URL(written.files[0].url, server.url), { headers: { range: 'bytes=0-11' } })
    expect([download.status, await download.text()]).toEqual([206, '{"examples":'])
  })

  test('a file with errors fails its run, which keeps what is wrong with it', async () => {
    const { body } = await call('/import?project_id=words&name=wrong&file=w.jsonl&wait=false', { method: 'POST', body: '{"text": 1}' })
    const run = await settled(body.run_id)
    expect(run).toMatchObject({ state: 'failed', error: { code: 'BAD_INPUT' }, files: [{ name: 'problems.json' }] })
    const problems = (await (await fetch(new URL(run.files[0].url, server.url))).json()) as Json
    expect(problems[0]).toMatchObject({ where: 'w.jsonl:1:text', code: 'wrong-type' })
  })

  test('metrics tell of all of it', async () => {
    const text = await (await fetch(new URL('/metrics', server.url))).text()
    for (const line of [
      /^training_datasets_total\{kind="labeled-text"\} \d+$/m,
      /^training_dataset_size\{dataset="mixed",project="words"\} 11$/m,
      /^training_dataset_quality\{dataset="[^"]+",project="words"\} 0\.\d+$/m,
      /^# TYPE validation_duration_seconds histogram$/m,
      /^validation_duration_seconds_bucket\{le="\+Inf"\} \d+$/m,
      /^validation_duration_seconds_count \d+$/m,
      /^validation_errors_total\{error_type="empty-text"\} 1$/m,
      /^enhancement_duration_seconds_sum [\d.e-]+$/m,
      /^# TYPE enhancement_failures_total counter$/m,
      /^format_conversion_duration_seconds_count\{format="parquet"\} 1$/m,
    ])
      expect(text).toMatch(line)
  })
})

describe('training data by GraphQL', () => {
  const importDataset = `mutation ($text: String, $uploadId: ID, $options: DatasetImportOptions, $name: String!) {
    importDataset(projectId: "words", name: $name, kind: LABELED_TEXT, text: $text, uploadId: $uploadId, options: $options) {
      isNew format requiredLabels version { id datasetId number rowCount } problems { code where } } }`

  test('import, page through rows, edit, diff, restore, tag, split, export', async () => {
    const { importDataset: made } = await server.ask(importDataset, {
      name: 'graph',
      text: jsonl,
      options: { mapping: { intent: 'expected_intent' } },
    })
    const { id, datasetId } = made.version
    const page =
      'query ($id: ID!, $after: String) { datasetRows(versionId: $id, first: 2, after: $after) { totalCount pageInfo { hasNextPage endCursor } edges { node { index key row } } } }'
    const first = (await server.ask(page, { id })).datasetRows
    const second = (await server.ask(page, { id, after: first.pageInfo.endCursor })).datasetRows
    expect([first.totalCount, first.pageInfo.hasNextPage, second.pageInfo.hasNextPage]).toEqual([3, true, false])
    expect([...first.edges, ...second.edges].map((edge: Json) => edge.node.row.text)).toEqual(rows.map((row) => row.text))

    const { editDataset } = await server.ask(
      'mutation ($id: ID!, $key: String!, $change: JSON) { editDataset(versionId: $id, add: [{ text: "new one", expected_intent: "weather" }], change: $change, remove: [$key]) { added changed removed version { id number } } }',
      { id, key: first.edges[0].node.key, change: { [first.edges[1].node.key]: { expected_intent: 'weather' } } },
    )
    expect(editDataset).toMatchObject({ added: 1, changed: 1, removed: 1 })
    const { datasetDiff } = await server.ask(
      'query ($a: ID!, $b: ID!) { datasetDiff(before: $a, after: $b) { added removed changed rows { change } } }',
      {
        a: id,
        b: editDataset.version.id,
      },
    )
    expect(datasetDiff.added + datasetDiff.changed).toBeGreaterThanOrEqual(1)
    const { restoreDatasetVersion: restored } = await server.ask(
      'mutation ($id: ID!) { restoreDatasetVersion(versionId: $id) { isNew version { id hash } } }',
      { id },
    )
    expect(restored.isNew).toBe(true)
    await server.ask('mutation ($id: ID!) { tagDatasetVersion(versionId: $id, tag: "golden") { id } }', { id })
    const { dataset } = await server.ask(
      'query ($id: ID!) { dataset(id: $id) { name version(reference: "golden") { id } versionTags { tag versionId } versionPage(first: 1) { totalCount edges { node { number } } pageInfo { hasNextPage } } } }',
      { id: datasetId },
    )
    expect(dataset).toMatchObject({
      version: { id },
      versionTags: [{ tag: 'golden', versionId: id }],
      versionPage: { totalCount: 3, pageInfo: { hasNextPage: true } },
    })
    const { splitDataset } = await server.ask(
      'mutation ($id: ID!) { splitDataset(versionId: $id, options: { ratios: [0.7, 0.3] }) { counts } }',
      { id },
    )
    expect(Object.values(splitDataset.counts as Record<string, number>).reduce((a, b) => a + b)).toBe(3)
    const { createDatasetVersionFrom: derived } = await server.ask(
      'mutation ($id: ID!) { createDatasetVersionFrom(versionId: $id, name: "derived", modifications: { intent_mapping: { weather: "forecast" } }) { isNew version { datasetName } } }',
      { id },
    )
    expect(derived).toMatchObject({ isNew: true, version: { datasetName: 'derived' } })
    const { datasetExport } = await server.ask(
      'query ($id: ID!) { datasetExport(versionId: $id, format: "csv") { url fileName mediaType loses } }',
      { id },
    )
    expect(datasetExport).toMatchObject({ fileName: 'graph-1.0.csv', mediaType: 'text/csv', loses: null })
    const csv = await (await fetch(new URL(datasetExport.url, server.url))).text()
    expect(csv.split('\r\n')[0]).toBe(
      'text,expected_intent,expected_sentiment,expected_persona,confidence,source,created_at,expected_entities,metadata,id',
    )
    expect(csv).toContain(`"'=play ""jazz""\nnow"`)
    const { updateDataset } = await server.ask(
      'mutation ($id: ID!) { updateDataset(id: $id, description: "of words") { description name } }',
      { id: datasetId },
    )
    expect(updateDataset).toEqual({ description: 'of words', name: 'graph' })
    expect(
      (await server.ask('mutation ($id: ID!) { deleteDataset(id: $id) { versions } }', { id: datasetId })).deleteDataset.versions,
    ).toBe(3)
    expect((await server.ask('query ($id: ID!) { dataset(id: $id) { id } }', { id: datasetId })).dataset).toBe(null)
  })

  test('a file that was sent ahead is used by who sent it', async () => {
    const sent = await fetch(new URL('/uploads?file=ahead.jsonl', server.url), { method: 'POST', body: jsonl })
    const upload = (await sent.json()) as Json
    expect([sent.status, upload.bytes]).toEqual([201, Buffer.byteLength(jsonl)])
    const { importDataset: made } = await server.ask(importDataset, { name: 'ahead', uploadId: upload.id })
    expect(made).toMatchObject({ isNew: true, format: 'jsonl', requiredLabels: ['intent'] })
    const { errors } = await server.post(importDataset, { name: 'ahead', uploadId: '11111111-1111-4111-8111-111111111111' })
    expect(errors![0]!.extensions.code).toBe('NOT_FOUND')
    expect((await server.post(importDataset, { name: 'ahead' })).errors![0]!.extensions.code).toBe('BAD_USER_INPUT')
  })

  test('formats are told with what they lose', async () => {
    const { datasetFormats } = await server.ask('{ datasetFormats { name loses kinds extensions } }')
    expect(datasetFormats.filter((format: Json) => format.loses).map((format: Json) => format.name)).toEqual(['huggingface-columns'])
    expect(datasetFormats.map((format: Json) => format.name)).not.toContain('pickle')
  })
})
