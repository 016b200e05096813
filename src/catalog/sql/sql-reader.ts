import type { Token } from './sql-tokens.js'

/** A statement that is not as it should be; caught where statements are read, and told as a problem. */
export class Unexpected extends Error {
  constructor(
    readonly at: number,
    readonly found: string,
    readonly expected: string,
  ) {
    super(`${found}: expected ${expected}`)
  }
}

/** Walks over the tokens of a statement. Key words compare without regard to case. */
export class TokenReader {
  position = 0

  constructor(
    readonly tokens: readonly Token[],
    /** where the statement ends in the script */
    readonly end: number,
  ) {}

  peek(ahead = 0): Token | undefined {
    return this.tokens[this.position + ahead]
  }

  get atEnd(): boolean {
    return this.position >= this.tokens.length
  }

  /** Where the next token stands in the script. */
  get place(): number {
    return this.peek()?.start ?? this.end
  }

  next(): Token {
    const token = this.peek()
    if (!token) this.fail('more')
    this.position++
    return token!
  }

  /** The next token's key word, lower-case; '' where it is none. */
  word(ahead = 0): string {
    const token = this.peek(ahead)
    return token?.kind === 'word' ? token.text.toLowerCase() : ''
  }

  /** Do these key words come next? `null` fits any word. */
  isWords(...words: readonly string[]): boolean {
    return words.every((w, i) => this.word(i) === w)
  }

  takeWords(...words: readonly string[]): boolean {
    if (!this.isWords(...words)) return false
    this.position += words.length
    return true
  }

  /** Takes one of these key words, if it comes next. */
  takeOneOf(...words: readonly string[]): string | null {
    const word = this.word()
    if (word === '' || !words.includes(word)) return null
    this.position++
    return word
  }

  isSign(sign: string, ahead = 0): boolean {
    const token = this.peek(ahead)
    return token?.kind === 'sign' && token.text === sign
  }

  takeSign(sign: string): boolean {
    if (!this.isSign(sign)) return false
    this.position++
    return true
  }

  expectSign(sign: string): void {
    if (!this.takeSign(sign)) this.fail(`"${sign}"`)
  }

  isName(ahead = 0): boolean {
    const token = this.peek(ahead)
    return token !== undefined && (token.kind === 'word' || token.kind === 'quoted' || (token.kind === 'string' && token.text[0] === '"'))
  }

  /** One name. A text in double quotes is one too, where a name must stand (ANSI quotes). */
  name(what = 'a name'): string {
    if (!this.isName()) this.fail(what)
    return this.next().value
  }

  /** The parts of a dotted name. */
  dottedName(what = 'a name'): string[] {
    const parts = [this.name(what)]
    while (this.isSign('.') && this.isName(1)) {
      this.position++
      parts.push(this.name())
    }
    return parts
  }

  /** The value of a text that comes next, or undefined. */
  takeString(): string | undefined {
    return this.peek()?.kind === 'string' ? this.next().value : undefined
  }

  /** The inside of `( … )` as a reader of its own. */
  group(): TokenReader {
    const from = this.position
    this.expectSign('(')
    const close = this.closing(from)
    const inside = new TokenReader(this.tokens.slice(from + 1, close), this.tokens[close]?.start ?? this.end)
    if (close >= this.tokens.length) this.fail('")"', this.tokens.length)
    this.position = close + 1
    return inside
  }

  /** Splits what is left at the commas that stand outside parentheses (and angle and square brackets). */
  *elements(): Generator<TokenReader> {
    let from = this.position
    const open: string[] = []
    for (let i = from; i <= this.tokens.length; i++) {
      const token = this.tokens[i]
      const sign = token?.kind === 'sign' ? token.text : ''
      if (sign === '(' || sign === '[' || this.opensAngle(i)) open.push(sign)
      // a `>` that closes no type is a comparison
      if (sign === ')' || sign === ']' || (sign === '>' && open.at(-1) === '<')) open.pop()
      if (token && (sign !== ',' || open.length > 0)) continue
      if (i > from) yield new TokenReader(this.tokens.slice(from, i), token?.start ?? this.end)
      from = i + 1
    }
    this.position = this.tokens.length
  }

  /** `<` of a type (`array<int>`), not of a comparison. */
  private opensAngle(at: number): boolean {
    const token = this.tokens[at]
    if (token?.kind !== 'sign' || token.text !== '<') return false
    return /^(?:array|map|struct|row|multiset)$/i.test(this.tokens[at - 1]?.text ?? '')
  }

  /** Skips `( … )` if it comes next. */
  skipGroup(): boolean {
    if (!this.isSign('(')) return false
    this.position = Math.min(this.closing(this.position) + 1, this.tokens.length)
    return true
  }

  private closing(open: number): number {
    let depth = 0
    for (let i = open; i < this.tokens.length; i++) {
      const token = this.tokens[i]!
      if (token.kind !== 'sign') continue
      if (token.text === '(') depth++
      if (token.text === ')' && --depth === 0) return i
    }
    return this.tokens.length
  }

  /** Everything from here on, on one line, comments left out. */
  rest(): string {
    const text = printTokens(this.tokens.slice(this.position))
    this.position = this.tokens.length
    return text
  }

  /** The tokens taken since `from`, on one line. */
  textFrom(from: number): string {
    return printTokens(this.tokens.slice(from, this.position))
  }

  fail(expected: string, position = this.position): never {
    const token = this.tokens[position]
    const near = printTokens(this.tokens.slice(position, position + 8))
    throw new Unexpected(token?.start ?? this.end, token ? `"${token.text}", near: ${near}` : 'the end of the statement', expected)
  }
}

/** Tokens as text on one line, spaced as they were. */
export const printTokens = (tokens: readonly Token[]): string =>
  tokens.map((token, i) => (i > 0 && token.start > tokens[i - 1]!.end ? ` ${token.text}` : token.text)).join('')
