import { nameTokens } from '../../util/words.js'
import { parseTypeName } from '../type-name.js'
import type { SchemaHistory } from './snapshots.js'
import { inOrder, type LiveColumn, type LiveTable, moments, type SchemaChange, type Step, Timeline } from './timeline.js'

export const dayMs = 86_400_000
/** Days between the dates at which a history is looked at. */
export const gridDays = 30
export const units = ['column', 'table'] as const
export type Unit = (typeof units)[number]

/** A column or table as it was known at one moment: nothing in it depends on anything later. */
export interface PanelRow {
  at: number
  id: string
  table: string
  /** features, in the order of `featureNames[unit]` */
  x: readonly number[]
  /** changes per day by counting alone: own history shrunk to that of its kin, that to the project's */
  rate: number
  /** days since it last changed (or came); infinite where it was there from the first look on and never changed */
  recency: number
  /** base type of a column; '' of a table */
  type: string
  name: string
}

export interface Panel {
  rows: Record<Unit, PanelRow[]>
  /** all changes, in order of time, those after the last date too */
  changes: SchemaChange[]
}

/**
 * What the models look at; they see it beside the mean of the same moment, so that it says who rather than when: the histories of a few
 * projects hold too few releases to learn when. Rates are natural logs of changes
 * a year, shrunk to the project's by pseudo-exposure.
 */
export const featureNames = {
  column: [
    'age',
    'there from the first look on',
    'newborn',
    'past changes',
    'changed lately (90 d)',
    'changed lately (2 y)',
    'rate of its type',
    'rate of its type of late',
    'rate of its last name token of late',
    'rate of its table',
    'table changed lately (90 d)',
    'table changed lately (2 y)',
    'columns of the table',
    'place in the table',
    'neighbours changed lately',
    'nullable',
    'text',
    'sized',
    'rate by counting',
  ],
  table: [
    'age',
    'there from the first look on',
    'newborn',
    'past changes',
    'changed lately (90 d)',
    'changed lately (2 y)',
    'rate of its own',
    'columns',
    'share of changed columns',
    'rate of tables with its first name token of late',
    'rate by counting',
  ],
} as const satisfies Record<Unit, readonly string[]>

/** Events and the exposure they had, both fading with a half-life (or never). */
class FadingRate {
  #events = 0
  #days = 0
  #at: number | null = null
  readonly #halfLife: number
  constructor(halfLifeDays = Number.POSITIVE_INFINITY) {
    this.#halfLife = halfLifeDays
  }
  #fade(at: number): void {
    const factor = this.#at === null ? 1 : 0.5 ** ((at - this.#at) / dayMs / this.#halfLife)
    this.#events *= factor
    this.#days *= factor
    this.#at = at
  }
  /** `days` of exposure that ended at `at`, faded exactly: watching in two parts is watching once */
  watch(at: number, days: number): void {
    this.#fade(at)
    const scale = this.#halfLife / Math.LN2
    this.#days += Number.isFinite(scale) ? scale * -Math.expm1(-days / scale) : days
  }
  hit(at: number): void {
    this.#fade(at)
    this.#events++
  }
  /** per day, with `priorDays` of exposure at the parent's rate */
  rate(at: number, parent: number, priorDays: number): number {
    this.#fade(at)
    return (this.#events + priorDays * parent) / (this.#days + priorDays)
  }
}

/** Half a change over a thousand unit-years: what is believed before anything was seen. */
const firstRate = 0.05 / 365
const years = 365
/** exposure (unit-days) that the level above is worth */
const prior = { project: 20 * years, kin: 20 * years, own: 3 * years }
const lateDays = 365
const log = (perDay: number) => Math.log(perDay * years)
const lastToken = (name: string) => nameTokens(name).at(-1) ?? ''
const firstToken = (name: string) => nameTokens(name.split(/[.:/]/).at(-1) ?? '')[0] ?? ''
const fading = (days: number, scale: number) => Math.exp(-days / scale)

class Rates {
  readonly #all = new Map<string, FadingRate>()
  #of(key: string): FadingRate {
    const known = this.#all.get(key)
    if (known) return known
    const made = new FadingRate(key.startsWith('late ') ? lateDays : undefined)
    this.#all.set(key, made)
    return made
  }
  watch(key: string, at: number, days: number): void {
    this.#of(key).watch(at, days)
  }
  hit(key: string, at: number): void {
    this.#of(key).hit(at)
  }
  rate(key: string, at: number, parent: number, priorDays: number): number {
    return this.#of(key).rate(at, parent, priorDays)
  }
}

const keysOfColumn = (column: LiveColumn): string[] => {
  const { base } = parseTypeName(column.type)
  return [
    ...['all', 'late all', `type ${base}`, `late type ${base}`],
    ...[`late token ${lastToken(column.name)}`, `table ${column.table}`, `name ${lastToken(column.name)}`],
  ]
}
const keysOfTable = (table: LiveTable): string[] => ['tables', 'late tables', `own ${table.id}`, `late first ${firstToken(table.id)}`]

/** Replays a history and writes down, at each of `dates`, what was known then about every live column and table. */
export function buildPanel({ events, observedAt }: SchemaHistory, dates: readonly number[]): Panel {
  const recorder = new Recorder()
  const panel: Panel = { rows: { column: [], table: [] }, changes: [] }
  const due = [...dates].sort((a, b) => a - b)
  const first = Math.min(...observedAt.map(Number), ...events.map((event) => event.at.getTime()))
  const recordUpTo = (time: number, inclusive: boolean) => {
    while (due.length > 0 && (due[0]! < time || (inclusive && due[0] === time))) recorder.record(due.shift()!, first, panel)
  }
  for (const moment of moments(inOrder(events))) {
    recordUpTo(moment.at, false)
    panel.changes.push(...recorder.apply(moment.at, moment.events))
  }
  recordUpTo(Number.POSITIVE_INFINITY, true)
  return panel
}

class Recorder {
  readonly #timeline = new Timeline()
  readonly #rates = new Rates()
  #watchedTo: number | null = null

  apply(at: number, events: Parameters<Timeline['apply']>[1]): SchemaChange[] {
    this.#watch(at)
    const kin = new Map<string, string[]>()
    for (const column of this.#timeline.columns()) kin.set(column.id, keysOfColumn(column))
    const tables = new Map([...this.#timeline.tables.values()].map((table) => [table.id, keysOfTable(table)]))
    const step = this.#timeline.apply(at, events)
    const touched = touchedBy(step)
    for (const id of touched.columns) for (const key of kin.get(id) ?? []) this.#rates.hit(key, at)
    for (const id of touched.tables) for (const key of tables.get(id) ?? []) this.#rates.hit(key, at)
    return step.changes
  }

  /** Adds the time since the last look to the exposure of all that was live. */
  #watch(at: number): void {
    const days = this.#watchedTo === null ? 0 : (at - this.#watchedTo) / dayMs
    this.#watchedTo = at
    if (days <= 0) return
    for (const table of this.#timeline.tables.values()) {
      for (const key of keysOfTable(table)) this.#rates.watch(key, at, days)
      for (const column of table.columns.values()) for (const key of keysOfColumn(column)) this.#rates.watch(key, at, days)
    }
  }

  record(at: number, first: number, panel: Panel): void {
    this.#watch(at)
    for (const table of this.#timeline.tables.values()) {
      panel.rows.table.push(this.#tableRow(table, at, first))
      for (const column of table.columns.values()) panel.rows.column.push(this.#columnRow(column, table, at, first))
    }
  }

  #project(at: number, unit: Unit): { overall: number; late: number } {
    const [all, late] = unit === 'column' ? ['all', 'late all'] : ['tables', 'late tables']
    const overall = this.#rates.rate(all!, at, firstRate, prior.project)
    return { overall, late: this.#rates.rate(late!, at, overall, prior.project) }
  }

  #columnRow(column: LiveColumn, table: LiveTable, at: number, first: number): PanelRow {
    const { base, size } = parseTypeName(column.type)
    const { overall, late } = this.#project(at, 'column')
    const type = this.#rates.rate(`type ${base}`, at, overall, prior.kin)
    const typeLate = this.#rates.rate(`late type ${base}`, at, late, prior.kin)
    const tokenLate = this.#rates.rate(`late token ${lastToken(column.name)}`, at, late, prior.kin / 2)
    const ofTable = this.#rates.rate(`table ${table.id}`, at, overall, prior.kin)
    const token = this.#rates.rate(`name ${lastToken(column.name)}`, at, type, prior.kin / 2)
    const past = life(column, at, first)
    const rate = (column.changes + prior.own * Math.sqrt(token * ofTable)) / ((at - column.born) / dayMs + prior.own)
    return {
      ...{ at, id: column.id, table: table.id, type: base, name: column.name, recency: past.recency },
      rate,
      x: [
        ...past.x,
        ...[log(type), log(typeLate), log(tokenLate), log(ofTable)],
        ...sinceChange(table, at),
        ...[Math.log(table.columns.size), (column.ordinal ?? 0) / (table.columns.size + 1), neighbours(column, table, at)],
        ...[Number(column.nullable === true), Number(/char|text|blob|binary|string/.test(base))],
        ...[Number(size !== ''), log(rate)],
      ],
    }
  }

  #tableRow(table: LiveTable, at: number, first: number): PanelRow {
    const { overall, late } = this.#project(at, 'table')
    const own = this.#rates.rate(`own ${table.id}`, at, overall, prior.own)
    const kin = this.#rates.rate(`late first ${firstToken(table.id)}`, at, late, prior.kin / 2)
    const changed = [...table.columns.values()].filter((column) => column.changes > 0).length / table.columns.size
    const past = life(table, at, first)
    return {
      ...{ at, id: table.id, table: table.id, type: '', name: table.id, recency: past.recency, rate: own },
      x: [...past.x, log(own), Math.log(table.columns.size), changed, log(kin), log(own)],
    }
  }
}

const sinceChange = ({ lastChange }: { lastChange: number | null }, at: number): [number, number] => {
  const days = lastChange === null ? Number.POSITIVE_INFINITY : (at - lastChange) / dayMs
  return [fading(days, 90), fading(days, 730)]
}

/** What age and its own past say. */
function life(of: { born: number; lastChange: number | null; changes: number }, at: number, first: number) {
  const age = (at - of.born) / dayMs
  const initial = of.born <= first
  const since = of.lastChange ?? (initial ? null : of.born)
  return {
    recency: since === null ? Number.POSITIVE_INFINITY : (at - since) / dayMs,
    x: [Math.log1p(age / years), Number(initial), initial ? 0 : fading(age, 90), Math.log1p(of.changes), ...sinceChange(of, at)],
  }
}

/** How much of late the columns next to it changed. */
function neighbours(column: LiveColumn, table: LiveTable, at: number): number {
  if (column.ordinal === null) return 0
  let most = 0
  for (const other of table.columns.values())
    if (other !== column && other.ordinal !== null && Math.abs(other.ordinal - column.ordinal) <= 2)
      most = Math.max(most, sinceChange(other, at)[1])
  return most
}

/** Columns and tables (ids as before the step) that a step changed, each once. */
function touchedBy({ changes, ended }: Step): { columns: Set<string>; tables: Set<string> } {
  const columns = new Set(ended.map((column) => column.id))
  const tables = new Set<string>()
  for (const change of changes) {
    tables.add(change.table)
    if (change.column !== null && change.kind !== 'add') columns.add(change.column)
  }
  return { columns, tables }
}
