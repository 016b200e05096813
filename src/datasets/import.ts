import type { Database } from '../postgres/sql.js'
import { EspalierError } from '../util/error.js'
import type { Problem } from '../util/problem.js'
import type { JsonValue } from '../vocabulary.js'
import type { RowBlobs } from './chunks.js'
import { readGraphJsonl } from './formats/graph-jsonl.js'
import { graphRow } from './formats/graph-row.js'
import type { TextChunks } from './formats/lines.js'
import { readRankingJsonl } from './formats/ranking-jsonl.js'
import { rankingRow } from './formats/ranking-row.js'
import { saveDatasetVersion } from './store.js'
import type { DatasetKind, DatasetVersion } from './version.js'

export interface ImportRequest {
  projectId: string
  /** of the dataset; made when it is new */
  name: string
  /** what a line holds: a ranking list, or a graph of which a node, a label or a sequence is asked */
  kind: DatasetKind
  source: TextChunks
  /** for `where` of problems (default `text 1`) */
  file?: string
  description?: string
  createdBy?: string
  now: Date
}

export interface ImportReport {
  version: DatasetVersion
  /** false when the dataset had these very rows before */
  isNew: boolean
  /** warnings */
  problems: Problem[]
}

/** Lines of a file of this kind as rows, or what is wrong with them. */
async function* readRows({ kind, source, file }: ImportRequest): AsyncGenerator<{ row: JsonValue | null; problems: Problem[] }> {
  const named = file === undefined ? {} : { file }
  if (kind === 'ranking')
    for await (const { list, problems } of readRankingJsonl(source, named)) yield { row: list && rankingRow(list), problems }
  else
    for await (const { example, problems } of readGraphJsonl(source, { kind, ...named }))
      yield { row: example && graphRow(example), problems }
}

const fieldsOf = (kind: DatasetKind) => (kind === 'ranking' ? 'query_id and candidates' : 'node_features (or nodes), edge_index and target')

/** Problems that an answer carries at most. */
const shownProblems = 1000

/**
 * Saves a file of examples (JSONL) as a new version of a dataset, all or nothing: BAD_INPUT with every problem when a line has an error.
 */
export async function importDataset(database: Database, blobs: RowBlobs, request: ImportRequest): Promise<ImportReport> {
  const { projectId, name, kind, file = 'text 1', description, createdBy, now } = request
  const rows: JsonValue[] = []
  const problems: Problem[] = []
  for await (const line of readRows(request)) {
    if (line.row !== null) rows.push(line.row)
    problems.push(...line.problems.slice(0, shownProblems - problems.length))
  }
  const errors = problems.filter((p) => p.severity === 'error')
  if (errors.length > 0 || rows.length === 0)
    throw new EspalierError('BAD_INPUT', `dataset ${name}: ${errors.length > 0 ? `${file} has errors` : `${file} has no line`}`, {
      remedy: `Correct the lines that are named; a line of the kind ${kind} is an object of ${fieldsOf(kind)}.`,
      problems,
    })
  const { version, isNew } = await saveDatasetVersion(
    database,
    blobs,
    {
      dataset: { projectId, name, kind, ...(description !== undefined && { description }), ...(createdBy && { createdBy }) },
      rows,
      provenance: { imported: file },
      ...(createdBy && { createdBy }),
    },
    now,
  )
  return { version, isNew, problems }
}
