import { z } from 'zod'
import { type RecordKind, textOf } from './record-kind.js'

const embeddingPairSchema = z.object({
  id: z.string().min(1).optional().describe('text that names the row (default: none; its content names it)'),
  query: z.string().describe('text: what is searched with'),
  positive: z.string().describe('text: what should be found'),
  negatives: z.array(z.string()).optional().describe('list of texts that should not be found'),
})

/** A query, what should lie near it, and what should not. */
export type EmbeddingPair = z.output<typeof embeddingPairSchema>

export const embeddingPair: RecordKind = {
  description: 'A query with a text that should lie near it, and texts that should not',
  schema: embeddingPairSchema,
  times: [],
  ids: ['id'],
  prepare: (value) => (Array.isArray(value['negatives']) && value['negatives'].length === 0 ? { ...value, negatives: null } : value),
  text: textOf('query'),
  // one query may have several answers
  same: ({ query, positive }) => (typeof query === 'string' && typeof positive === 'string' ? `${query}\n${positive}` : ''),
}
