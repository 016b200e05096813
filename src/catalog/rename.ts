import { editDistance } from '../util/closest.js'

/** A column that went or came, as far as guessing a rename needs it. */
export interface ColumnShape {
  id: string
  name: string
  type: string
  ordinal: number | null
  nullable: boolean | null
}

export interface Rename {
  from: string
  to: string
  /** `leastConfidence` to 1: how much speaks for it */
  confidence: number
}

export const leastConfidence = 0.6

/** Likeness of two names in 0 to 1: edit distance, or words in common where that says more (`acct_id` and `id_acct`). */
export function nameLikeness(a: string, b: string): number {
  const [x, y] = [a.toLowerCase(), b.toLowerCase()]
  const edits = 1 - editDistance(x, y) / Math.max(x.length, y.length, 1)
  const words = (name: string) => new Set(name.split(/[^\p{L}\p{N}]+/u).filter(Boolean))
  const [p, q] = [words(x), words(y)]
  const common = [...p].filter((word) => q.has(word)).length
  return Math.max(edits, common / Math.max(p.size + q.size - common, 1))
}

/** .5 for an equal type (else nothing is guessed), .25 for the same place, .25 for likeness of names; .05 off where nullability differs. */
function confidenceOf(gone: ColumnShape, come: ColumnShape): number {
  if (gone.type !== come.type || gone.type === '') return 0
  const samePlace = gone.ordinal !== null && gone.ordinal === come.ordinal ? 0.25 : 0
  const likeness = 0.25 * nameLikeness(gone.name, come.name)
  const penalty = gone.nullable === come.nullable ? 0 : 0.05
  // 3 decimals: it is a guess, and it is stored as a 4-byte float
  return Math.round((0.5 + samePlace + likeness - penalty) * 1000) / 1000
}

/** Guards against tables that were replaced wholesale: pairs compared at most. */
const mostPairs = 250_000

/**
 * Which columns of one table, gone and come at the same time, are probably one column under a new name. Greedy, best pair first, each
 * column used once; ties by id, so the answer does not depend on the order of the lists.
 */
export function guessRenames(gone: readonly ColumnShape[], come: readonly ColumnShape[]): Rename[] {
  if (gone.length * come.length > mostPairs) return []
  const pairs = gone.flatMap((a) => come.map((b) => ({ from: a.id, to: b.id, confidence: confidenceOf(a, b) })))
  pairs.sort((a, b) => b.confidence - a.confidence || (a.from < b.from ? -1 : a.from > b.from ? 1 : a.to < b.to ? -1 : 1))
  const used = new Set<string>()
  const out: Rename[] = []
  for (const pair of pairs) {
    if (pair.confidence < leastConfidence) break
    if (used.has(pair.from) || used.has(pair.to)) continue
    used.add(pair.from).add(pair.to)
    out.push(pair)
  }
  return out
}
