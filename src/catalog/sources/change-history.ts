import { messageOf } from '../../util/error.js'
import { type Problem, problem } from '../../util/problem.js'
import type { NodeKind, Properties } from '../../vocabulary.js'
import type { Fact, Moment, NodeFact, ParsedSource, SourceContext } from '../fact.js'
import { nodeId } from '../identity.js'
import { foldHive, qualify } from '../sql/names.js'
import { canonicalType, parseType, printType } from '../sql/type-tree.js'
import { changeHistoryFile, changeHistoryMark, type HistoryChange, type HistoryTable } from './change-history-format.js'
import { readLegacy } from './change-history-legacy.js'
import { controlMJson } from './control-m-json.js'
import { type Source, wholeText } from './source.js'

/**
 * `json_with_changes.json`: what happened to columns, and when. The file tells of several moments: each is a snapshot of its own (only
 * what changed then), and what stands after all of them is said at the time of the ingest. Our own versioned format
 * (`schema/change-history.schema.json`), or the loose shape from before. A Control-M JSON that was given in its place is read as one.
 */
export const changeHistory: Source = {
  name: 'Change history',
  extensions: ['.json'],
  looksLike: (head) =>
    head.includes(`"${changeHistoryMark}"`) ||
    (/"(?:columns|schema|fields)"\s*:\s*[[{]/.test(head) &&
      /"(?:previous_type|changed_at)"\s*:|"status"\s*:\s*"(?:added|removed|modified)"/.test(head)),
  parse: parseChangeHistory,
  byContentOnly: true,
  tellsTimes: true,
}

async function parseChangeHistory(source: Parameters<Source['parse']>[0], context: SourceContext): Promise<ParsedSource> {
  const text = await wholeText(source)
  if (controlMJson.looksLike(text.slice(0, 4000))) return controlMJson.parse(text, context)
  const problems: Problem[] = []
  const report = (where: string, found: string, expected: string): void => {
    problems.push(problem({ code: 'change-history', where: `${context.file}${where}`, found, expected }))
  }
  let file: unknown
  try {
    file = JSON.parse(text)
  } catch (thrown) {
    report('', messageOf(thrown), 'JSON')
    return { facts: [], problems }
  }
  const tables =
    (file as { format?: unknown } | null)?.format === changeHistoryMark ? readVersioned(file, report) : readLegacy(file, report)
  if (tables.length === 0 && problems.length === 0) report('', 'no table with columns', 'tables, each with "columns" or "schema"')
  const history = new History(context)
  for (const table of tables) history.table(table)
  return { ...history.finish(), problems }
}

function readVersioned(file: unknown, report: (where: string, found: string, expected: string) => void): HistoryTable[] {
  const parsed = changeHistoryFile.safeParse(file)
  if (parsed.success) return parsed.data.tables
  for (const { path, message } of parsed.error.issues.slice(0, 20))
    report(`/${path.join('/')}`, message, 'a change history of version 1 (schema/change-history.schema.json)')
  return []
}

/** What a column is at a time. */
interface State {
  type: string | undefined
  nullable: boolean | undefined
  comment: string | undefined
}

/** Turns changes into facts: per moment, and what stands at the end. */
class History {
  /** time -> what it is about -> its facts; of several changes at one time the last counts */
  private readonly moments = new Map<number, Map<string, Fact[]>>()
  private readonly final: Fact[] = []

  constructor(private readonly context: SourceContext) {}

  finish(): Pick<ParsedSource, 'facts' | 'moments'> {
    const moments = [...this.moments]
      .sort(([a], [b]) => a - b)
      .map(([at, said]): Moment => ({ observedAt: new Date(at), facts: [...said.values()].flat() }))
    return { facts: this.final, ...(moments.length > 0 ? { moments } : {}) }
  }

  table(table: HistoryTable): void {
    const database = table.database ?? this.context.defaultDatabase ?? 'default'
    const name = { database, table: table.name }
    let stands = table.columns.length === 0
    table.columns.forEach(({ name: column, changes }, i) => {
      const end = this.column({ ...name, column, ordinal: i + 1 }, changes)
      if (end) stands = true
    })
    if (stands) this.final.push(...this.tableFacts(name.database, name.table, table.comment))
  }

  /** Answers whether the column stands at the end. */
  private column(place: ColumnPlace, changes: readonly HistoryChange[]): boolean {
    const dated = changes.flatMap((c) => (c.at === undefined ? [] : [{ ...c, time: Date.parse(c.at) }]))
    let state: State | null = null
    for (const change of dated.toSorted((a, b) => a.time - b.time)) {
      const before = previousOf(change, state)
      // the file says how it was until then: true one millisecond before
      if (before && !isSame(before, state)) this.say(change.time - 1, place, before)
      state = nextOf(change, before ?? state)
      this.say(change.time, place, state)
    }
    for (const change of changes.filter((c) => c.at === undefined)) state = nextOf(change, state)
    this.final.push(...this.columnFacts(place, state))
    return state !== null
  }

  private say(at: number, place: ColumnPlace, state: State | null): void {
    const said = this.moments.get(at) ?? new Map<string, Fact[]>()
    this.moments.set(at, said)
    if (state) said.set(qualify(place.database, place.table), this.tableFacts(place.database, place.table, undefined))
    said.set(qualify(place.database, place.table, place.column), this.columnFacts(place, state))
  }

  private id = (kind: NodeKind, qualifiedName: string): string =>
    nodeId(this.context.projectId, this.context.systemId, kind, foldHive(qualifiedName))
  private provenance = (location: string) => ({ dialect: 'change-history', file: this.context.file, location })

  private tableFacts(database: string, table: string, comment: string | undefined): Fact[] {
    const qualifiedName = qualify(database, table)
    const provenance = this.provenance(`table ${qualifiedName}`)
    const partial = { partial: true as const, provenance, fact: 'node' as const }
    const properties: Properties = comment === undefined ? {} : { comment }
    const databaseId = this.id('Database', qualify(database))
    const tableId = this.id('Table', qualifiedName)
    return [
      { ...partial, id: databaseId, kind: 'Database', name: database, qualifiedName: qualify(database), properties: {} },
      { ...partial, id: tableId, kind: 'Table', name: table, qualifiedName, properties },
      { fact: 'edge', sourceId: databaseId, label: 'CONTAINS', targetId: tableId, properties: {}, provenance },
    ]
  }

  private columnFacts({ database, table, column, ordinal }: ColumnPlace, state: State | null): Fact[] {
    const qualifiedName = qualify(database, table, column)
    const id = this.id('Column', qualifiedName)
    const provenance = this.provenance(`column ${qualifiedName}`)
    if (!state) return [{ fact: 'removal', id, provenance }]
    const node: NodeFact = {
      fact: 'node',
      id,
      kind: 'Column',
      name: column,
      qualifiedName,
      properties: propertiesOf(state, ordinal),
      provenance,
    }
    const tableId = this.id('Table', qualify(database, table))
    return [node, { fact: 'edge', sourceId: tableId, label: 'HAS_COLUMN', targetId: id, properties: {}, provenance }]
  }
}

interface ColumnPlace {
  database: string
  table: string
  column: string
  /** in the file: it stays when others go */
  ordinal: number
}

/** How the column was until a change, as far as it or those before say. */
function previousOf(change: HistoryChange, state: State | null): State | null {
  if (change.previousType !== undefined) return { ...(state ?? unknownState), type: change.previousType }
  // something was there before it was changed or taken away
  if (state === null && change.status === 'removed') return { ...unknownState, type: change.type, nullable: change.nullable }
  return null
}

const unknownState: State = { type: undefined, nullable: undefined, comment: undefined }
const isSame = (a: State, b: State | null): boolean =>
  b !== null && a.type === b.type && a.nullable === b.nullable && a.comment === b.comment

function nextOf(change: HistoryChange, before: State | null): State | null {
  if (change.status === 'removed') return null
  return {
    type: change.type ?? before?.type,
    nullable: change.nullable ?? before?.nullable,
    comment: change.comment ?? before?.comment,
  }
}

function propertiesOf({ type: written, nullable, comment }: State, ordinal: number): Properties {
  const type = written === undefined ? null : parseType(written)
  const canonical = type ? canonicalType(type) : null
  return {
    ordinal,
    ...(written === undefined ? {} : { data_type: type ? printType(type) : written }),
    ...(type ? { type_tree: JSON.parse(JSON.stringify(type)) as Properties } : {}),
    ...(canonical ? { canonical_type: canonical } : {}),
    ...(nullable === undefined ? {} : { nullable }),
    ...(comment === undefined ? {} : { comment }),
  }
}
