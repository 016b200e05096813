import { escapeCopyText } from '../../postgres/copy.js'
import type { NodeKind, Properties } from '../../vocabulary.js'

/** The punctuation that names are made of, and that of texts: as search_spaced and search_spaced_text of the ledger have it. */
const punctuationOfNames = /[_.\-/:,()[\]"`]/g
const punctuationOfTexts = /[\][_./:,;(){}<>'"`!?@#$%^&*+=|\\~\t\n\r-]/g
const beyondAscii = /[^ -~\t\n\r]/
const spaces = /[\t-\r ]+/
const longest = 500

/** For the reader of tsvector, and then for COPY. */
const quoted = (said: string): string => escapeCopyText(/[\\']/.test(said) ? said.replace(/[\\']/g, '\\$&') : said)
const isPlain = (value: unknown): value is string | null | undefined =>
  value === undefined || value === null || (typeof value === 'string' && !beyondAscii.test(value.slice(0, longest)))

const cutHumps = (name: string): string => name.replace(/([a-z0-9])([A-Z])/g, '$1 $2').replace(/([A-Z])([A-Z][a-z])/g, '$1 $2')
const spaced = (name: string): string => name.toLowerCase().replace(punctuationOfNames, ' ')
const spacedText = (said: unknown): string =>
  typeof said === 'string' ? said.slice(0, longest).toLowerCase().replace(punctuationOfTexts, ' ') : ''
/** Words as the reader of tsvector cuts them. */
export const wordsOf = (said: string): string[] => said.split(spaces).filter((word) => word !== '')
/** The same roughly, but quickly: cut by spaces alone, some empty. */
export const roughWordsOf = (said: string): string[] => said.split(' ')

/** What the search index holds of a node. */
export interface EntryText {
  /** as the reader of tsvector takes it, as COPY text */
  text: string
  /** where its words stand: what holds it (all of its qualified name, where its name does not end that) … */
  container: string
  /** … its name, … */
  words: readonly string[]
  /** … comment and description */
  texts: string
}

/** A name, whose texts are quoted. */
interface NameText {
  /** the mark of the whole name */
  mark: string
  /** at the end of the qualified name */
  last: string
  lastWords: readonly string[]
  /** where it has humps: cut at them */
  cut: string
  cutWords: readonly string[]
}

const mostNames = 5_000

/**
 * Makes search entries of nodes, in the very words that the ledger's own SQL makes of them (search-index-store.ts, which tells what an
 * entry is): a third of the time where a first load brings many. Names come again, and columns have their tables in common: what was made of
 * those is kept.
 */
export class EntryTexts {
  /** null: not all ASCII */
  private names = new Map<string, NameText | null>()
  private qualified = ''
  private container: { said: string; quoted: string } | null = { said: '', quoted: '' }

  /** Null where the texts are not all ASCII: alphabets are the database's affair. */
  of(kind: NodeKind, scope: number, name: string, qualifiedName: string, { comment, description }: Properties): EntryText | null {
    if (!isPlain(comment) || !isPlain(description)) return null
    const named = this.nameText(name)
    const isLast = qualifiedName.length <= longest && name !== '' && (qualifiedName === name || qualifiedName.endsWith(`.${name}`))
    const container = this.containerText(isLast ? qualifiedName.slice(0, -name.length) : qualifiedName)
    if (named === null || container === null) return null
    const texts = comment || description ? ` ${spacedText(comment)} ${spacedText(description)}` : ''
    const text = `${named.mark} #${kind}${kind === 'Column' ? ' @' : ' # @'}${scope} ${container.quoted}${isLast ? named.last : ''}${named.cut}${texts}`
    return { text, container: container.said, words: isLast ? named.lastWords : named.cutWords, texts }
  }

  /** Columns of a table come in a row. */
  private containerText(qualified: string): { said: string; quoted: string } | null {
    if (qualified !== this.qualified) {
      const said = isPlain(qualified) ? spaced(qualified.slice(0, longest)) : null
      this.container = said === null ? null : { said, quoted: quoted(said) }
      this.qualified = qualified
    }
    return this.container
  }

  private nameText(name: string): NameText | null {
    const known = this.names.get(name)
    if (known !== undefined) return known
    const made = isPlain(name) ? textOfName(name.slice(0, longest)) : null
    if (this.names.size >= mostNames) this.names = new Map()
    this.names.set(name, made)
    return made
  }
}

function textOfName(name: string): NameText {
  const hasHumps = name !== name.toLowerCase()
  const named = trimmed(spaced(hasHumps ? cutHumps(name) : name))
  const one = named.includes('  ') ? named.replace(/ +/g, ' ') : named
  const last = spaced(name)
  const cutWords = hasHumps ? wordsOf(named) : []
  return {
    ...{ mark: `'=${quoted(one)}'`, last: quoted(last), lastWords: [...wordsOf(last), ...cutWords] },
    ...{ cut: hasHumps ? ` ${quoted(named)}` : '', cutWords },
  }
}

/** btrim(…, ' '): of spaces alone. */
function trimmed(said: string): string {
  let [start, end] = [0, said.length]
  while (start < end && said.charCodeAt(start) === 32) start++
  while (end > start && said.charCodeAt(end - 1) === 32) end--
  return start === 0 && end === said.length ? said : said.slice(start, end)
}
