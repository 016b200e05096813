import { z } from 'zod'
import { type RecordKind, textOf } from './record-kind.js'

const amount = z.number().nonnegative().optional()
const moment = z.iso.datetime({ offset: true, local: true })

const queryEventSchema = z.object({
  query_id: z.string().min(1).describe('text that names the query'),
  user: z.string().optional().describe('text: who sent it'),
  source: z.string().optional().describe('text: the program that sent it'),
  catalog: z.string().optional().describe('text'),
  schema: z.string().optional().describe('text'),
  query: z.string().describe('text of the query'),
  query_type: z.string().optional().describe('text such as SELECT'),
  state: z.string().optional().describe('text such as FINISHED or FAILED'),
  create_time: moment.optional().describe('moment (ISO 8601)'),
  end_time: moment.optional().describe('moment (ISO 8601)'),
  cpu_ms: amount.describe('number of milliseconds, 0 or more'),
  peak_memory_bytes: amount.describe('number of bytes, 0 or more'),
  scanned_bytes: amount.describe('number of bytes, 0 or more'),
  error_code: z.string().optional().describe('text: the error that it ended with'),
})

/** A query that a database has logged, with what it cost. */
export type QueryEvent = z.output<typeof queryEventSchema>

/** Its id is the log's own and its times are what is learned from: both are part of the hash. */
export const queryEvent: RecordKind = {
  description: 'A query as a database has logged it, with what it cost',
  schema: queryEventSchema,
  times: [],
  ids: [],
  prepare: (value) => (typeof value['error_code'] === 'number' ? { ...value, error_code: String(value['error_code']) } : value),
  text: textOf('query'),
  // a query that ran twice is two events
  same: () => '',
}
