import { nameTokens } from '../util/words.js'
import { fastEditDistance } from './edit-distance.js'

/** English plurals cut to their stem where a simple rule does it: `companies` company, `addresses` address, `orders` order. */
export function singular(word: string): string {
  if (word.length > 4 && word.endsWith('ies')) return `${word.slice(0, -3)}y`
  if (word.length > 4 && /(s|x|z|ch|sh)es$/.test(word)) return word.slice(0, -2)
  return word.length > 3 && word.endsWith('s') && !word.endsWith('ss') ? word.slice(0, -1) : word
}

/** Words run together without separators: what names are compared by. */
export const squeeze = (name: string): string => nameTokens(name).join('')

/** 1 - edit distance / longer length, of names squeezed: 1 for equal, 0 for nothing in common. */
export function editSimilarity(a: string, b: string): number {
  const longest = Math.max(a.length, b.length)
  return longest === 0 ? 0 : 1 - fastEditDistance(a, b) / longest
}

/** Dice coefficient of the sets of character trigrams, the ends padded (as pg_trgm pads). */
export function trigramSimilarity(a: string, b: string): number {
  return dice(trigrams(a), trigrams(b))
}

const trigrams = (text: string): Set<string> => {
  const padded = `  ${text} `
  return new Set(Array.from({ length: Math.max(0, text && padded.length - 2 ? padded.length - 2 : 0) }, (_, i) => padded.slice(i, i + 3)))
}

/** 2 |A and B| / (|A| + |B|); 0 for two empty sets. */
export function dice<T>(a: ReadonlySet<T>, b: ReadonlySet<T>): number {
  if (a.size + b.size === 0) return 0
  let shared = 0
  for (const item of a) if (b.has(item)) shared++
  return (2 * shared) / (a.size + b.size)
}

/** A column as something that may be referenced: its name, and every way in which a key's name may spell it. */
export interface TargetName {
  name: string
  /** name, table and name, table; the table as it is and in the singular */
  spellings: readonly string[]
}

export function targetName(column: string, table: string): TargetName {
  const name = squeeze(column)
  const words = nameTokens(table)
  const owners = [words.join(''), words.map(singular).join(''), singular(words.at(-1) ?? '')]
  return { name, spellings: [...new Set([name, ...owners.flatMap((owner) => [owner + name, owner])])].filter(Boolean) }
}

/**
 * How well a foreign key's column name fits a target, 0..1: the best edit similarity to any of the target's spellings (`owner_id`,
 * `ownerId` and `owner` all fit owners.id). `asked` is squeezed.
 */
export function targetFit(asked: string, target: TargetName): number {
  let best = 0
  for (const spelling of target.spellings) {
    const longest = Math.max(asked.length, spelling.length)
    // Lengths alone bound the similarity: most spellings need no alignment.
    if (Math.min(asked.length, spelling.length) / longest > best) best = Math.max(best, editSimilarity(asked, spelling))
  }
  return best
}
