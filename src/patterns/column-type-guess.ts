import { ownMember } from '../util/record.js'
import { nameTokens } from '../util/words.js'
import type { ColumnPatterns } from './column-types.js'

/** What is known of a column whose type is asked for. */
export interface ColumnContext {
  /** its name: `customer_id` */
  column: string
  /** id of its table */
  table?: string
  /** its place in the table, from 1 */
  ordinal?: number
}

export interface TypeGuess {
  /** base type: `varchar` */
  type: string
  probability: number
  /** columns of this type whose names end in the same word */
  count: number
}

/** Columns that the level above is worth. */
const prior = 2

/**
 * P(type | last word of the name, table, place): the shares of all columns, then those at this place, in this table and with this last word,
 * each smoothed by the level before (which counts as two columns). Probabilities sum to 1 over the types ever seen, the likeliest first; nothing learned gives [].
 */
export function guessColumnType(
  { typeDistribution, byPosition, byTable, byNameToken }: ColumnPatterns,
  { column, table, ordinal }: ColumnContext,
): TypeGuess[] {
  const types = Object.keys(typeDistribution)
  const place = ordinal === undefined ? undefined : ordinal < 10 ? String(ordinal) : '10+'
  const word = nameTokens(column).at(-1) ?? ''
  // sets of before do not tell tables apart
  const levels: [Record<string, Record<string, number>> | undefined, string | undefined][] = [
    [byPosition, place],
    [byTable, table],
    [byNameToken, word],
  ]
  let shares = new Map(types.map((type) => [type, 1 / types.length]))
  const learn = (counts: Record<string, number>) => {
    const total = Object.values(counts).reduce((a, b) => a + b, 0)
    shares = new Map(types.map((type) => [type, ((ownMember(counts, type) ?? 0) + prior * shares.get(type)!) / (total + prior)]))
  }
  learn(typeDistribution)
  for (const [rows, key] of levels) {
    const counts = rows && key !== undefined ? ownMember(rows, key) : undefined
    if (counts) learn(counts)
  }
  const named = ownMember(byNameToken, word) ?? {}
  return types
    .map((type) => ({ type, probability: shares.get(type)!, count: ownMember(named, type) ?? 0 }))
    .sort((a, b) => b.probability - a.probability || (a.type < b.type ? -1 : 1))
}
