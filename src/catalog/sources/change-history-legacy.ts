import type { HistoryChange, HistoryColumn, HistoryTable } from './change-history-format.js'

/** What is wrong at a place of the file. */
export type Report = (where: string, found: string, expected: string) => void
type Loose = Readonly<Record<string, unknown>>

const isObject = (value: unknown): value is Loose => typeof value === 'object' && value !== null && !Array.isArray(value)
const first = (object: Loose, ...keys: readonly string[]): unknown =>
  keys.map((key) => object[key]).find((v) => v !== undefined && v !== null)
const text = (value: unknown): string | undefined => (typeof value === 'string' && value.trim() !== '' ? value.trim() : undefined)

/**
 * The loose shape that such files had before there was a format: tables under `tables`, `data` or at the top, by name or in a list; their
 * columns under `columns` or `schema`, by name or in a list; per column `type` or `data_type`, `nullable`, `timestamp` or `changed_at`,
 * `status`, `previous_type`. Several entries of one name, or a list `changes` or `history`, are several changes.
 */
export function readLegacy(file: unknown, report: Report): HistoryTable[] {
  const [holder, at] = holderOf(file)
  return entriesOf(holder, at, ['name', 'table_name', 'table', 'id']).flatMap(({ name, value, where }) => {
    const columns = isObject(value) ? columnsOf(value) : undefined
    if (!isObject(value) || columns === undefined) {
      // what stands beside the tables at the top (a version, a date) is none
      if (at !== '' || isObject(value)) if (at !== '') report(where, preview(value), 'a table with "columns" or "schema"')
      return []
    }
    return [readTable(name, value, columns, where, report)]
  })
}

function holderOf(file: unknown): [holder: unknown, at: string] {
  for (const key of ['tables', 'data']) {
    const inner = isObject(file) ? file[key] : undefined
    if (typeof inner === 'object' && inner !== null) {
      // { data: { tables: … } }
      const [deeper, at] = key === 'data' ? holderOf(inner) : [inner, '']
      return [deeper, `/${key}${at}`]
    }
  }
  return [file, '']
}

/** `columns` or `schema`, where it holds columns and is no name of a schema. */
const columnsOf = (table: Loose): unknown =>
  [table['columns'], table['schema'], table['fields']].find((v) => typeof v === 'object' && v !== null)

interface Entry {
  name: string
  value: unknown
  where: string
}

/** The members of an object by their keys, those of a list by what they are called. */
function entriesOf(holder: unknown, at: string, names: readonly string[]): Entry[] {
  if (Array.isArray(holder))
    return holder.map((value: unknown, i) => ({
      name: text(isObject(value) ? first(value, ...names) : value) ?? '',
      value,
      where: `${at}/${i}`,
    }))
  return isObject(holder) ? Object.entries(holder).map(([name, value]) => ({ name, value, where: `${at}/${name}` })) : []
}

function readTable(key: string, value: Loose, columns: unknown, where: string, report: Report): HistoryTable {
  const written = text(first(value, 'table_name', 'name')) ?? key
  const dot = written.lastIndexOf('.')
  const database =
    text(first(value, 'database', 'db', 'schema_name')) ?? text(value['schema']) ?? (dot > 0 ? written.slice(0, dot) : undefined)
  const name = dot > 0 && database !== undefined && written.startsWith(`${database}.`) ? written.slice(dot + 1) : written
  if (name === '') report(where, preview(value), 'a table with a name')
  const byName = new Map<string, HistoryColumn>()
  for (const entry of entriesOf(columns, where, ['name', 'column_name', 'column', 'field'])) {
    if (entry.name === '') report(entry.where, preview(entry.value), 'a column with a name')
    else {
      const known = byName.get(entry.name) ?? { name: entry.name, changes: [] }
      known.changes.push(...readChanges(entry, report))
      byName.set(entry.name, known)
    }
  }
  const comment = text(first(value, 'comment', 'description'))
  return {
    name: name || where,
    columns: [...byName.values()].filter((c) => c.changes.length > 0),
    ...(database === undefined ? {} : { database }),
    ...(comment === undefined ? {} : { comment }),
  }
}

function readChanges({ value, where }: Entry, report: Report): HistoryChange[] {
  // "id": "bigint"; ["id", "name"]
  if (typeof value === 'string') return [/\/\d+$/.test(where) ? { status: 'added' } : { status: 'added', type: value }]
  const list = isObject(value) ? first(value, 'changes', 'history') : value
  if (Array.isArray(list)) {
    const own = isObject(value) && typeof first(value, 'type', 'data_type') === 'string' ? [readChange(value, where, report)] : []
    return [...list.flatMap((v, i) => (isObject(v) ? [readChange(v, `${where}/${i}`, report)] : [])), ...own]
  }
  if (isObject(value)) return [readChange(value, where, report)]
  report(where, preview(value), 'what is said of a column: an object, or its type')
  return []
}

const statuses: Readonly<Record<string, HistoryChange['status']>> = {
  added: 'added',
  add: 'added',
  new: 'added',
  created: 'added',
  active: 'added',
  unchanged: 'added',
  existing: 'added',
  removed: 'removed',
  remove: 'removed',
  deleted: 'removed',
  dropped: 'removed',
  modified: 'modified',
  modify: 'modified',
  changed: 'modified',
  updated: 'modified',
  altered: 'modified',
  type_changed: 'modified',
}

function readChange(value: Loose, where: string, report: Report): HistoryChange {
  const written = text(first(value, 'status', 'change', 'change_type', 'action'))
  const previousType = text(first(value, 'previous_type', 'previousType', 'old_type', 'previous_data_type'))
  const status = statuses[written?.toLowerCase() ?? (previousType === undefined ? 'added' : 'modified')]
  if (status === undefined) report(where, `status "${written}"`, 'added, modified or removed')
  const type = text(first(value, 'type', 'data_type', 'dataType', 'new_type'))
  const nullable = nullableOf(first(value, 'nullable', 'is_nullable'))
  const comment = text(first(value, 'comment', 'description'))
  const moment = first(value, 'timestamp', 'changed_at', 'at', 'changedAt', 'date')
  const at = momentOf(moment)
  if (moment !== undefined && at === undefined)
    report(where, `time ${preview(moment)}`, 'a date like 2024-01-31T12:00:00Z, or seconds since 1970')
  return {
    status: status ?? 'modified',
    ...(type === undefined ? {} : { type }),
    ...(previousType === undefined ? {} : { previousType }),
    ...(nullable === undefined ? {} : { nullable }),
    ...(comment === undefined ? {} : { comment }),
    ...(at === undefined ? {} : { at }),
  }
}

function nullableOf(value: unknown): boolean | undefined {
  if (typeof value === 'boolean') return value
  if (typeof value !== 'string') return undefined
  return /^(?:yes|y|true|1)$/i.test(value) ? true : /^(?:no|n|false|0)$/i.test(value) ? false : undefined
}

/** ISO 8601 (without a zone it is UTC), or seconds or milliseconds since 1970. */
function momentOf(value: unknown): string | undefined {
  const number = typeof value === 'number' ? value : typeof value === 'string' && /^\d{9,13}$/.test(value) ? Number(value) : Number.NaN
  if (Number.isFinite(number)) return iso(number < 1e11 ? number * 1000 : number)
  if (typeof value !== 'string' || !/^\d{4}-\d{2}/.test(value)) return undefined
  const written = value.trim().replace(' ', 'T')
  return iso(Date.parse(/[Zz]$|[+-]\d{2}:?\d{2}$/.test(written) || !written.includes('T') ? written : `${written}Z`))
}

const iso = (milliseconds: number): string | undefined => (Math.abs(milliseconds) < 8e12 ? new Date(milliseconds).toISOString() : undefined)

const preview = (value: unknown): string => JSON.stringify(value)?.slice(0, 80) ?? 'nothing'
