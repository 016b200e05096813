import type { SqlDialect } from './sql-dialect.js'
import { decodeString } from './type-tree.js'

export interface Token {
  kind: 'word' | 'quoted' | 'string' | 'number' | 'sign'
  /** as it stands in the script */
  text: string
  /** of a quoted name or a text: without its quotes */
  value: string
  start: number
  end: number
  /** of one that was made: does it follow the one before without a space? */
  glued?: true
}

/** One statement as tokens, comments left out. */
export interface Lexed {
  tokens: Token[]
  start: number
  /** of its terminator */
  end: number
  /** where the next one begins */
  next: number
  /** DELIMITER of the MySQL client: what ends statements from here on */
  delimiter?: string
  /** a quote or comment that was opened and never closed */
  unterminated?: { at: number; what: string }
  /** a quoted text that seems to have swallowed statements: where it opens, and where reading goes on if this one does not parse */
  swallowed?: { at: number; resume: number }
}

const space = /\s+/y
const word = /[\p{L}_$@][\p{L}\p{N}_$@]*/uy
const digits = /\d+(?:\.\d+)?(?:[eE][+-]?\d+)?(?![\p{L}_$])/uy
/** MySQL's names may begin with a digit */
const digitWord = /\d[\p{L}\p{N}_$]*/uy
const dollarTag = /\$(?:[\p{L}_][\p{L}\p{N}_]*)?\$/uy
const conditional = /\/\*M?!\d*/y
const freshStatement = /;[ \t]*\r?\n\s*(?:create|drop|alter|insert|use|set)\b/i
/** How far the end of a quoted text is looked for that seems to hold statements: bounds what one stray quote costs. */
const patience = 65_536
/** A statement that begins in a line of its own although the one before it was not ended. */
const definition =
  /(?:create\s+(?:(?:or\s+replace|external|temporary|unlogged|materialized|foreign)\s+)*(?:table|view|database|schema)|drop\s+(?:table|view|database|schema)|alter\s+(?:table|view))\b/iy
const delimiterCommand = /delimiter[ \t]+\S+[^\n]*/iy
/** Statements that hold other statements. */
const routine = /\s*create\s+(?:[^;(]{0,200}?\s)?(?:function|procedure|trigger|event|package|schema)\b/iy

/** Reads the statement that begins at `start`; null at the end of the script. `delimiter`: what ends it (`;`, or what DELIMITER says). */
export function lexStatement(script: string, start: number, dialect: SqlDialect, delimiter = ';'): Lexed | null {
  const lexer = new Lexer(script, start, dialect, delimiter)
  return start >= script.length ? null : lexer.statement()
}

class Lexer {
  private at: number
  private readonly tokens: Token[] = []
  private depth = 0
  /** open BEGIN and CASE of a routine's body */
  private blocks = 0
  private isRoutine = false
  /** of INSERT … VALUES only the beginning is kept: dumps are full of rows */
  private isData = false
  private unterminated: Lexed['unterminated']
  private swallowed: Lexed['swallowed']

  constructor(
    private readonly script: string,
    private readonly start: number,
    private readonly dialect: SqlDialect,
    private readonly delimiter: string,
  ) {
    this.at = start
  }

  statement(): Lexed {
    while (this.at < this.script.length) {
      if (this.skipBlank()) continue
      if (this.tokens.length === 0) {
        const command = this.match(delimiterCommand)
        if (command) {
          const delimiter = command.trim().split(/\s+/)[1]!
          this.at += command.length
          return { ...this.done(this.at), delimiter }
        }
        this.isRoutine = this.match(routine) !== null
      }
      if (this.blocks === 0 && this.script.startsWith(this.delimiter, this.at)) return this.done(this.at + this.delimiter.length)
      if (this.isNewDefinition()) return this.done(this.at)
      this.token()
    }
    return this.done(this.at)
  }

  private done(next: number): Lexed {
    const { tokens, start, at, unterminated, swallowed } = this
    return {
      tokens,
      start: tokens[0]?.start ?? start,
      end: Math.min(at, this.script.length),
      next,
      ...(unterminated ? { unterminated } : {}),
      ...(swallowed ? { swallowed } : {}),
    }
  }

  private match(pattern: RegExp): string | null {
    pattern.lastIndex = this.at
    return pattern.exec(this.script)?.[0] ?? null
  }

  /** Skips white space and comments; true where there was some. */
  private skipBlank(): boolean {
    const { script, at } = this
    const c = script[at]!
    const blank = this.match(space)
    if (blank) this.at += blank.length
    else if ((c === '-' && script[at + 1] === '-') || (c === '#' && this.dialect.hasHashComments)) this.skipLine()
    else if (c === '/' && script[at + 1] === '*') this.skipComment()
    // a command of psql: \connect, \restrict, …
    else if (c === '\\' && this.tokens.length === 0) this.skipLine()
    // the end of a conditional comment, whose inside was read
    else if (c === '*' && script[at + 1] === '/') this.at += 2
    else return false
    return true
  }

  private skipLine(): void {
    const newline = this.script.indexOf('\n', this.at)
    this.at = newline < 0 ? this.script.length : newline + 1
  }

  private skipComment(): void {
    const opened = this.dialect.hasConditionalComments ? this.match(conditional) : null
    if (opened) {
      this.at += opened.length
      return
    }
    const close = this.script.indexOf('*/', this.at + 2)
    if (close < 0) this.unterminated = { at: this.at, what: 'comment' }
    this.at = close < 0 ? this.script.length : close + 2
  }

  private isNewDefinition(): boolean {
    if (this.tokens.length === 0 || this.depth > 0 || this.isRoutine || this.delimiter !== ';') return false
    let before = this.at - 1
    while (this.script[before] === ' ' || this.script[before] === '\t') before--
    if (this.script[before] !== '\n') return false
    definition.lastIndex = this.at
    return definition.test(this.script)
  }

  private token(): void {
    const { script, at, dialect } = this
    const c = script[at]!
    if (dialect.hasDollarQuotes && c === '$') {
      const tag = this.match(dollarTag)
      if (tag) {
        this.quotedUpTo(tag)
        return
      }
    }
    if (c === '`' || dialect.nameQuotes.includes(c)) this.name(c)
    else if (c === "'" || c === '"') this.text(c)
    else this.plain(c)
  }

  private plain(c: string): void {
    const text = this.match(word)
    const number = text ? null : this.match(digits)
    const odd = text || number ? null : this.match(digitWord)
    if (text) this.word(text)
    else if (number) this.push('number', number.length)
    else if (odd) this.word(odd)
    else {
      if (c === '(') this.depth++
      if (c === ')') this.depth = Math.max(0, this.depth - 1)
      this.push('sign', 1)
    }
  }

  private push(kind: Token['kind'], length: number, value?: string): void {
    const text = this.script.slice(this.at, this.at + length)
    if (!this.isData) this.tokens.push({ kind, text, value: value ?? text, start: this.at, end: this.at + length })
    this.at += length
  }

  private word(text: string): void {
    const lower = text.toLowerCase()
    if (this.isRoutine) this.countBlocks(lower)
    const isRows = lower === 'values' || lower === 'value' || lower === 'stdin'
    const verb = this.tokens[0]?.text.toLowerCase()
    this.push('word', text.length, this.dialect.plainName(text))
    if (isRows && this.depth === 0 && (verb === 'insert' || verb === 'replace' || verb === 'copy')) this.isData = true
  }

  /** BEGIN … END, CASE … END; `END IF`, `END LOOP` close what was not counted. */
  private countBlocks(word: string): void {
    const before = this.tokens.at(-1)?.text.toLowerCase()
    if ((word === 'begin' || word === 'case') && before !== 'end') this.blocks++
    if (word === 'end' && !/^end\s+(?:if|loop|while|repeat|for)\b/i.test(this.script.slice(this.at, this.at + 40)))
      this.blocks = Math.max(0, this.blocks - 1)
  }

  private name(quote: string): void {
    const end = this.closing(quote, false)
    const raw = this.script.slice(this.at + 1, end)
    this.push('quoted', end + 1 - this.at, raw.replaceAll(quote + quote, quote))
  }

  private text(quote: string): void {
    const before = this.tokens.at(-1)
    const prefix = before?.kind === 'word' && before.end === this.at && /^(?:[enxb]|_\w+)$/i.test(before.text) ? before.text : ''
    const isEscaped = this.dialect.hasBackslash || /^e$/i.test(prefix)
    const end = this.closing(quote, isEscaped)
    const literal = this.script.slice(this.at, end + 1)
    const value = isEscaped ? decodeString(literal) : literal.slice(1, -1).replaceAll(quote + quote, quote)
    // E'…', N'…', X'…', _utf8'…': one text with what stands before it
    if (prefix !== '' && !this.isData) {
      this.tokens.pop()
      this.at -= prefix.length
    }
    this.push('string', end + 1 - this.at, value)
  }

  private quotedUpTo(tag: string): void {
    const close = this.script.indexOf(tag, this.at + tag.length)
    if (close < 0) this.unterminated = { at: this.at, what: `text in ${tag}` }
    const end = close < 0 ? this.script.length : close + tag.length
    this.push('string', end - this.at, this.script.slice(this.at + tag.length, close < 0 ? end : close))
  }

  /** Where the quote that opens here closes; doubled ones stand for themselves. */
  private closing(quote: string, isEscaped: boolean): number {
    const { script, at } = this
    let end = script.length
    let i = at + 1
    for (; i < end; i++) {
      // rows may hold anything; elsewhere a text this long that seems to hold statements is a forgotten quote
      if (i - at === patience && !this.isData && this.noticeSwallowed(at, i)) end = i
      if (isEscaped && script[i] === '\\') i++
      else if (script[i] === quote) {
        if (script[i + 1] !== quote) break
        i++
      }
    }
    if (!this.isData) this.noticeSwallowed(at, i)
    // `'x, b int);\ncreate table t (a int default 'y`: what closes it opens another
    const opensAnother = this.swallowed?.at === at && /[\p{L}\p{N}]/u.test(script[i + 1] ?? '')
    if (i >= end || opensAnother) this.unterminated = { at, what: quote === "'" || quote === '"' ? 'quote' : 'quoted name' }
    return Math.min(i, end)
  }

  /** A long text that holds what looks like statements: a quote was most likely forgotten before it. */
  private noticeSwallowed(from: number, to: number): boolean {
    if (to - from < 20) return false
    const found = freshStatement.exec(this.script.slice(from, Math.min(to, from + patience)))
    if (found) this.swallowed ??= { at: from, resume: from + found.index + 1 }
    return found !== null
  }
}
