import { z } from 'zod'
import type { RecordKind } from './record-kind.js'

const cell = z.union([z.string(), z.number(), z.boolean(), z.null()]).describe('a text, a number that is finite, true, false or null')

/** Columns by name; moments are ISO texts. Which columns there are, and of which types, is the shape of a version (versions/shape.ts). */
const tabularSchema = z.object({}).catchall(cell)

export type TabularRow = z.output<typeof tabularSchema>

export const tabular: RecordKind = {
  description: 'A row of a table: text, numbers, booleans and nulls by the name of their column',
  schema: tabularSchema,
  times: [],
  ids: [],
}
