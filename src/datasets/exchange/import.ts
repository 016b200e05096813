import type { Database } from '../../postgres/sql.js'
import { EspalierError } from '../../util/error.js'
import type { Problem } from '../../util/problem.js'
import type { JsonValue, Properties } from '../../vocabulary.js'
import type { RowBlobs } from '../chunks.js'
import { peek } from '../formats/folder-archive.js'
import type { ByteSource, DatasetFormat, SpanUnit } from '../formats/format.js'
import { detectFormat, formatOf } from '../formats/index.js'
import { textLabelFields } from '../records/labeled-text.js'
import {
  type Alongside,
  type NewDataset,
  type NewDatasetVersion,
  readDatasetRows,
  type SavedVersion,
  saveDatasetVersion,
} from '../store.js'
import type { DatasetKind, DatasetVersion } from '../version.js'
import { findDatasetByName, readVersionPage } from './dataset-store.js'
import { type FileFacts, noFacts, readRows } from './read-rows.js'

/** How a file is to be read, and what becomes of its rows. */
export interface ImportOptions {
  /** a name of formats/index.ts (default: what name and first bytes tell) */
  format?: string
  /** field of the file -> field of the row */
  mapping?: Readonly<Record<string, string>>
  /** how the file counts spans */
  spans?: SpanUnit
  /** unknown fields go into the row's `metadata` (default: left out, with a warning) */
  keepUnknown?: boolean
  /** add the rows to those of the latest version (default: they take its place) */
  append?: boolean
  /** of the version */
  description?: string
}

export interface ImportRequest extends ImportOptions {
  /** made when it is new */
  dataset: Pick<NewDataset, 'projectId' | 'name' | 'kind' | 'description' | 'tags'>
  source: ByteSource
  /** the file's name, for problems and to tell its format by (default `text 1`) */
  file?: string
  createdBy?: string
  now: Date
  first?: NewDatasetVersion['first']
  alongside?: Alongside<ImportReport & { isNewDataset: boolean }> | undefined
  /** called now and then with the rows read so far; a throw stops the import */
  onProgress?: (rows: number) => void | Promise<void>
}

export interface ImportReport {
  version: DatasetVersion
  /** false when the dataset had these very rows before */
  isNew: boolean
  format: string
  /** field of the file -> field of the row, as it was done */
  mapping: Record<string, string>
  /** labels that the file has, which the dataset must then have; null where nothing was mapped (the usual ones) */
  requiredLabels: string[] | null
  /** warnings, the first of them */
  problems: Problem[]
  problemCount: number
}

/** Problems that an answer carries at most. */
export const shownProblems = 1000
/** An import of which nothing is right is given up after so many errors. */
const mostErrors = 100_000
const progressEvery = 10_000

/**
 * Saves a file of examples as a new version of a dataset, all or nothing: BAD_INPUT with the problems of its lines when one has an error.
 * The file is read once, row by row: rows go to the blobs as they come, and a version refers to them only when all are there. What an
 * import that failed (or was killed) left in the blobs nothing refers to: the collector takes it.
 */
export async function importDataset(database: Database, blobs: RowBlobs, request: ImportRequest): Promise<ImportReport> {
  const { dataset, file = 'text 1', createdBy, now, append = false, description } = request
  const known = await findDatasetByName(database, dataset.projectId, dataset.name)
  if (known && known.kind !== dataset.kind)
    throw new EspalierError('CONFLICT', `dataset "${dataset.name}" holds rows of the kind ${known.kind}, found ${dataset.kind}`, {
      remedy: 'Import these rows under another name, or say which kind they are.',
    })
  const { format, source } = await chooseFormat(request, file)
  const facts = noFacts()
  const problems = new Collected()
  const reportOf = ({ version, isNew }: SavedVersion): ImportReport => ({
    version,
    isNew,
    format: format.name,
    mapping: Object.fromEntries(facts.mapped),
    requiredLabels: requiredLabels(facts),
    problems: problems.shown,
    problemCount: problems.count,
  })
  const [parent = null] = append && known ? await readVersionPage(database, known.id, { first: 1 }) : []
  const saved = await saveDatasetVersion(
    database,
    blobs,
    {
      dataset: { ...dataset, ...(createdBy && { createdBy }) },
      rows: rowsOf(readRows(source, { ...request, kind: dataset.kind, format, file }, facts), request, problems, parent, () =>
        parent ? readDatasetRows(database, blobs, parent.id) : none(),
      ),
      // read once the rows are through: by then the file has shown what it has
      get provenance() {
        return provenanceOf(file, format, facts, parent)
      },
      ...(parent && { parentId: parent.id }),
      ...(description !== undefined && { description }),
      ...(createdBy && { createdBy }),
      first: request.first,
      alongside: async (client, { isNewDataset, ...made }) => request.alongside?.(client, { ...reportOf(made), isNewDataset }),
    },
    now,
  )
  return reportOf(saved)
}

/** The format that was named, or the one that the file looks like; its first bytes are put back. */
export async function chooseFormat(
  { format, source }: { format?: string | undefined; source: ByteSource },
  file: string,
): Promise<{ format: DatasetFormat; source: ByteSource }> {
  if (format !== undefined) return { format: formatOf(format), source }
  const [head, all] = await peek(source)
  return { format: detectFormat(file, head), source: all }
}

async function* none(): AsyncGenerator<JsonValue> {}

/** Problems in bounded memory: the first of them, and how many there are. */
class Collected {
  readonly shown: Problem[] = []
  count = 0
  errors = 0

  add(problems: readonly Problem[]): void {
    for (const p of problems) {
      this.count++
      if (p.severity === 'error') this.errors++
      if (this.shown.length < shownProblems) this.shown.push(p)
    }
  }
}

/** The rows as they come. After the first error none is given on, but all are read, so that every problem is told; then it is thrown. */
async function* rowsOf(
  lines: AsyncIterable<{ row: Properties | null; problems: Problem[] }>,
  { dataset: { name, kind }, file = 'text 1', onProgress }: ImportRequest,
  problems: Collected,
  parent: DatasetVersion | null,
  earlier: () => AsyncIterable<JsonValue>,
): AsyncGenerator<JsonValue> {
  if (parent) yield* earlier()
  let rows = 0
  for await (const line of lines) {
    problems.add(line.problems)
    if (line.row && problems.errors === 0) {
      rows++
      yield line.row
    }
    if (problems.errors >= mostErrors) break
    if (onProgress && rows % progressEvery === 0) await onProgress(rows)
  }
  if (problems.errors === 0 && rows > 0) return
  const errors = problems.errors === 1 ? 'an error' : `${problems.errors} errors`
  throw new EspalierError('BAD_INPUT', `dataset ${name}: ${problems.errors > 0 ? `${file} has ${errors}` : `${file} has no row`}`, {
    remedy: `Correct the lines that are named; nothing was saved. ${remedies[kind] ?? ''}`.trim(),
    problems: problems.shown,
  })
}

const remedies: Partial<Record<DatasetKind, string>> = {
  ranking: 'A line of the kind ranking is an object of query_id and candidates.',
  node: 'A line of the kind node is an object of node_features (or nodes), edge_index and target.',
  graph: 'A line of the kind graph is an object of node_features (or nodes), edge_index and target.',
  sequence: 'A line of the kind sequence is an object of node_features (or nodes), edge_index and target.',
  'labeled-text': 'Fields under other names are mapped: `--map intent=expected_intent`.',
}

/** Which of the usual labels the file has, where its fields had other names: those, and no others, the dataset must then have. */
export function requiredLabels({ mapped, fields }: FileFacts): string[] | null {
  if (mapped.size === 0) return null
  return (['intent', 'sentiment'] as const).filter((label) => fields.has(textLabelFields[label]))
}

function provenanceOf(file: string, format: DatasetFormat, facts: FileFacts, parent: DatasetVersion | null): Properties {
  const required = requiredLabels(facts)
  const before = parent?.provenance['required_labels']
  return {
    imported: file,
    format: format.name,
    ...(facts.mapped.size > 0 && { mapping: Object.fromEntries(facts.mapped) }),
    ...(required ? { required_labels: required } : before !== undefined ? { required_labels: before } : {}),
    ...(parent && { appended_to: parent.id }),
  }
}
