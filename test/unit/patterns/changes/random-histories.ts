import fc from 'fast-check'
import { expect } from 'vitest'
import type { SchemaSnapshot } from '../../../../src/patterns/changes/snapshots.js'

export const day = (n: number) => new Date(Date.UTC(2020, 0, 1 + n))

/** Random histories: a few tables and columns that come, go and change. */
const state = fc.uniqueArray(
  fc.record({
    table: fc.constantFrom('a', 'b', '__proto__'),
    name: fc.constantFrom('x', 'y', 'constructor', 'x_id'),
    type: fc.constantFrom('int', 'bigint', 'varchar(9)', ''),
    nullable: fc.constantFrom(true, false, null),
    ordinal: fc.constantFrom(null, 1, 2),
  }),
  { selector: ({ table, name }) => `${table}.${name}`, maxLength: 6 },
)
export const histories = fc.array(fc.tuple(fc.integer({ min: 1, max: 90 }), state), { maxLength: 8 }).map((steps) => {
  let now = 0
  return steps.map(
    ([gap, columns]): SchemaSnapshot => ({
      at: day((now += gap)),
      columns: Object.fromEntries(columns.map((c) => [`${c.table}.${c.name}`, c])),
    }),
  )
})

/** No NaN and no infinity anywhere. */
export function expectNumbers(value: unknown): void {
  if (typeof value === 'number') expect(Number.isFinite(value)).toBe(true)
  else if (value && typeof value === 'object') for (const inner of Object.values(value)) expectNumbers(inner)
}
