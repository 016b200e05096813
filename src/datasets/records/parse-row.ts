import type { z } from 'zod'
import { didYouMean } from '../../util/closest.js'
import type { Problem } from '../../util/problem.js'
import { setMember } from '../../util/record.js'
import type { JsonValue, Properties } from '../../vocabulary.js'
import { type DatasetKind, recordKind } from './index.js'
import { isObject, type RecordKind } from './record-kind.js'

/** Tells of a problem: `at` is the field (`expected_entities[0][2]`), '' the row itself. */
export type RowReport = (
  at: string,
  code: string,
  found: unknown,
  expected: string,
  more?: { suggestion?: string; severity?: Problem['severity'] },
) => void

/**
 * A value from outside as a row of this kind: types checked, defaults filled in, nulls and undefined of optional fields taken off. Null
 * where it has an error (each is reported); a field that the kind does not have is a warning, and left out. What the values are like
 * (an empty text, a span outside of it) is no error here: rules/ judges that.
 */
export function parseRow(kind: DatasetKind, value: unknown, report: RowReport): Properties | null {
  const record = recordKind(kind)
  if (!isObject(value)) {
    report('', 'not-an-object', value, `an object with ${requiredFields(record).join(', ') || 'a value a column'}`)
    return null
  }
  if (isOpen(record) && Object.hasOwn(value, '__proto__')) {
    report('__proto__', 'reserved-name', '__proto__', 'a column by another name: this one is not kept by JavaScript')
    return null
  }
  const deep = deepMember(value)
  if (deep !== undefined) {
    report(deep, 'too-deep', `more than ${deepest} values within one another`, `${deepest} at most`)
    return null
  }
  const prepared = withoutNulls(record.prepare?.(value) ?? value, record)
  reportUnknown(prepared, record, report)
  const parsed = record.schema.safeParse(prepared)
  if (parsed.success) return parsed.data as Properties
  for (const issue of parsed.error.issues) reportIssue(issue, prepared, record, report)
  return null
}

/** Values within one another: beyond this, whoever walks down them runs out of stack. No honest row comes near. */
const deepest = 200

/** The member that is nested too deep, if one is. */
const deepMember = (row: Properties): string | undefined => Object.keys(row).find((field) => isDeeper(row[field], deepest))

function isDeeper(value: JsonValue | undefined, depth: number): boolean {
  if (typeof value !== 'object' || value === null) return false
  if (depth === 0) return true
  for (const key in value) if (isDeeper((value as Properties)[key], depth - 1)) return true
  return false
}

const fieldsOf = (record: RecordKind): Record<string, z.ZodType> => record.schema.shape as Record<string, z.ZodType>
const isOpen = (record: RecordKind): boolean => record.schema.def.catchall !== undefined
const requiredFields = (record: RecordKind): string[] =>
  Object.entries(fieldsOf(record)).flatMap(([field, schema]) => (schema.safeParse(undefined).success ? [] : [field]))

/** Other tools write null for what is absent; a column of a table may be null. */
function withoutNulls(value: Properties, record: RecordKind): Properties {
  if (isOpen(record)) return value
  let tidy = value
  for (const field in value)
    if (value[field] === null || value[field] === undefined) {
      if (tidy === value) tidy = { ...value }
      delete tidy[field]
    }
  return tidy
}

function reportUnknown(value: Properties, record: RecordKind, report: RowReport): void {
  if (isOpen(record)) return
  const known = fieldsOf(record)
  for (const field in value) {
    if (Object.hasOwn(known, field)) continue
    const names = Object.keys(known)
    // `intent` is what other tools call `expected_intent`: a mapping of fields makes one of the other
    const near = names.find((name) => name === `expected_${field}`)
    const suggestion = near ? `Map the field "${field}" to ${near}.` : didYouMean(field, names)
    report(field, 'unknown-field', value[field], `one of ${names.join(', ')}`, { severity: 'warning', ...(suggestion && { suggestion }) })
  }
}

type Issue = z.core.$ZodIssue

/** zod's code -> ours; a field that is absent is told apart by what was found */
const codes: Partial<Record<NonNullable<Issue['code']>, string>> = {
  invalid_value: 'unknown-value',
  too_small: 'out-of-range',
  too_big: 'out-of-range',
  invalid_format: 'wrong-format',
}

function reportIssue(issue: Issue, value: Properties, record: RecordKind, report: RowReport): void {
  const found = issue.path.reduce<unknown>((v, key) => (v as Record<PropertyKey, unknown> | undefined)?.[key], value)
  const at = issue.path.reduce<string>(
    (text, key) => (typeof key === 'number' ? `${text}[${key}]` : text ? `${text}.${String(key)}` : String(key)),
    '',
  )
  const code = found === undefined && issue.path.length === 1 ? 'missing-field' : (codes[issue.code!] ?? 'wrong-type')
  const field = fieldsOf(record)[String(issue.path[0])] ?? (record.schema.def.catchall as z.ZodType | undefined)
  const expected = field?.description ?? issue.message
  const suggestion = issue.code === 'invalid_value' && typeof found === 'string' ? didYouMean(found, issue.values.map(String)) : undefined
  report(at, code, found, expected, suggestion ? { suggestion } : {})
}

const uuid = /^[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}$/i

/**
 * What of a row is hashed: the row without its times and without ids that were drawn at random (UUIDs), so that equal data made twice
 * has the equal hash. The same object where nothing is left out.
 */
export function rowContent(kind: DatasetKind, row: JsonValue): JsonValue {
  const { times, ids } = recordKind(kind)
  if (!isObject(row) || (times.length === 0 && ids.length === 0)) return row
  const isLeftOut = (field: string) =>
    times.includes(field) || (ids.includes(field) && typeof row[field] === 'string' && uuid.test(row[field]))
  if (![...times, ...ids].some((field) => Object.hasOwn(row, field) && isLeftOut(field))) return row
  const content: Properties = {}
  for (const [field, member] of Object.entries(row)) if (!isLeftOut(field)) setMember(content, field, member)
  return content
}
