import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { saveDatasetVersion } from '../../../src/datasets/store.js'
import type { JsonValue } from '../../../src/vocabulary.js'
import { type LiveServer, liveServer } from './live-server.js'
import { type TestPlatform, testPlatform } from './test-platform.js'

let platform: TestPlatform
let server: LiveServer
beforeAll(async () => {
  platform = await testPlatform()
  server = await liveServer(platform)
})
afterAll(() => server?.close())

const topics = {
  pay: ['bill', 'invoice', 'money', 'card'],
  travel: ['flight', 'train', 'ticket', 'hotel'],
  eat: ['pizza', 'soup', 'bread', 'dinner'],
}
const save = async (name: string, rows: JsonValue[], kind: 'labeled-text' | 'tabular' = 'labeled-text') =>
  (await saveDatasetVersion(platform.database, platform.blobs, { dataset: { projectId: 'labels', name, kind }, rows }, new Date())).version
const query = `query ($id: ID!, $set: String) { suspectLabels(versionId: $id, labelSet: $set, sample: 500) {
  noise examples classes agreement suspects { row key text label suggested probability suggestedProbability } } }`

describe('suspect labels', () => {
  test('are named with the row, its key and what the others say; an edit mends them by that key', async () => {
    const rows = Object.entries(topics).flatMap(([intent, words]) =>
      Array.from({ length: 40 }, (_, i) => ({
        text: `${words[i % 4]} ${words[(i + 1 + (i % 3)) % 4]} number ${i}`,
        expected_intent: intent,
      })),
    )
    rows[7] = { ...rows[7]!, expected_intent: 'eat' }
    const version = await save('topics', rows)
    const { suspectLabels: found } = await server.ask(query, { id: version.id })
    expect(found).toMatchObject({ examples: 120, classes: 3, noise: 1 / 120 })
    expect(found.suspects).toMatchObject([
      { row: 8, key: expect.stringMatching(/^[0-9a-f]{64}$/), label: 'eat', suggested: 'pay', text: rows[7]!.text },
    ])
    const edit = `mutation ($id: ID!, $change: JSON) { editDataset(versionId: $id, change: $change) { changed version { id number } } }`
    const change = { [found.suspects[0].key]: { expected_intent: found.suspects[0].suggested } }
    const { editDataset } = await server.ask(edit, { id: version.id, change })
    expect(editDataset).toMatchObject({ changed: 1, version: { number: '1.1' } })
    expect((await server.ask(query, { id: editDataset.version.id })).suspectLabels).toMatchObject({ noise: 0, suspects: [] })
  })

  test('need labels of two classes', async () => {
    const version = await save(
      'one class',
      Array.from({ length: 9 }, (_, i) => ({ text: `text ${i}`, expected_intent: 'a' })),
    )
    await expect(server.ask(query, { id: version.id })).rejects.toThrow('fewer than two classes')
    const table = await save('table', [{ a: 1 }], 'tabular')
    await expect(server.ask(query, { id: table.id })).rejects.toThrow('no texts with labels')
  })
})
