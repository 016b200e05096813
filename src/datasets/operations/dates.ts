import { z } from 'zod'
import { EspalierError } from '../../util/error.js'
import { momentOf } from '../splits/keys.js'
import { among, cellAt, columnName, numberAt, type Operation, shown, type TableRow } from './operation.js'

const day = 86_400_000

/** The Monday of the week that a day is in, as days since 1970-01-01, a Thursday. */
const mondayOf = (days: number) => days - ((((days + 3) % 7) + 7) % 7)

function isoWeek(date: Date): number {
  const monday = mondayOf(Math.floor(date.getTime() / day))
  // the week is of the year that its Thursday is in
  const year = new Date((monday + 3) * day).getUTCFullYear()
  const first = mondayOf(Math.floor(Date.UTC(year, 0, 4) / day))
  return (monday - first) / 7 + 1
}

/** What can be read from a moment; all in UTC. */
const parts = {
  year: (date: Date) => date.getUTCFullYear(),
  quarter: (date: Date) => Math.floor(date.getUTCMonth() / 3) + 1,
  month: (date: Date) => date.getUTCMonth() + 1,
  week: isoWeek,
  day: (date: Date) => date.getUTCDate(),
  day_of_week: (date: Date) => date.getUTCDay() || 7,
  day_of_year: (date: Date) =>
    (Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), date.getUTCDate()) - Date.UTC(date.getUTCFullYear(), 0)) / day + 1,
  hour: (date: Date) => date.getUTCHours(),
  minute: (date: Date) => date.getUTCMinutes(),
  is_weekend: (date: Date) => (date.getUTCDay() % 6 === 0 ? 1 : 0),
  epoch_days: (date: Date) => date.getTime() / day,
} satisfies Record<string, (date: Date) => number>
type Part = keyof typeof parts
const partNames = Object.keys(parts) as [Part, ...Part[]]

const datePartsOptions = z.strictObject({
  op: z.literal('date-parts'),
  column: columnName.describe('a column of moments: ISO 8601 (UTC where no offset is said), or milliseconds since 1970'),
  parts: z
    .array(z.enum(partNames))
    .min(1)
    .default(['year', 'month', 'day', 'day_of_week', 'hour'])
    .describe('what to read from it, in UTC; weeks and days of the week as in ISO 8601, Monday being 1'),
  keep: z.boolean().default(false).describe('keep the column itself'),
})

function dateAt(row: Readonly<TableRow>, column: string): Date | null {
  const value = cellAt(row, column)
  if (value === null || value === undefined || Number.isNaN(value)) return null
  const date = new Date(momentOf(value))
  if (!Number.isNaN(date.getTime())) return date
  throw new EspalierError('BAD_INPUT', `column "${column}" holds ${shown(value)}, expected a moment (ISO 8601) or null`)
}

/** A moment becomes numbers: `created_month`. Parts of a missing moment are missing. */
export const dateParts: Operation<z.output<typeof datePartsOptions>, null> = {
  options: datePartsOptions,
  reads: ({ column }) => [column],
  changes: ({ column, parts: names }) => among([column, ...names.map((part) => `${column}_${part}`)]),
  build({ column, parts: names, keep }) {
    return (row) => {
      const date = dateAt(row, column)
      if (!keep) delete row[column]
      for (const part of names) row[`${column}_${part}`] = date && parts[part](date)
      return true
    }
  },
}

const cyclicalOptions = z.strictObject({
  op: z.literal('cyclical'),
  column: columnName.describe('a column of numbers that begin anew: hours, months, degrees'),
  period: z.number().positive().describe('after how much they begin anew: 24, 12, 360'),
  start: z.number().default(0).describe('where they begin: 1 for months'),
  keep: z.boolean().default(false).describe('keep the column itself'),
})

/** sin and cos of 2 pi (x - start) / period: the last hour of a day is near the first of the next. */
export const cyclical: Operation<z.output<typeof cyclicalOptions>, null> = {
  options: cyclicalOptions,
  reads: ({ column }) => [column],
  changes: ({ column }) => among([column, `${column}_sin`, `${column}_cos`]),
  build({ column, period, start, keep }) {
    return (row) => {
      const value = numberAt(row, column)
      const angle = value === null ? null : (2 * Math.PI * (value - start)) / period
      if (!keep) delete row[column]
      row[`${column}_sin`] = angle === null ? null : Math.sin(angle)
      row[`${column}_cos`] = angle === null ? null : Math.cos(angle)
      return true
    }
  },
}
