import { EspalierError } from '../../util/error.js'
import { canonicalJson } from '../../util/hash.js'
import { hash53 } from '../../util/hash53.js'
import { type Problem, problem } from '../../util/problem.js'
import type { JsonValue, Properties } from '../../vocabulary.js'
import { recordKinds } from '../records/index.js'
import { isObject } from '../records/record-kind.js'
import type { DatasetKind } from '../version.js'
import { NumberColumn, Numbering } from './columns.js'
import type { SplitMethod, SplitOptions } from './options.js'

/** What a split is decided by and judged by: a few numbers a row, never the rows. NaN: the row has none. */
export interface SplitKeys {
  rows: number
  /** hash of the normalised text, or of the whole row where its kind has no text */
  content: Float64Array
  /** stratum or group, numbered from 0; absent for random and time */
  classes: Float64Array | null
  classNames: readonly string[]
  /** hash of the group that must not leak */
  groups: Float64Array | null
  /** milliseconds since 1970 */
  times: Float64Array | null
}

type Rows = Iterable<JsonValue> | AsyncIterable<JsonValue>

/** Letters and digits in lower case, one space between words: what makes two texts the same to a model. */
export const comparableText = (text: string): string =>
  text
    .normalize('NFKC')
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, ' ')
    .trim()

/** The field at a path: its whole name first (columns may hold dots), then member by member. */
export function fieldAt(row: Properties, path: string): JsonValue | undefined {
  if (Object.hasOwn(row, path)) return row[path]
  let value: JsonValue | undefined = row
  for (const step of path.split('.')) value = isObject(value) && Object.hasOwn(value, step) ? value[step] : undefined
  return value
}

/** A moment as milliseconds since 1970 (a number is taken as that; a text without an offset as UTC); NaN for anything else. */
export function momentOf(value: JsonValue | undefined): number {
  if (typeof value === 'number') return value
  if (typeof value !== 'string') return Number.NaN
  const local = /^\d{4}-\d\d-\d\dT[\d:.]+$/.test(value)
  return /^\d{4}-\d\d-\d\d/.test(value) ? Date.parse(local ? `${value}Z` : value) : Number.NaN
}

/** More values than this and a field is no stratum. */
const maxStrata = 10_000
/** Rows that are named of those that cannot be placed. */
const named = 20

/** What decides where nothing is named: the first label set, the group, the moment. */
function defaultField(kind: DatasetKind, method: SplitMethod): string | null {
  if (method === 'group') return ['ranking', 'node', 'graph', 'sequence'].includes(kind) ? 'group' : null
  if (method !== 'time') return null
  return { 'labeled-text': 'created_at', 'query-event': 'create_time' }[kind as string] ?? null
}

function decidingField(kind: DatasetKind, { method, by }: SplitOptions): string | null {
  const field = by ?? defaultField(kind, method)
  if (field !== null || method === 'random' || (method === 'stratified' && recordKinds[kind].labels)) return field
  throw new EspalierError('BAD_INPUT', `split: found no \`by\` for rows of the kind ${kind}, expected the field that decides`, {
    remedy: `Name the field by which a ${method} split is made.`,
  })
}

/** The text of a value by which rows are held together or apart; null where there is none. */
function nameOf(value: JsonValue | undefined): string | null {
  if (value === undefined || value === null || value === '') return null
  return typeof value === 'string' ? value : canonicalJson(value)
}

/** Reads rows once and keeps their keys. BAD_INPUT names the rows that cannot be placed: no group, or no moment. */
export async function collectKeys(rows: Rows, kind: DatasetKind, options: SplitOptions): Promise<SplitKeys> {
  const collector = new KeyCollector(kind, options)
  for await (const row of rows) collector.add(row as Properties)
  return collector.keys()
}

class KeyCollector {
  private readonly record
  private readonly field: string | null
  private readonly groupField: string | undefined
  private readonly timeField: string | undefined
  private readonly content = new NumberColumn()
  private readonly classes = new NumberColumn()
  private readonly groups = new NumberColumn()
  private readonly times = new NumberColumn()
  private readonly names = new Numbering<string>()
  private readonly problems: Problem[] = []
  private unplaced = 0

  constructor(
    kind: DatasetKind,
    private readonly options: SplitOptions,
  ) {
    this.record = recordKinds[kind]
    this.field = decidingField(kind, options)
    this.groupField = options.group ?? (options.method === 'group' ? this.field! : undefined)
    this.timeField = options.method === 'time' ? this.field! : options.time
  }

  add(row: Properties): void {
    this.content.push(this.contentOf(row))
    const { method } = this.options
    if (method === 'group' || method === 'stratified') this.classes.push(this.classOf(row))
    if (this.groupField !== undefined) {
      const group = nameOf(fieldAt(row, this.groupField))
      this.groups.push(group === null ? Number.NaN : hash53(group))
    }
    if (this.timeField === undefined) return
    const value = fieldAt(row, this.timeField)
    const time = momentOf(value)
    if (Number.isNaN(time) && method === 'time') this.refuse(this.timeField, value, 'a moment (ISO 8601, or milliseconds since 1970)')
    this.times.push(time)
  }

  keys(): SplitKeys {
    if (this.unplaced > 0)
      throw new EspalierError('BAD_INPUT', `split by ${this.options.method}: ${this.unplaced} row(s) cannot be placed`, {
        problems: this.problems,
        remedy: 'Give these rows a value, drop them, or split by another field.',
      })
    const given = (column: NumberColumn) => (column.length > 0 ? column.view() : null)
    return {
      rows: this.content.length,
      content: this.content.view(),
      classes: given(this.classes),
      classNames: this.names.keys(),
      groups: given(this.groups),
      times: given(this.times),
    }
  }

  private contentOf(row: Properties): number {
    if (!this.record.text) return hash53(canonicalJson(row))
    const text = comparableText(this.record.text(row))
    return text === '' ? Number.NaN : hash53(text)
  }

  private classOf(row: Properties): number {
    const { method } = this.options
    const name = this.field === null ? labelName(this.record.labels!(row)) : nameOf(fieldAt(row, this.field))
    if (name === null && method === 'group') this.refuse(this.field!, null, 'the name of what the row is held together with')
    const number = this.names.of(name ?? '')
    if (method === 'stratified' && number >= maxStrata)
      throw new EspalierError('BAD_INPUT', `split by stratum: ${this.field ?? 'the labels'} has more than ${maxStrata} values`, {
        remedy: 'Name a field of few values, or split at random.',
      })
    return number
  }

  private refuse(field: string, value: JsonValue | undefined, expected: string): void {
    this.unplaced++
    if (this.problems.length >= named) return
    const found = value === undefined || value === null ? 'nothing' : canonicalJson(value)
    this.problems.push(problem({ code: 'split-key', where: `row ${this.content.length}, ${field}`, found, expected }))
  }
}

/** The first label of the first set that the row has. */
function labelName(labels: Readonly<Record<string, readonly string[]>>): string | null {
  for (const set in labels) if (labels[set]![0] !== undefined) return labels[set]![0]
  return null
}
