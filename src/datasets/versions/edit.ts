import type { Database } from '../../postgres/sql.js'
import { EspalierError } from '../../util/error.js'
import type { Problem } from '../../util/problem.js'
import { problem } from '../../util/problem.js'
import type { JsonValue, Properties } from '../../vocabulary.js'
import type { RowBlobs } from '../chunks.js'
import { inherited, tablesOf } from '../lineage.js'
import type { DatasetKind } from '../records/index.js'
import { parseRow } from '../records/parse-row.js'
import { rowDigest, rowId } from '../records/row-key.js'
import { type Alongside, readDatasetRows, readDatasetVersion, saveDatasetVersion } from '../store.js'
import type { DatasetVersion } from '../version.js'

export interface ExampleEdits {
  /** the version that is edited: CONFLICT where it is no longer the latest */
  versionId: string
  /** rows that come after the others */
  add?: readonly JsonValue[]
  /** row key (id, or content hash) -> the fields that become others (null takes one off), or a whole row */
  change?: Readonly<Record<string, Properties>>
  /** row keys */
  remove?: readonly string[]
  description?: string
  createdBy?: string
  alongside?: Alongside<EditReport> | undefined
}

/** What an edit did. */
export interface EditReport {
  version: DatasetVersion
  /** false where nothing was changed by it */
  isNew: boolean
  added: number
  changed: number
  removed: number
}

/**
 * The rows of the latest version with some added, changed and removed, as a new version: minor, or major where its label set or its
 * columns are others now. All or nothing: BAD_INPUT names every row that does not fit its kind, and every key that no row has.
 */
export async function editExamples(database: Database, blobs: RowBlobs, edits: ExampleEdits, now: Date): Promise<EditReport> {
  const parent = await readDatasetVersion(database, edits.versionId)
  const report = { added: 0, changed: 0, removed: 0 }
  const added = parseAdded(parent.kind, edits.add ?? [])
  const rows = editRows(parent.kind, readDatasetRows(database, blobs, parent.id), added, edits, report)
  const { kind, projectId, datasetName: name } = parent
  const saved = await saveDatasetVersion(
    database,
    blobs,
    {
      dataset: { projectId, name, kind },
      rows,
      parentId: parent.id,
      reuse: false,
      description: edits.description ?? '',
      provenance: { ...inherited(parent), edited: parent.id },
      derivedFrom: tablesOf(parent),
      ...(edits.createdBy && { createdBy: edits.createdBy }),
      alongside: async (client, saved) => edits.alongside?.(client, { ...saved, ...report }),
    },
    now,
  )
  return { ...saved, ...report }
}

function parseAdded(kind: DatasetKind, add: readonly JsonValue[]): Properties[] {
  const problems: Problem[] = []
  const rows = add.map((row, i) => checkedRow(kind, row, `add[${i}]`, problems))
  const ids = new Set<string>()
  for (const [i, row] of rows.entries()) {
    const id = row && rowId(row)
    if (id !== null && ids.has(id)) problems.push(repeated(`add[${i}]`, id, 'Give each its own id, or none.'))
    else if (id !== null) ids.add(id)
  }
  refuse(problems)
  return rows as Properties[]
}

function checkedRow(kind: DatasetKind, row: JsonValue, where: string, problems: Problem[]): Properties | null {
  return parseRow(kind, row, (at, code, found, expected, { suggestion } = {}) =>
    // a field that there is not is an error here: an edit of nothing would go unnoticed
    problems.push(
      problem({
        ...{ code, where: at ? `${where}.${at}` : where, found: JSON.stringify(found) ?? 'nothing', expected },
        ...(suggestion && { suggestion }),
      }),
    ),
  )
}

function refuse(problems: readonly Problem[]): void {
  if (problems.some(({ severity }) => severity === 'error'))
    throw new EspalierError('BAD_INPUT', 'edit of a dataset: some rows cannot be saved', {
      remedy: 'Correct what is named; nothing was changed.',
      problems,
    })
}

const isHash = (key: string): boolean => /^[0-9a-f]{64}$/.test(key)

const repeated = (where: string, id: string, suggestion: string): Problem =>
  problem({ code: 'repeated-id', where, found: `several rows with the id "${id}"`, expected: 'an id of its own', suggestion })

async function* editRows(
  kind: DatasetKind,
  rows: AsyncIterable<JsonValue>,
  added: readonly Properties[],
  edits: ExampleEdits,
  report: { added: number; changed: number; removed: number },
): AsyncGenerator<JsonValue> {
  const { change = {}, remove = [] } = edits
  const [changing, removing] = [new Set(Object.keys(change)), new Set(remove)]
  const used = new Map<string, number>()
  const use = (key: string) => used.set(key, (used.get(key) ?? 0) + 1)
  const taken = new Map(added.map((row, i) => [rowId(row), i] as const))
  const byHash = [...changing, ...removing].some(isHash)
  const problems: Problem[] = []
  const keyIn = (row: JsonValue, keys: ReadonlySet<string>): string | undefined =>
    [rowId(row), byHash ? rowDigest(kind, row).toString('hex') : null].find((key): key is string => key !== null && keys.has(key))
  for await (const row of rows) {
    const id = rowId(row)
    const removed = removing.size > 0 ? keyIn(row, removing) : undefined
    if (removed !== undefined) {
      use(removed)
      report.removed++
      continue
    }
    if (id !== null && taken.has(id)) problems.push(repeated(`add[${taken.get(id)}]`, id, 'Change that row instead.'))
    const key = changing.size > 0 ? keyIn(row, changing) : undefined
    if (key === undefined) {
      yield row
      continue
    }
    use(key)
    report.changed++
    const changed = checkedRow(kind, { ...(row as Properties), ...change[key] }, `change["${key}"]`, problems)
    if (changed) yield changed
  }
  for (const key of [...changing, ...removing]) {
    if (!used.has(key))
      problems.push(
        problem({ code: 'no-such-row', where: key, found: 'no row with this id or content hash', expected: 'a row of the version' }),
      )
    else if (used.get(key)! > 1 && !isHash(key)) problems.push(repeated(key, key, 'Name the row by the hash of its content.'))
  }
  refuse(problems)
  report.added = added.length
  yield* added
}
