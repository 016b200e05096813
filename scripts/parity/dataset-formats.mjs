/**
 * Writes labeled text in every format and has the tools that the formats are of read it: spaCy, Hugging Face's datasets, pyarrow, Croissant's
 * own library and Python's csv. `PYTHON=<one that has spacy, datasets and mlcroissant> node scripts/parity/dataset-formats.mjs`, on dist/.
 */
import { spawnSync } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { pipeline } from 'node:stream/promises'
import { formats } from '../../dist/datasets/formats/index.js'
import { parseRow } from '../../dist/datasets/records/parse-row.js'

const rows = [
  {
    text: 'fly 😀 to Paris',
    expected_intent: 'book_flight',
    expected_sentiment: 'positive',
    expected_entities: [['Paris', 'CITY', 10, 15]],
    confidence: 0.5,
    metadata: { a: 1 },
  },
  { text: '=1+1, "q"\nline', expected_intent: 'calc', id: '7' },
].map((row) => parseRow('labeled-text', row, (...problem) => assertNone(problem)))

function assertNone(problem) {
  throw new Error(JSON.stringify(problem))
}

async function* source() {
  yield* rows
}

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'espalier-formats-'))
try {
  const options = {
    kind: 'labeled-text',
    title: 'talk',
    description: 'two rows',
    license: 'cc-by-4.0',
    metadata: { version: '1.2', created_at: '2026-01-01' },
  }
  for (const format of Object.values(formats))
    await pipeline(format.write(source, options), fs.createWriteStream(path.join(folder, `${format.name}${format.extensions[0]}`)))
  const { status } = spawnSync(process.env.PYTHON || 'python3', [path.join(import.meta.dirname, 'dataset-formats.py'), folder], {
    stdio: 'inherit',
    env: { ...process.env, HF_DATASETS_OFFLINE: '1', HF_HUB_OFFLINE: '1' },
  })
  process.exitCode = status ?? 1
} finally {
  fs.rmSync(folder, { recursive: true, force: true })
}
