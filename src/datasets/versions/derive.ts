import { z } from 'zod'
import type { Database } from '../../postgres/sql.js'
import { EspalierError } from '../../util/error.js'
import type { JsonValue, Properties } from '../../vocabulary.js'
import type { RowBlobs } from '../chunks.js'
import { inherited, tablesOf } from '../lineage.js'
import { type Alongside, readDatasetRows, readDatasetVersion, type SavedVersion, saveDatasetVersion } from '../store.js'
import type { DatasetVersion } from '../version.js'
import { type Modifications, type ModificationsInput, modificationsSchema } from './modifications.js'
import { compileModifications, mergeRows, sampleRows } from './modify.js'

export interface Derivation {
  /** id of the version that is started from */
  sourceId: string
  modifications: ModificationsInput
  /** name of the dataset that gets the version, in the source's project; made when it is new (default: the source's own) */
  name?: string
  description?: string
  createdBy?: string
  alongside?: Alongside<SavedVersion> | undefined
}

/**
 * A version made of another one by mappings, filters, samples and merges, recorded in its provenance. The source stays as it is.
 * BAD_INPUT for modifications that do not suit the kind; NOT_FOUND for versions that there are not.
 */
export async function createVersionFrom(
  database: Database,
  blobs: RowBlobs,
  { sourceId, modifications: given, name, description, createdBy, alongside }: Derivation,
  now: Date,
): Promise<SavedVersion> {
  const modifications = parseModifications(given)
  const source = await readDatasetVersion(database, sourceId)
  const merged = await Promise.all(modifications.merge.map((id) => readDatasetVersion(database, id)))
  for (const other of merged) assertSameKind(source, other)
  const rows = await modifiedRows(database, blobs, [source, ...merged], modifications)
  return saveDatasetVersion(
    database,
    blobs,
    {
      dataset: { projectId: source.projectId, name: name ?? source.datasetName, kind: source.kind },
      rows,
      reuse: false,
      description: description ?? '',
      derivedFrom: tablesOf(source),
      provenance: { ...inherited(source), made_from: source.id, modifications: modifications as unknown as Properties },
      ...(createdBy && { createdBy }),
      alongside,
    },
    now,
  )
}

export function parseModifications(given: unknown): Modifications {
  const parsed = modificationsSchema.safeParse(given)
  if (parsed.success) return parsed.data
  throw new EspalierError('BAD_INPUT', `modifications: ${z.prettifyError(parsed.error)}`)
}

function assertSameKind(source: DatasetVersion, other: DatasetVersion): void {
  if (source.projectId !== other.projectId)
    throw new EspalierError('BAD_INPUT', `merge: version ${other.id} is of project "${other.projectId}", expected "${source.projectId}"`)
  if (source.kind === other.kind) return
  throw new EspalierError(
    'BAD_INPUT',
    `merge: "${other.datasetName}" ${other.number} holds rows of the kind ${other.kind}, expected ${source.kind}`,
  )
}

async function modifiedRows(
  database: Database,
  blobs: RowBlobs,
  versions: readonly DatasetVersion[],
  modifications: Modifications,
): Promise<AsyncIterable<JsonValue>> {
  const kind = versions[0]!.kind
  const modify = compileModifications(kind, modifications)
  async function* modified(): AsyncGenerator<JsonValue> {
    const sources = versions.map(
      ({ id }) =>
        () =>
          readDatasetRows(database, blobs, id),
    )
    for await (const row of mergeRows(kind, sources)) {
      const changed = modify(row as Properties)
      if (changed) yield changed
    }
  }
  const { sample } = modifications
  if (!sample) return modified()
  // Read twice: a sample of exactly so many rows wants to know how many there are, and rows are never held.
  let total = 0
  for await (const _ of modified()) total++
  return sampleRows(modified(), total, sample.size ?? Math.round(sample.share! * total), sample.seed)
}
