import { nameTokens } from '../../util/words.js'
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
export const trigramSimilarity = (a: string, b: string): number => dice(trigrams(a), trigrams(b))

export const trigrams = (text: string): Set<string> => {
  const padded = `  ${text} `
  return new Set(Array.from({ length: text === '' ? 0 : padded.length - 2 }, (_, i) => padded.slice(i, i + 3)))
}

/** 2 |A and B| / (|A| + |B|); 0 for two empty sets. */
export function dice<T>(a: ReadonlySet<T>, b: ReadonlySet<T>): number {
  if (a.size + b.size === 0) return 0
  let shared = 0
  for (const item of a) if (b.has(item)) shared++
  return (2 * shared) / (a.size + b.size)
}

/** Share of a's last words that are b's last words too: `employee_address_id` ends in `address_id` (2 of 3). */
export function sharedEnding(a: readonly string[], b: readonly string[]): number {
  let shared = 0
  while (shared < a.length && shared < b.length && a.at(-1 - shared) === b.at(-1 - shared)) shared++
  return a.length === 0 ? 0 : shared / a.length
}

/** Words at the end of a key's name that say "this is a key" and not of what. */
const keyWords = new Set(['id', 'ids', 'key', 'code', 'cd', 'no', 'nr', 'num', 'number', 'sk', 'pk', 'fk', 'uuid', 'guid', 'ref', 'uid'])

/** Words without key words at their end, in the singular; nothing is left of `id`. */
function stemOf(words: readonly string[]): string[] {
  let end = words.length
  while (end > 0 && keyWords.has(words[end - 1]!)) end--
  // `teacherid`, written in one word
  const stem = words.slice(0, end).map(singular)
  const last = words.length === end ? /^(.{3,})(?:id|key|code)$/.exec(stem.at(-1) ?? '')?.[1] : undefined
  return last ? [...stem.slice(0, -1), last] : stem
}

/** A node as something that names speak of: worked out once, compared often. */
export interface Spelling {
  /** its name, squeezed */
  name: string
  words: readonly string[]
  trigrams: ReadonlySet<string>
  /** every way in which a reference to it may be spelled: name, owner and name, owner; the owner as it is and in the singular */
  spellings: readonly string[]
  /** the name without key words, singular, squeezed, and its last word: `employee_address_id` employeeaddress, address */
  stem: string
  head: string
  /** the owner's name in the singular, squeezed, and its last word */
  owner: string
  ownerHead: string
  ownerWords: ReadonlySet<string>
  /** words of the name's stem and of the owner, singular */
  allWords: ReadonlySet<string>
  stemWords: ReadonlySet<string>
}

export function spellingOf(name: string, owner: string): Spelling {
  const words = nameTokens(name)
  const squeezed = words.join('')
  const ownerTokens = nameTokens(owner)
  const ownerWords = ownerTokens.map(singular)
  const owners = [ownerTokens.join(''), ownerWords.join(''), ownerWords.at(-1) ?? '']
  const stem = stemOf(words)
  return {
    name: squeezed,
    words,
    trigrams: trigrams(squeezed),
    spellings: [...new Set([squeezed, ...owners.flatMap((o) => [o + squeezed, o])])].filter(Boolean),
    stem: stem.join(''),
    head: stem.at(-1) ?? '',
    owner: ownerWords.join(''),
    ownerHead: ownerWords.at(-1) ?? '',
    ownerWords: new Set(ownerWords),
    allWords: new Set([...stem, ...ownerWords]),
    stemWords: new Set(stem),
  }
}

/**
 * How well the name of a reference fits a target, 0..1: the best edit similarity to any of the target's spellings (`owner_id`, `ownerId`
 * and `owner` all fit owners.id). `asked` is squeezed.
 */
export function targetFit(asked: string, target: Pick<Spelling, 'spellings'>): number {
  let best = 0
  for (const spelling of target.spellings) {
    const longest = Math.max(asked.length, spelling.length)
    // Lengths alone bound the similarity: most spellings need no alignment.
    if (Math.min(asked.length, spelling.length) / longest > best) best = Math.max(best, editSimilarity(asked, spelling))
  }
  return best
}
