import type { JsonValue, Properties } from '../../vocabulary.js'
import { withoutSecrets } from './control-m.js'

export type Attributes = Readonly<Record<string, string>>
type Decode = (text: string) => JsonValue | undefined

const text: Decode = (t) => (t.trim() === '' ? undefined : t)
const flag: Decode = (t) => (/^(?:1|y|yes|true)$/i.test(t.trim()) ? true : /^(?:0|n|no|false)$/i.test(t.trim()) ? false : undefined)
const count: Decode = (t) => (/^\d+$/.test(t.trim()) ? Number(t) : undefined)
const list: Decode = (t) => (t.trim() === '' ? undefined : t.split(',').map((p) => p.trim()))
/** `2230` -> `22:30`; `>` (open end) stays. */
const time: Decode = (t) => {
  const digits = /^(\d{2}):?(\d{2})$/.exec(t.trim())
  return digits ? `${digits[1]}:${digits[2]}` : text(t)
}
/** `00060M` -> 60, `00002H` -> 120, `00030S` -> 0.5; without a unit, minutes. */
const minutes: Decode = (t) => {
  const match = /^0*(\d+)\s*([SMHD]?)$/i.exec(t.trim())
  if (!match) return undefined
  return Number(match[1]) * { S: 1 / 60, M: 1, H: 60, D: 1440, '': 1 }[match[2]!.toUpperCase() as 'S' | 'M' | 'H' | 'D' | '']
}

/** Property -> the spellings of its attribute, newest first, and how it is read. */
const jobAttributes: Readonly<Record<string, { from: readonly string[]; decode: Decode }>> = {
  application: { from: ['APPLICATION'], decode: text },
  sub_application: { from: ['SUB_APPLICATION', 'GROUP'], decode: text },
  description: { from: ['DESCRIPTION', 'DESC'], decode: text },
  command: { from: ['CMDLINE', 'COMMAND'], decode: (t) => text(withoutSecrets(t)) },
  member: { from: ['MEMNAME'], decode: text },
  member_library: { from: ['MEMLIB'], decode: text },
  run_as: { from: ['RUN_AS', 'OWNER'], decode: text },
  node: { from: ['NODEID', 'HOST', 'NODEGRP', 'NODEGROUP'], decode: text },
  task_type: { from: ['TASKTYPE', 'TASK_TYPE'], decode: text },
  application_type: { from: ['APPL_TYPE'], decode: text },
  priority: { from: ['PRIORITY'], decode: text },
  critical: { from: ['CRITICAL'], decode: flag },
  confirm: { from: ['CONFIRM'], decode: flag },
  cyclic: { from: ['CYCLIC'], decode: flag },
  interval_minutes: { from: ['INTERVAL'], decode: minutes },
  interval_sequence: { from: ['CYCLIC_INTERVAL_SEQUENCE'], decode: list },
  cyclic_times: { from: ['CYCLIC_TIMES_SEQUENCE'], decode: list },
  max_wait: { from: ['MAXWAIT'], decode: count },
  max_rerun: { from: ['MAXRERUN'], decode: count },
  max_days: { from: ['MAXDAYS'], decode: count },
  max_runs: { from: ['MAXRUNS'], decode: count },
  time_from: { from: ['TIMEFROM'], decode: time },
  time_to: { from: ['TIMETO', 'TIMEUNTIL'], decode: time },
  time_zone: { from: ['TIMEZONE'], decode: text },
  days: { from: ['DAYS'], decode: list },
  week_days: { from: ['WEEKDAYS'], decode: list },
  days_and_or: { from: ['DAYS_AND_OR'], decode: text },
  dates: { from: ['DATE', 'DATES'], decode: list },
  shift: { from: ['SHIFT'], decode: text },
  shift_days: { from: ['SHIFTNUM'], decode: text },
  retroactive: { from: ['RETRO'], decode: flag },
  active_from: { from: ['ACTIVE_FROM'], decode: text },
  active_until: { from: ['ACTIVE_TILL'], decode: text },
  order_method: { from: ['FOLDER_ORDER_METHOD', 'TABLE_USERDAILY'], decode: text },
  platform: { from: ['PLATFORM'], decode: text },
}

const months = ['JAN', 'FEB', 'MAR', 'APR', 'MAY', 'JUN', 'JUL', 'AUG', 'SEP', 'OCT', 'NOV', 'DEC']

/** The properties of a JOB or folder from its attributes, whichever spelling the export has; what is empty is left out. */
export function readProperties(attributes: Attributes): Properties {
  const properties: Properties = {}
  for (const [property, { from, decode }] of Object.entries(jobAttributes)) {
    const attribute = from.find((a) => attributes[a] !== undefined)
    const value = attribute === undefined ? undefined : decode(attributes[attribute]!)
    if (value !== undefined) properties[property] = value
  }
  const on = months.filter((m) => flag(attributes[m] ?? '') === true)
  if (on.length > 0) properties['months'] = on
  if (properties['time_to'] === '>') properties['time_to'] = 'open'
  return properties
}

/** Attribute -> which calendar it names. */
export const calendarAttributes: Readonly<Record<string, string>> = {
  DAYSCAL: 'days',
  WEEKSCAL: 'week days',
  CONFCAL: 'confirmation',
}

/** The sign of OUTCOND and DOCOND in all its spellings; `+` where there is none. */
export const readSign = (written: string | undefined): '+' | '-' =>
  /^(?:-|del|delete|d|minus|n)$/i.test(written?.trim() ?? '') ? '-' : '+'

/** AND_OR: `A`, `AND`, `O`, `OR`, and |. */
export const readAndOr = (written: string | undefined): 'and' | 'or' => (/^(?:o|or|\|)$/i.test(written?.trim() ?? '') ? 'or' : 'and')

/** An element's attributes under lower-case names, empty ones left out: for what we keep as it is (SHOUT, DO …). */
export const plain = (attributes: Attributes): Properties =>
  Object.fromEntries(
    Object.entries(attributes)
      .filter(([, v]) => v !== '')
      .map(([k, v]) => [k.toLowerCase(), v]),
  )

/** Elements that are folders of jobs, old and new, and what kind they are. */
export const folderKinds: Readonly<Record<string, string>> = {
  FOLDER: 'folder',
  SIMPLE_FOLDER: 'folder',
  SMART_FOLDER: 'smart folder',
  SUB_FOLDER: 'sub-folder',
  TABLE: 'folder',
  SCHED_TABLE: 'folder',
  SMART_TABLE: 'smart folder',
  SCHED_GROUP: 'smart folder',
  SUB_TABLE: 'sub-folder',
}
