import type { JsonValue, Properties } from '../../vocabulary.js'
import type { Wait } from '../workflow/start-logic.js'
import type { ConditionSet } from '../workflow/workflow.js'

/**
 * What a Control-M definition says, whichever way it is written (XML, or the Automation API's JSON): plain values that
 * `control-m-facts.ts` turns into facts.
 */
export interface Definitions {
  folders: Folder[]
  jobs: Job[]
  /** calendars with a definition of their own */
  calendars: { name: string; properties: Properties; line: number; location?: string }[]
}

/** What folders and jobs have in common: both wait for conditions, set them, and run on calendars. */
export interface Holder {
  /** names of the folders around, outermost first, the data centre before them where it is given */
  path: string[]
  name: string
  waits: Wait[]
  sets: ConditionSet[]
  resources: { kind: 'quantitative' | 'control'; name: string; properties: Properties }[]
  calendars: { name: string; use: string }[]
  variables: Record<string, string>
  properties: Properties
  /** 0 where the text has no lines to speak of; then `location` tells the place */
  line: number
  location?: string
}

export interface Folder extends Holder {
  kind: string
}

export interface Job extends Holder {
  command: string | null
  /** tells apart jobs of one name in one folder: the order id of the export, where given */
  number: string | null
}

/** `ODAT` -> `run-date`; `ANY`, `****`, `$$$$`, `STAT` -> `any`; `PREV`, `NEXT`; `+1`, `ODAT-2` -> an offset; eight digits -> a date; else `custom:…`. */
export function normaliseOdate(written: string | undefined): string {
  const text = (written ?? '').trim().toUpperCase()
  if (text === '' || text === 'ODAT' || text === 'ODATE') return 'run-date'
  if (text === 'ANY' || text === 'STAT' || /^[*$]{4}$/.test(text)) return 'any'
  if (text === 'PREV') return 'previous'
  if (text === 'NEXT') return 'next'
  const offset = /^(?:ODAT(?:E)?)?\s*([+-])\s*0*(\d+)$/.exec(text)
  if (offset) return offset[2] === '' || offset[2] === '0' ? 'run-date' : `${offset[1]}${offset[2]}`
  const date = /^(\d{4})(\d{2})(\d{2})$/.exec(text)
  if (date && isDate(Number(date[1]), Number(date[2]), Number(date[3]))) return `${date[1]}-${date[2]}-${date[3]}`
  return `custom:${written!.trim()}`
}

function isDate(year: number, month: number, day: number): boolean {
  const date = new Date(Date.UTC(year, month - 1, day))
  return date.getUTCFullYear() === year && date.getUTCMonth() === month - 1 && date.getUTCDate() === day
}

const secretName = /pass(?:word|wd)?|pwd|secret|token|api_?key|credential/i
/** The value of a variable, masked where its name says that it is a secret. */
export const withoutSecret = (name: string, value: string): string => (secretName.test(name) && !value.startsWith('%%') ? '***' : value)
/** A command line with the values of its password options masked. */
export const withoutSecrets = (command: string): string =>
  command.replace(/((?:^|\s)--?(?:password|passwd|pwd|token|secret|api-?key)(?:=|\s+))(?!%%)(?:"[^"]*"|'[^']*'|\S+)/gi, '$1***')

/** Fills `%%NAME` in; a dot right after a name joins (`%%DB..account` with DB=core is `core.account`). */
export const fillAutoEdit = (text: string, variables: Readonly<Record<string, string>>): string =>
  text.replace(/%%\\?([A-Za-z_][A-Za-z0-9_]*)(\.?)/g, (whole, name: string) => {
    const key = Object.keys(variables).find((v) => v.toUpperCase() === name.toUpperCase())
    return key === undefined ? whole : variables[key]!
  })

/** Sets a variable (its name with or without `%%`) of a job or folder; a secret's value is masked. */
export function setVariable(holder: Holder, name: string, value: string): void {
  const plainName = name.replace(/^%%\\?/, '')
  if (plainName === '') return
  const safe = withoutSecret(plainName, value)
  // as defineProperty would: a variable called __proto__ is data
  Object.defineProperty(holder.variables, plainName, { value: safe, enumerable: true, writable: true, configurable: true })
}

/** Adds to a list among the properties. */
export function pushProperty(holder: Holder, key: string, value: unknown): void {
  const before = holder.properties[key]
  holder.properties[key] = [...(Array.isArray(before) ? before : []), JSON.parse(JSON.stringify(value)) as JsonValue]
}

/** A job or folder of which nothing is known yet but its name. */
export const newHolder = (path: string[], name: string, line: number): Holder => ({
  path,
  name,
  waits: [],
  sets: [],
  resources: [],
  calendars: [],
  variables: {},
  properties: {},
  line,
})

export const addSet = (holder: Holder, condition: string, odate: string | undefined, sign: ConditionSet['sign'], on: string): void => {
  holder.sets.push({ condition, odate: normaliseOdate(odate), sign, on })
}
