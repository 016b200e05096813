import { z } from 'zod'

/** The mark of the format, so that a file is known by its beginning. */
export const changeHistoryMark = 'espalier/change-history'

const change = z.strictObject({
  at: z.iso.datetime({ offset: true }).optional().describe('when it happened; without it, the state that holds now'),
  status: z.enum(['added', 'modified', 'removed']).default('added').describe('what happened to the column'),
  type: z.string().min(1).optional().describe('its type from then on, as the system spells it'),
  previousType: z.string().min(1).optional().describe('its type until then'),
  nullable: z.boolean().optional().describe('may it be null from then on?'),
  comment: z.string().optional().describe('its comment from then on'),
})

const column = z.strictObject({
  name: z.string().min(1),
  changes: z.array(change).min(1).describe('in any order; those of one moment count in the order of the file'),
})

const table = z.strictObject({
  database: z.string().min(1).optional().describe('default: the database of the ingest'),
  name: z.string().min(1),
  comment: z.string().optional(),
  columns: z.array(column).describe('in the order of the table'),
})

/** `json_with_changes.json`, version 1: tables, their columns, and what happened to each column when. */
export const changeHistoryFile = z
  .strictObject({ format: z.literal(changeHistoryMark), version: z.literal(1), tables: z.array(table) })
  .describe('Change history of columns')

export type HistoryTable = z.output<typeof table>
export type HistoryColumn = z.output<typeof column>
export type HistoryChange = z.output<typeof change>

/** The format as JSON Schema. */
export const changeHistoryJsonSchema = (): unknown => z.toJSONSchema(changeHistoryFile, { io: 'input' })
