import { spawnSync } from 'node:child_process'
import fs from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { promote } from '../../../src/artifacts/promotion.js'
import { readArchive } from '../../../src/artifacts/release/archive.js'
import { exportRelease } from '../../../src/artifacts/release/export.js'
import { packageBundle } from '../../../src/artifacts/release/package.js'
import { freshDatabase } from '../../support/database.js'
import { describeIf } from '../../support/need.js'
import { publishToy, temporaryBlobs } from '../../support/published.js'
import { pythonWith } from '../../support/python.js'

const { database } = await freshDatabase()
const { blobs, remove } = await temporaryBlobs()
const folder = await fs.mkdtemp(path.join(os.tmpdir(), 'espalier-runtimes-'))
afterAll(async () => {
  await remove()
  await fs.rm(folder, { recursive: true, force: true })
})

const now = new Date('2026-03-01T10:00:00.000Z')
const files = ['ggnn.int8.onnx', 'ggnn.onnx', 'ggnn.sparse.int8.onnx', 'ggnn.sparse.onnx'].map((name) => `release-1/ranker/${name}`)

beforeAll(async () => {
  const tools = { database, blobs }
  const artifact = await publishToy(tools, { runId: 'r1', dataset: { versionId: 'd', hash: 'h' } })
  await promote(database, 'production', artifact.id, { now })
  const release = await exportRelease(tools, { components: [{ component: 'ranker' }], version: '1', now })
  const { digest } = await packageBundle(database, blobs, release.id, now)
  for (const [name, bytes] of await readArchive(await blobs.get(digest))) {
    await fs.mkdir(path.dirname(path.join(folder, name)), { recursive: true })
    await fs.writeFile(path.join(folder, name), bytes)
  }
})

const script = (name: string) => path.resolve(import.meta.dirname, '../../../scripts/parity', name)
/** A process of its own, with nothing of ours in it but the script. */
function check(command: string, name: string) {
  const { status, stdout, stderr } = spawnSync(command, [script(name), folder], { encoding: 'utf8' })
  const rows = stdout
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as { file: string; passed: boolean; max_abs_diff: number })
  return { status, stderr, rows: rows.sort((a, b) => (a.file < b.file ? -1 : 1)) }
}

/** Another answer in the samples must be noticed. */
async function withWrongAnswer(work: () => void): Promise<void> {
  const file = path.join(folder, 'release-1/ranker/parity-samples.json')
  const text = await fs.readFile(file, 'utf8')
  const samples = JSON.parse(text) as { graphs: { path: string; outputs: { scores: { data: number[] } } }[] }
  samples.graphs.find((g) => g.path === 'ggnn.sparse.onnx')!.outputs.scores.data[3]! += 0.01
  await fs.writeFile(file, JSON.stringify(samples))
  try {
    work()
  } finally {
    await fs.writeFile(file, text)
  }
}

function scoresIn(command: string, name: string): void {
  it('gives the answers that the samples say, fp32 and int8, dense and sparse', () => {
    const { status, stderr, rows } = check(command, name)
    expect({ status, stderr }).toMatchObject({ status: 0 })
    expect(rows.map((row) => [row.file, row.passed])).toEqual(files.map((file) => [file, true]))
    for (const row of rows.filter((r) => !r.file.includes('int8'))) expect(row.max_abs_diff).toBeLessThanOrEqual(1e-5)
  })

  it('notices an answer that is another', async () => {
    await withWrongAnswer(() => {
      const { status, rows } = check(command, name)
      expect(status).toBe(1)
      expect(rows.filter((row) => !row.passed).map((row) => row.file)).toEqual(['release-1/ranker/ggnn.sparse.onnx'])
    })
  })
}

describe('plain onnxruntime, without Espalier', () => scoresIn(process.execPath, 'check.mjs'))

const { python, reason } = pythonWith('numpy', 'onnxruntime')
describeIf(python, reason, 'onnxruntime in Python', () => scoresIn(python!, 'check.py'))
