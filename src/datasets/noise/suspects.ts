import type { Database } from '../../postgres/sql.js'
import { EspalierError } from '../../util/error.js'
import type { Properties } from '../../vocabulary.js'
import type { RowBlobs } from '../chunks.js'
import { recordKind } from '../records/index.js'
import { assertLabelSet } from '../records/record-kind.js'
import { rowKey } from '../records/row-key.js'
import { Reservoir } from '../statistics/sampling.js'
import { readDatasetRows, readDatasetVersion } from '../store.js'
import { estimateLabelNoise, type LabelNoise } from './label-noise.js'

export interface SuspectRow {
  /** from 1 */
  row: number
  /** id or content hash: what an edit calls it */
  key: string
  text: string
  label: string
  suggested: string
  /** of its own label and of the suggested one, by a classifier that has not seen the row */
  probability: number
  suggestedProbability: number
}

/** Rows of a version whose label the others speak against, surest first; of a sample where there are more rows than that. */
export async function findSuspectLabels(
  database: Database,
  blobs: RowBlobs,
  { versionId, labelSet, sample = 5000, seed = 0 }: { versionId: string; labelSet?: string; sample?: number; seed?: number },
): Promise<Omit<LabelNoise, 'suspects'> & { suspects: SuspectRow[] }> {
  const version = await readDatasetVersion(database, versionId)
  const { text: textOf, labels: labelsOf } = recordKind(version.kind)
  const set = labelSet ?? (version.kind === 'relation' ? 'relation' : 'intent')
  if (!textOf || !labelsOf)
    throw new EspalierError('BAD_INPUT', `suspect labels: rows of the kind ${version.kind} have no texts with labels`)
  assertLabelSet(recordKind(version.kind), set, 'suspect labels')
  const drawn = new Reservoir<{ row: number; key: string; text: string; label: string }>(sample, seed)
  let number = 0
  for await (const row of readDatasetRows(database, blobs, version.id)) {
    number++
    const label = labelsOf(row as Properties)[set]?.[0]
    if (label !== undefined) drawn.offer(() => ({ row: number, key: rowKey(version.kind, row), text: textOf(row as Properties), label }))
  }
  const examples = drawn.items()
  const noise = await estimateLabelNoise(examples, seed)
  if (!noise)
    throw new EspalierError('BAD_INPUT', `suspect labels: the ${set} has fewer than two classes of three rows, expected at least two`, {
      remedy: 'Name another label set, or a larger sample.',
    })
  const suspects = noise.suspects.map(({ index, ...suspect }) => {
    const { row, key, text } = examples[index]!
    return { row, key, text, ...suspect }
  })
  return { ...noise, suspects }
}
