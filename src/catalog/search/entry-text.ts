import type { NodeKind, Properties } from '../../vocabulary.js'

/** The punctuation that names are made of, and that of texts: as search_spaced and search_spaced_text of the ledger have it. */
const punctuationOfNames = /[_.\-/:,()[\]"`]/g
const punctuationOfTexts = /[\][_./:,;(){}<>'"`!?@#$%^&*+=|\\~\t\n\r-]/g
const beyondAscii = /[^ -~\t\n\r]/
const longest = 500

const quoted = (said: string): string => (/[\\']/.test(said) ? said.replace(/[\\']/g, '\\$&') : said)
const isPlain = (value: unknown): value is string | null | undefined =>
  value === undefined || value === null || (typeof value === 'string' && !beyondAscii.test(value.slice(0, longest)))

const cutHumps = (name: string): string => name.replace(/([a-z0-9])([A-Z])/g, '$1 $2').replace(/([A-Z])([A-Z][a-z])/g, '$1 $2')
const spacedText = (said: unknown): string =>
  typeof said === 'string' ? said.slice(0, longest).toLowerCase().replace(punctuationOfTexts, ' ') : ''

/** What the search index holds of a node. */
export interface EntryText {
  /** as the reader of tsvector takes it */
  text: string
  /** where its words stand, cut by spaces: the qualified name first, then the name where it says more, comment and description */
  said: readonly [string, ...string[]]
}

/**
 * The search entry of a node, in the very words that the ledger's own SQL makes of it (search-index-store.ts, which tells what an entry
 * is): a third of the time where a first load brings many. Null where the texts are not all ASCII: alphabets are the database's affair.
 */
export function entryTextOf(kind: NodeKind, scope: number, name: string, qualifiedName: string, properties: Properties): EntryText | null {
  const { comment, description } = properties
  if (!isPlain(name) || !isPlain(qualifiedName) || !isPlain(comment) || !isPlain(description)) return null
  const whole = name.slice(0, longest)
  const hasHumps = whole !== whole.toLowerCase()
  const named = trimmed((hasHumps ? cutHumps(whole) : whole).toLowerCase().replace(punctuationOfNames, ' '))
  const qualified = qualifiedName.slice(0, longest).toLowerCase().replace(punctuationOfNames, ' ')
  const one = named.includes('  ') ? named.replace(/ +/g, ' ') : named
  const marks = `'=${quoted(one)}' #${kind}${kind === 'Column' ? ' @' : ' # @'}${scope}`
  const texts = `${spacedText(comment)} ${spacedText(description)}`
  const text = `${marks} ${quoted(qualified)}${hasHumps ? ` ${quoted(named)}` : ''} ${texts}`
  return { text, said: hasHumps ? [qualified, named, texts] : [qualified, texts] }
}

/** btrim(…, ' '): of spaces alone. */
function trimmed(said: string): string {
  let [start, end] = [0, said.length]
  while (start < end && said.charCodeAt(start) === 32) start++
  while (end > start && said.charCodeAt(end - 1) === 32) end--
  return start === 0 && end === said.length ? said : said.slice(start, end)
}
