import type { JsonValue, Properties } from '../../vocabulary.js'
import { withoutSecrets } from './control-m.js'

export type JsonObject = { readonly [key: string]: JsonValue }
type Decode = (value: JsonValue) => JsonValue | undefined

export const isObject = (value: JsonValue | undefined): value is { [key: string]: JsonValue } =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** The row of a table, and nothing that every object has (`constructor`). */
export const rowOf = <T>(table: Readonly<Record<string, T>>, key: string): T | undefined =>
  Object.hasOwn(table, key) ? table[key] : undefined

/** A scalar as text; undefined for anything else, and for nothing. */
export const textOf = (value: JsonValue | undefined): string | undefined =>
  (typeof value === 'string' && value.trim() !== '') || typeof value === 'number' || typeof value === 'boolean' ? String(value) : undefined

const text: Decode = textOf
const flag: Decode = (v) =>
  typeof v === 'boolean' ? v : /^(?:true|y|yes|1)$/i.test(String(v)) ? true : /^(?:false|n|no|0)$/i.test(String(v)) ? false : undefined
const count: Decode = (v) => (/^\d+$/.test(textOf(v) ?? '') ? Number(v) : undefined)
/** `NONE` says that there is none. */
const list = (v: JsonValue | undefined): string[] => {
  const items = Array.isArray(v) ? v.map((item) => textOf(item) ?? '') : (textOf(v) ?? '').split(',').map((item) => item.trim())
  return items.filter((item) => item !== '' && item.toUpperCase() !== 'NONE')
}
const time: Decode = (v) => (textOf(v) ?? '').replace(/^(\d{2}):?(\d{2})$/, '$1:$2').replace(/^>$/, 'open') || undefined
const notEmpty = <T>(items: T[]): T[] | undefined => (items.length > 0 ? items : undefined)

/** XML numbers the days of the week from Sunday. */
const weekDays = ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT']
const months = ['JAN', 'FEB', 'MAR', 'APR', 'MAY', 'JUN', 'JUL', 'AUG', 'SEP', 'OCT', 'NOV', 'DEC']
const dayNumber = (day: string): string => (weekDays.includes(day.toUpperCase()) ? String(weekDays.indexOf(day.toUpperCase())) : day)
const monthsOf = (written: readonly string[]): string[] =>
  months.filter((m) => written.some((w) => /^all$/i.test(w) || w.toUpperCase() === m))

interface Row {
  property: string
  from: readonly string[]
  decode: Decode
}

/** The same properties as of the XML, under the names that the Automation API has for them. */
const rows: readonly Row[] = [
  { property: 'application', from: ['Application'], decode: text },
  { property: 'sub_application', from: ['SubApplication'], decode: text },
  { property: 'description', from: ['Description'], decode: text },
  { property: 'member', from: ['FileName'], decode: text },
  { property: 'member_library', from: ['FilePath'], decode: text },
  { property: 'run_as', from: ['RunAs'], decode: text },
  { property: 'node', from: ['Host', 'HostGroup'], decode: text },
  { property: 'priority', from: ['Priority'], decode: text },
  { property: 'critical', from: ['Critical'], decode: flag },
  { property: 'confirm', from: ['Confirm'], decode: flag },
  { property: 'max_wait', from: ['DaysKeepActive'], decode: count },
  { property: 'time_zone', from: ['TimeZone'], decode: text },
  { property: 'retroactive', from: ['RetroactiveOrder'], decode: flag },
  { property: 'order_method', from: ['OrderMethod'], decode: text },
  { property: 'connection_profile', from: ['ConnectionProfile'], decode: text },
  { property: 'service', from: ['ServiceName'], decode: text },
]

const whenRows: readonly Row[] = [
  { property: 'time_from', from: ['FromTime'], decode: time },
  { property: 'time_to', from: ['ToTime'], decode: time },
  { property: 'days', from: ['MonthDays'], decode: (v) => notEmpty(list(v)) },
  { property: 'week_days', from: ['WeekDays'], decode: (v) => notEmpty(list(v).map(dayNumber)) },
  { property: 'months', from: ['Months'], decode: (v) => notEmpty(monthsOf(list(v))) },
  { property: 'dates', from: ['SpecificDates'], decode: (v) => notEmpty(list(v).map((d) => d.replace('/', ''))) },
  { property: 'days_and_or', from: ['DaysRelation'], decode: (v) => ({ AND: 'A', OR: 'O' })[(textOf(v) ?? '').toUpperCase()] },
  { property: 'active_from', from: ['StartDate'], decode: text },
  { property: 'active_until', from: ['EndDate'], decode: text },
  { property: 'schedule', from: ['Schedule'], decode: text },
]

function readRows(table: readonly Row[], object: JsonObject): Properties {
  const properties: Properties = {}
  for (const { property, from, decode } of table) {
    const key = from.find((k) => Object.hasOwn(object, k))
    const value = key === undefined ? undefined : decode(object[key]!)
    if (value !== undefined) properties[property] = value
  }
  return properties
}

/** Minutes of `{ Every, Units }` (default minutes); undefined for 0 and nothing. */
function minutesOf({ Every: every, Units: units }: JsonObject): number | undefined {
  const unit = { minutes: 1, hours: 60, days: 1440, seconds: 1 / 60 }[(textOf(units) ?? 'minutes').toLowerCase()]
  const minutes = Number(textOf(every ?? null)) * (unit ?? Number.NaN)
  return minutes > 0 ? minutes : undefined
}

/** Rerun, RerunIntervals and RerunSpecificTimes make a job cyclic; RerunLimit does not. */
function readReruns(object: JsonObject): Properties {
  const { Rerun: rerun, RerunLimit: limit, RerunIntervals: intervals, RerunSpecificTimes: times } = object
  const [any = {}] = [rerun, limit, intervals, times].filter(isObject)
  const minutes = minutesOf(isObject(rerun) ? rerun : isObject(limit) ? limit : {})
  const most = count(any['Times'] ?? null)
  const sequence = isObject(intervals) ? notEmpty(list(intervals['Intervals'])) : undefined
  const at = isObject(times) ? notEmpty(list(times['At'])) : undefined
  return {
    ...(isObject(rerun) || sequence || at ? { cyclic: true } : {}),
    ...(minutes === undefined ? {} : { interval_minutes: minutes }),
    ...(sequence ? { interval_sequence: sequence } : {}),
    ...(at ? { cyclic_times: at } : {}),
    ...(most === undefined ? {} : { max_rerun: most }),
  }
}

/** TASKTYPE as the XML of the same job has it; the kinds that it does not know keep their own name. */
const taskTypes: Readonly<Record<string, string>> = { 'Job:Command': 'Command', 'Job:Script': 'Job', 'Job:Dummy': 'Dummy' }

/** What a job runs, as far as it is text: a command line, a script, a query. */
export function commandOf(job: JsonObject): string | null {
  const found = ['Command', 'Script', 'Query'].map((key) => textOf(job[key])).find((t) => t !== undefined)
  return found ?? null
}

/** The properties of a job or folder, its defaults already filled in. */
export function readJsonProperties(object: JsonObject): Properties {
  const type = textOf(object['Type']) ?? ''
  const command = commandOf(object)
  const isJob = type.startsWith('Job')
  return {
    ...readRows(rows, object),
    ...(isJob && command !== null ? { command: withoutSecrets(command) } : {}),
    ...(rowOf(taskTypes, type) ? { task_type: rowOf(taskTypes, type)! } : isJob && type !== 'Job' ? { job_type: type } : {}),
    ...readReruns(object),
    ...(isObject(object['When']) ? readRows(whenRows, object['When']) : {}),
  }
}

/** Calendars that a `When` names, and what for. */
export function readCalendars(when: JsonValue | undefined): { name: string; use: string }[] {
  if (!isObject(when)) return []
  const confirmation = when['ConfirmationCalendars']
  const rules = when['RuleBasedCalendars']
  const named: [string, JsonValue | undefined][] = [
    ['days', when['MonthDaysCalendar']],
    ['week days', when['WeekDaysCalendar']],
    ['confirmation', isObject(confirmation) ? confirmation['Calendar'] : confirmation],
    ['rule', isObject(rules) ? rules['Included'] : rules],
  ]
  return named.flatMap(([use, value]) =>
    (Array.isArray(value) ? value : [value])
      .map(textOf)
      .filter((name) => name !== undefined && name !== '*' && name !== 'USE PARENT')
      .map((name) => ({ name: name!, use })),
  )
}
