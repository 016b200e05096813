import fs from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { type PublishRequest, publish } from '../../src/artifacts/publish.js'
import type { Artifact } from '../../src/artifacts/store.js'
import type { BlobStore } from '../../src/blobs/blob-store.js'
import { localBlobs } from '../../src/blobs/local.js'
import { ggnn } from '../../src/models/ggnn.js'
import { initializeParameters } from '../../src/models/parameters.js'
import type { Database } from '../../src/postgres/sql.js'
import { ortExecutor } from '../../src/tensor/ort.js'
import { toyLists } from './toy-lists.js'

export const toyOptions = ggnn.options.parse({ features: 4, hidden: 8, steps: 2 })

/** A blob store in a folder of its own. */
export async function temporaryBlobs(): Promise<{ blobs: BlobStore; folder: string; remove(): Promise<void> }> {
  const folder = await fs.mkdtemp(path.join(os.tmpdir(), 'espalier-blobs-'))
  return { blobs: localBlobs(folder), folder, remove: () => fs.rm(folder, { recursive: true, force: true }) }
}

/** Publishes a small GGNN whose weights come from `seed`. */
export function publishToy(
  tools: { database: Database; blobs: BlobStore },
  { seed = 1, ...over }: Partial<PublishRequest> & { seed?: number } = {},
): Promise<Artifact> {
  return publish(
    { ...tools, executor: ortExecutor },
    {
      component: 'ranker',
      model: ggnn,
      modelOptions: toyOptions,
      parameters: initializeParameters(ggnn.parameters(toyOptions), seed),
      featureSpec: { nameBuckets: 2 },
      metrics: { mrr: 0.9 },
      gates: [{ metric: 'mrr', threshold: 0.5, value: 0.9, passed: true }],
      validation: toyLists(20, { seed: 5 }),
      now: new Date(),
      ...over,
    },
  )
}
