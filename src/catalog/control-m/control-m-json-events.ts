import type { JsonValue } from '../../vocabulary.js'
import type { Wait } from '../workflow/start-logic.js'
import { addSet, type Holder, normaliseOdate, pushProperty } from './control-m.js'
import { isObject, type JsonObject, rowOf, textOf } from './control-m-json-properties.js'

/** The dates of events, as the XML spells them. */
const dates: Readonly<Record<string, string>> = {
  orderdate: 'ODAT',
  anydate: '****',
  nodate: 'STAT',
  previousorderdate: 'PREV',
  prevorderdate: 'PREV',
  nextorderdate: 'NEXT',
}
export const odateOf = (date: JsonValue | undefined): string => {
  const written = textOf(date) ?? 'OrderDate'
  return rowOf(dates, written.toLowerCase()) ?? written
}

interface Named {
  event: string
  odate: string
}

/** `{ "Event": "e", "Date": "AnyDate" }`, or just the name. */
function eventOf(item: JsonValue): Named | undefined {
  if (isObject(item)) {
    const event = textOf(item['Event']) ?? textOf(item['Name'])
    return event === undefined ? undefined : { event, odate: odateOf(item['Date']) }
  }
  const event = textOf(item)
  return event === undefined ? undefined : { event, odate: 'ODAT' }
}

const eventList = (value: JsonValue | undefined): readonly JsonValue[] => {
  const events = isObject(value) ? value['Events'] : value
  return Array.isArray(events) ? events : []
}

/**
 * `["(", { "Event": "a" }, "OR", { "Event": "b" }, ")", { "Event": "c" }]`: AND is meant where nothing stands between. What is already
 * waited for is needed as well: each list is a bracket of its own.
 */
export function addWaits(holder: Holder, value: JsonValue | undefined): void {
  const waits: Wait[] = []
  let andOr: Wait['andOr'] = 'and'
  let open = 0
  for (const item of eventList(value)) {
    const mark = typeof item === 'string' ? item.trim().toUpperCase() : ''
    const last = waits.at(-1)
    if (mark === '(') open++
    else if (mark === ')') {
      if (last) last.close = (last.close ?? 0) + 1
    } else if (mark === 'OR' || mark === '|') andOr = 'or'
    else if (mark !== 'AND' && mark !== '&') {
      const named = eventOf(item)
      if (!named) continue
      waits.push({ condition: named.event, odate: normaliseOdate(named.odate), andOr, ...(open > 0 ? { open } : {}) })
      andOr = 'and'
      open = 0
    }
  }
  joinWaits(holder, waits)
}

/** Both what was waited for before and these; brackets only where an OR needs them. */
function joinWaits(holder: Holder, waits: Wait[]): void {
  if (holder.waits.length > 0 && waits.length > 0)
    for (const part of [holder.waits, waits]) if (part.some((w) => w.andOr === 'or')) bracket(part)
  holder.waits.push(...waits)
}

function bracket(waits: Wait[]): void {
  waits[0]!.open = (waits[0]!.open ?? 0) + 1
  waits.at(-1)!.close = (waits.at(-1)!.close ?? 0) + 1
}

export function addSets(holder: Holder, value: JsonValue | undefined, sign: '+' | '-'): void {
  for (const item of eventList(value)) {
    const named = eventOf(item)
    if (named) addSet(holder, named.event, named.odate, sign, '')
  }
}

/** One step of a Flow: `to` starts when `from` has ended well, over an event that it then deletes (as Control-M names it on export). */
export function addFlow(from: Holder, to: Holder): void {
  const condition = `${from.name}-TO-${to.name}`
  const odate = normaliseOdate('ODAT')
  const has = (holder: Holder, sign: '+' | '-') => holder.sets.some((s) => s.condition === condition && s.sign === sign && s.on === '')
  if (!has(from, '+')) addSet(from, condition, 'ODAT', '+', '')
  if (!to.waits.some((w) => w.condition === condition && w.odate === odate)) joinWaits(to, [{ condition, odate, andOr: 'and' }])
  if (!has(to, '-')) addSet(to, condition, 'ODAT', '-', '')
}

const operators: Readonly<Record<string, string>> = { '>=': 'GE', '<=': 'LE', '<>': 'NE', '!=': 'NE', '>': 'GT', '<': 'LT', '=': 'EQ' }
/** `>=5` -> `RUNCOUNT GE 5`, `5` -> `RUNCOUNT EQ 5`: the ON CODE of the XML. */
function comparison(name: string, written: string): string {
  const match = /^\s*(>=|<=|<>|!=|>|<|=)?\s*(-?\d+)\s*$/.exec(written)
  return match ? `${name} ${operators[match[1] ?? '=']} ${match[2]}` : written
}

/** What an If hangs on, by its property -> the code. */
const codes: Readonly<Record<string, (value: string, object: JsonObject) => string>> = {
  CompletionStatus: (v) => comparison('COMPSTAT', v),
  NumberOfExecutions: (v) => comparison('RUNCOUNT', v),
  NumberOfFailures: (v) => comparison('FAILCOUNT', v),
  NumberOfReruns: (v) => comparison('RERUN', v),
  VariableName: (v, { Operator: operator, VariableValue: value }) => [v, textOf(operator), textOf(value)].filter(Boolean).join(' '),
  Code: (v) => v,
}

function codeOf(object: JsonObject): string {
  for (const [key, code] of Object.entries(codes)) {
    const value = textOf(object[key])
    if (value !== undefined) return code(value, object)
  }
  // If:JobNotSubmitted, If:JobOutputNotFound
  return (textOf(object['Type']) ?? '').replace(/^If:?/, '')
}

/** `If`, `If:CompletionStatus`, `If:Output`, … with the actions inside; those that add or delete events set conditions under its code. */
export function addIf(holder: Holder, object: JsonObject): void {
  const code = codeOf(object)
  const statement = textOf(object['Statement'])
  const actions = Object.values(object).flatMap((value) => (isObject(value) ? [actionOf(holder, value, code || '*')] : []))
  pushProperty(holder, 'on_actions', { code, ...(statement === undefined ? {} : { statement }), actions })
}

/** Names of the XML for what an action says. */
const actionNames: Readonly<Record<string, string>> = { run: 'forcejob', settook: 'ok', settonotok: 'notok' }
const actionKeys: Readonly<Record<string, string>> = { To: 'dest', Folder: 'table_name', Job: 'name', Date: 'odate' }

function actionOf(holder: Holder, object: JsonObject, code: string): JsonObject {
  const type = (textOf(object['Type']) ?? '').replace(/^Action:/, '')
  const event = /^(?:Event:)?(Add|Delete)(?:Event)?$/i.exec(type)
  const named = event ? eventOf(object as JsonValue) : undefined
  if (event && named) {
    const sign = event[1]!.toLowerCase() === 'add' ? '+' : '-'
    addSet(holder, named.event, named.odate, sign, code)
    return { action: 'cond', name: named.event, odate: named.odate, sign }
  }
  const said = Object.entries(object).filter(([key, value]) => key !== 'Type' && key !== 'Comment' && textOf(value) !== undefined)
  const action = type.replace(/:/g, '_').toLowerCase()
  return {
    action: rowOf(actionNames, action) ?? (action || 'action'),
    ...Object.fromEntries(said.map(([key, value]) => [rowOf(actionKeys, key) ?? snakeCase(key), textOf(value)!])),
  }
}

const snakeCase = (name: string): string => name.replace(/([a-z0-9])([A-Z])/g, '$1_$2').toLowerCase()

const notifyWhen: Readonly<Record<string, string>> = {
  OK: 'OK',
  NotOK: 'NOTOK',
  DoesNotStart: 'LATESUB',
  DoesNotEnd: 'LATETIME',
  ExecutionTime: 'EXECTIME',
  Rerun: 'RERUN',
  ReRun: 'RERUN',
}
const urgencies: Readonly<Record<string, string>> = { Regular: 'R', Urgent: 'U', VeryUrgent: 'V' }

/** `Notify:NotOK` -> a shout. */
export function addNotification(holder: Holder, object: JsonObject): void {
  const type = (textOf(object['Type']) ?? '').replace(/^Notify:?/, '')
  const { Destination: destination, Urgency: urgency, Message: message, By: by, Criteria: criteria, Value: value } = object
  const said = {
    when: rowOf(notifyWhen, type) ?? type.toUpperCase(),
    dest: textOf(destination),
    urgency: rowOf(urgencies, textOf(urgency) ?? '') ?? textOf(urgency),
    message: textOf(message),
    time: textOf(by) ?? textOf(value),
    criteria: textOf(criteria),
  }
  pushProperty(holder, 'shouts', said)
}
