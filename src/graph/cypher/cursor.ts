import { type GapName, grafeoGaps } from '../grafeo/gaps.js'
import type { Brackets } from './brackets.js'
import { Edits } from './edits.js'
import type { Branch } from './rows.js'
import { Refusal, type Token } from './tokenizer.js'
import type { Sightings } from './visible.js'

/** The readers that call each other, handed over by guard.ts: their files need not import one another in a circle. */
export interface Grammar {
  /** clauses up to token `end`; `inside`: the depth of brackets (0 is the whole text) */
  query(cursor: Cursor, end: number, inside: number): Branch[]
  /** `{ … }` at the cursor: a query, or with `patternAllowed` also a bare pattern */
  subquery(cursor: Cursor, inside: number, patternAllowed: boolean): void
  expression(cursor: Cursor, end: number, scope: Scope): void
}

export interface Scope {
  /** depth of brackets */
  inside: number
  /** in the pattern of a MATCH, before its WHERE */
  pattern: boolean
  /** in brackets, where no clause may follow */
  nested: boolean
}

/** A place in the tokens of a query, and what is noted on the way. */
export class Cursor {
  /** indices of the words that are properties, labels, types, keys or aliases */
  readonly names = new Set<number>()
  readonly edits = new Edits()
  readonly sightings: Sightings = { nodes: [], relationships: [], labels: [] }
  at = 0
  /** read so far, in all */
  clauses = 0
  private readonly labelMarks = new Map<number, boolean>()
  constructor(
    readonly tokens: readonly Token[],
    readonly brackets: Brackets,
    readonly engine: 'neo4j' | 'grafeo',
    readonly grammar: Grammar,
  ) {}

  text = (offset = 0) => this.tokens[this.at + offset]?.text ?? ''
  upper = (offset = 0) => this.tokens[this.at + offset]?.upper ?? ''

  refuse(expected: string, suggestion?: string, at = this.at): never {
    const token = this.tokens[at]
    throw new Refusal(
      token?.at ?? (this.tokens.at(-1)?.at ?? 0) + (this.tokens.at(-1)?.text.length ?? 0),
      token?.text ?? '',
      expected,
      suggestion,
    )
  }

  /** Refuses what the embedded engine lacks, and lets it pass on Neo4j. */
  gap(name: GapName, at = this.at): void {
    if (this.engine === 'grafeo') this.refuse(`what the embedded graph can do (${grafeoGaps[name].reason})`, grafeoGaps[name].hint, at)
  }

  keyword(word: string): void {
    if (this.upper() !== word) this.refuse(word)
    this.at++
  }

  /** Index of the bracket that closes the one at the cursor. */
  closing = () => this.brackets.close[this.at]!
  /** Index of the bracket around the token at `at`; -1 at the top. */
  enclosing = (at = this.at) => this.brackets.enclosing[at]!

  /** Is the word at the cursor a property, a label or type, or a map's key, and so no keyword? */
  isName(): boolean {
    const before = this.tokens[this.at - 1]
    if (before?.kind !== 'mark') return false
    if (before.text === '.') return this.text(-2) !== '.'
    return this.isLabelMark(this.at - 1) || (this.text(1) === ':' && this.isKey(this.at))
  }

  /** `:` before a label or type, or `|`, `&`, `!` in a row of them (and not a map's colon, nor a comprehension's bar). */
  isLabelMark(at: number): boolean {
    const isOne = this.findLabelColon(at)
    this.labelMarks.set(at, isOne)
    return isOne
  }

  /** Back over a row of labels (`:A|B|!C`) to its colon, or to a mark that was asked about before. */
  private findLabelColon(from: number): boolean {
    for (let at = from; at >= 0; ) {
      const known = this.labelMarks.get(at)
      if (known !== undefined) return known
      const { text } = this.tokens[at]!
      if (text === ':') return !this.isKey(at - 1)
      if (text === '!') at--
      else if ((text === '|' || text === '&') && ['word', 'quoted'].includes(this.tokens[at - 1]?.kind ?? '')) at -= 2
      else return false
    }
    return false
  }

  /** Is the token at `at`, which a colon follows, a key of a map? */
  private isKey(at: number): boolean {
    const before = this.tokens[at - 1]?.text
    return (before === '{' || before === ',') && this.tokens[this.enclosing(at)]?.text === '{'
  }
}
