import { z } from 'zod'
import { EspalierError } from '../../util/error.js'
import type { JsonValue, Properties } from '../../vocabulary.js'
import { isObject } from '../records/record-kind.js'

const scalar = z.union([z.string(), z.number(), z.boolean(), z.null()])

/** One condition on a field: a row is kept where all of them hold. An absent field is null. */
export const conditionSchema = z.strictObject({
  field: z.string().min(1).describe('field, or a path into it such as metadata.lang'),
  is: z
    .enum(['equal', 'not-equal', 'in', 'not-in', 'less', 'at-most', 'more', 'at-least', 'contains', 'present', 'absent'])
    .describe('how the field is compared; contains: a text in a text, or a member of a list'),
  value: z
    .union([scalar, z.array(scalar)])
    .optional()
    .describe('what it is compared with; a list for in and not-in'),
})
export type Condition = z.output<typeof conditionSchema>

type Test = (found: JsonValue, value: Condition['value']) => boolean

const ordered =
  (holds: (order: number) => boolean): Test =>
  (found, value) =>
    typeof found === typeof value && (typeof found === 'number' || typeof found === 'string')
      ? holds(found < (value as typeof found) ? -1 : found > (value as typeof found) ? 1 : 0)
      : false

const isIn: Test = (found, value) => (value as JsonValue[]).includes(found)

const tests: Record<Condition['is'], Test> = {
  equal: (found, value) => found === (value ?? null),
  'not-equal': (found, value) => found !== (value ?? null),
  in: isIn,
  'not-in': (found, value) => !isIn(found, value),
  less: ordered((order) => order < 0),
  'at-most': ordered((order) => order <= 0),
  more: ordered((order) => order > 0),
  'at-least': ordered((order) => order >= 0),
  contains: (found, value) =>
    typeof found === 'string' ? typeof value === 'string' && found.includes(value) : Array.isArray(found) && found.includes(value ?? null),
  present: (found) => found !== null,
  absent: (found) => found === null,
}

/** The test that rows must pass; BAD_INPUT where a value does not suit its comparison. */
export function compileConditions(conditions: readonly Condition[]): (row: Properties) => boolean {
  const compiled = conditions.map(({ field, is, value }) => {
    const wantsList = is === 'in' || is === 'not-in'
    if (wantsList !== Array.isArray(value))
      throw new EspalierError(
        'BAD_INPUT',
        `filter on ${field}: "${is}" came with ${JSON.stringify(value) ?? 'no value'}, expected ${wantsList ? 'a list' : 'one value'}`,
      )
    const path = field.split('.')
    return { path, field, test: tests[is], value }
  })
  return (row) => compiled.every(({ path, field, test, value }) => test(Object.hasOwn(row, field) ? row[field]! : at(row, path), value))
}

const at = (row: Properties, path: readonly string[]): JsonValue =>
  path.reduce<JsonValue>((value, key) => (isObject(value) && Object.hasOwn(value, key) ? value[key]! : null), row)
