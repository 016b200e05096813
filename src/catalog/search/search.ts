import { editDistance } from '../../util/closest.js'
import { nameTokens } from '../../util/words.js'
import type { NodeKind } from '../../vocabulary.js'
import type { Annotations } from '../people/annotation.js'

/**
 * Search in two steps: Postgres finds candidates by words (search-store.ts), and the functions here rank them by what they know of each
 * word: where it was found, and how exactly.
 */

/** The words of any text, as they are indexed and asked for. */
export const nameWords = nameTokens

const mostWords = 10

/** A word that is asked for, and the known words that it may have been meant to be. */
export interface AskedWord {
  word: string
  /** near ones, the nearest first; none while the word itself finds enough */
  meant: string[]
}

/** The distinct words of a question, ten at most. */
export const askedWords = (text: string): string[] => [...new Set(nameWords(text))].slice(0, mostWords)

/** How many slips a word of a length may have. */
const slips = (length: number): number => (length < 4 ? 0 : length < 6 ? 1 : length < 10 ? 2 : 3)

/** Those of the known words that a mistyped one may mean. */
export const meantBy = (word: string, known: readonly string[]): string[] =>
  known
    .filter((other) => !other.startsWith(word))
    .map((other) => [other, editDistance(word, other)] as const)
    .filter(([, distance]) => distance <= slips(word.length))
    .sort(([a, x], [b, y]) => x - y || (a < b ? -1 : 1))
    .slice(0, 5)
    .map(([other]) => other)

const lexeme = (text: string) => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`
const anyOf = (parts: readonly string[]) => (parts.length === 1 ? parts[0]! : `(${parts.join(' | ')})`)

/** A single letter begins too many words. */
const wordQuery = ({ word, meant }: AskedWord) => anyOf([`${lexeme(word)}${word.length > 1 ? ':*' : ''}`, ...meant.map(lexeme)])

export interface Narrowing {
  kinds?: readonly NodeKind[]
  /** keys of scopes; none: everywhere */
  scopes?: readonly number[]
}

const marks = ({ kinds, scopes }: Narrowing): string[] => [
  ...(kinds ? [anyOf(kinds.map((kind) => lexeme(`#${kind}`)))] : []),
  ...(scopes ? [anyOf(scopes.map((key) => lexeme(`@${key}`)))] : []),
]

const notColumn = lexeme('#')

/** Texts of tsqueries: all words; any of them; the name as a whole. `tables`: of everything but columns, which outnumber the rest. */
export function searchQueries(words: readonly AskedWord[], narrowing: Narrowing) {
  const and = (parts: readonly string[]) => [...parts, ...marks(narrowing)].join(' & ')
  const each = words.map(wordQuery)
  const whole = lexeme(`=${words.map(({ word }) => word).join(' ')}`)
  return {
    all: and(each),
    any: and([anyOf(each)]),
    tiers: [and([whole, notColumn]), and([whole]), and([...each, notColumn]), and(each)],
    anyTiers: [and([anyOf(each), notColumn]), and([anyOf(each)])],
  }
}

/** What ranking looks at. */
export interface Candidate {
  id: string
  kind: NodeKind
  name: string
  qualifiedName: string
  comment: string | null
  description: string | null
  said: Annotations
}

export const searchFields = ['name', 'qualifiedName', 'comment', 'owners', 'tags', 'terms', 'description'] as const
export type SearchField = (typeof searchFields)[number]

/** What finding a word there is worth. */
const weights: Record<SearchField, number> = {
  name: 10,
  tags: 6,
  terms: 6,
  owners: 5,
  qualifiedName: 3,
  description: 3,
  comment: 2,
}
/** How exactly it was found. */
const exactness = { same: 1, begins: 0.7, meant: 0.5 }
const wholeName = 20
const coverage = 5
/** Of two alike, what holds the other comes first. */
const prior: Partial<Record<NodeKind, number>> = { Column: 0, Table: 2, View: 2, Database: 2, System: 2, Project: 2 }

const textsOf = ({ name, qualifiedName, comment, description, said }: Candidate): [SearchField, string][] => [
  ['name', name],
  ['qualifiedName', qualifiedName],
  ...(comment ? [['comment', comment] as [SearchField, string]] : []),
  ...(['owners', 'tags', 'terms'] as const).flatMap((field) => said[field].map((text) => [field, text] as [SearchField, string])),
  ...[description, said.description].flatMap((text) => (text ? [['description', text] as [SearchField, string]] : [])),
]

function closeness(known: string, { word, meant }: AskedWord): number {
  if (known === word) return exactness.same
  if (word.length > 1 && known.startsWith(word)) return exactness.begins
  return meant.includes(known) ? exactness.meant : 0
}

/** The better the higher; 0: nothing of what was asked. Three decimals, so that cursors can hold it. */
export function scoreOf(candidate: Candidate, words: readonly AskedWord[]): number {
  const texts = textsOf(candidate).map(([field, text]) => [weights[field], nameWords(text)] as const)
  let score = 0
  for (const asked of words) {
    let best = 0
    for (const [weight, known] of texts) for (const word of known) best = Math.max(best, weight * closeness(word, asked))
    score += best
  }
  if (score === 0) return 0
  const name = nameWords(candidate.name)
  if (name.join(' ') === words.map(({ word }) => word).join(' ')) score += wholeName
  const covered = name.filter((word) => words.some((asked) => closeness(word, asked) > 0)).length
  score += coverage * (covered / Math.max(1, name.length)) + (prior[candidate.kind] ?? 1)
  return Math.round(score * 1000) / 1000
}

export interface Ranked<T extends Candidate> {
  candidate: T
  score: number
}

/** Candidates by rank: the best first, then by id. */
export const rank = <T extends Candidate>(candidates: readonly T[], words: readonly AskedWord[]): Ranked<T>[] =>
  candidates
    .map((candidate) => ({ candidate, score: scoreOf(candidate, words) }))
    .filter(({ score }) => score > 0)
    .sort((a, b) => b.score - a.score || (a.candidate.id < b.candidate.id ? -1 : 1))

/** Where in a text what was asked for stands; `start` and `length` in UTF-16 units. */
export interface Highlight {
  field: SearchField
  text: string
  matches: { start: number; length: number }[]
}

/** Words with their places: runs of letters and digits, cut at humps as nameTokens cuts them. */
const placedWord = /\p{Lu}+(?!\p{Ll})|\p{Lu}?[\p{Ll}\p{N}]+|[\p{L}\p{N}]+?(?=\p{Lu}|[^\p{L}\p{N}]|$)/gu

const longestExcerpt = 160

/** Cuts a long text around its first match. */
function excerpt(text: string, matches: Highlight['matches']): Pick<Highlight, 'text' | 'matches'> {
  if (text.length <= longestExcerpt) return { text, matches }
  const start = Math.max(0, Math.min(matches[0]!.start - 40, text.length - longestExcerpt))
  const kept = matches.filter((m) => m.start >= start && m.start + m.length <= start + longestExcerpt)
  const head = start > 0 ? '…' : ''
  const tail = start + longestExcerpt < text.length ? '…' : ''
  return {
    text: head + text.slice(start, start + longestExcerpt) + tail,
    matches: kept.map((m) => ({ start: m.start - start + head.length, length: m.length })),
  }
}

/** The texts of a candidate in which something was found; a long one is cut to an excerpt. */
export function highlightsOf(candidate: Candidate, words: readonly AskedWord[]): Highlight[] {
  return textsOf(candidate).flatMap(([field, text]) => {
    const matches = [...text.matchAll(placedWord)].flatMap(({ 0: found, index: start }) => {
      const asked = words.find((word) => closeness(found.toLowerCase(), word) > 0)
      if (!asked) return []
      const isBeginning = found.toLowerCase().startsWith(asked.word)
      return [{ start, length: isBeginning ? asked.word.length : found.length }]
    })
    return matches.length > 0 ? [{ field, ...excerpt(text, matches) }] : []
  })
}
