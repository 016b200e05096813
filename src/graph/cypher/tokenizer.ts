/**
 * Cypher text as tokens, read so that Neo4j, Grafeo and this file cannot disagree about where a string, a name or a comment ends.
 * Where the engines read letters differently the text is refused instead: Neo4j decodes `\uXXXX` before it parses, Grafeo only inside
 * strings; Grafeo folds Unicode letters in keywords (`ſET` runs as SET). `printTokens` gives the text that is run: no comments, one
 * blank where there was white space, strings re-escaped, so the engine never sees a character that was not understood here.
 */

export type TokenKind = 'word' | 'quoted' | 'string' | 'number' | 'parameter' | 'mark'

export interface Token {
  kind: TokenKind
  /** as printed: a word as written, a quoted name with its back-ticks, a string with its quotes, `$name`, one mark (`(`, `->`'s parts apart) */
  text: string
  /** a word in upper case, else '' */
  upper: string
  /** white space or a comment stood before it */
  spaced: boolean
  /** offset in the original text */
  at: number
}

/** Thrown and caught inside the guard: why the text is refused, and where. */
export class Refusal extends Error {
  constructor(
    readonly at: number,
    readonly found: string,
    readonly expected: string,
    readonly suggestion?: string,
  ) {
    super(expected)
  }
}

const wordStart = /[\p{L}\p{Nl}_]/u
const wordPart = /[\p{L}\p{Nl}\p{Mn}\p{Mc}\p{Nd}\p{Pc}]/u
const blank = /[ \t\r\n]/
/** what no quoted thing may hold as an escape: once decoded it would end the string, or start another escape */
const structural = new Set(["'", '"', '\\', '`', '\n', '\r'])
const simpleEscapes: Record<string, string> = { n: '\n', t: '\t', r: '\r', b: '\b', f: '\f', '\\': '\\', "'": "'", '"': '"' }
const marks = '()[]{},.:|&!%+-*/^=<>~;?'

/** Reads the whole text; throws a Refusal at the first character that is not plainly Cypher. */
export function tokenize(text: string): Token[] {
  const tokens: Token[] = []
  let at = 0
  let spaced = false
  while (at < text.length) {
    const afterBlank = skipBlank(text, at)
    if (afterBlank > at) {
      at = afterBlank
      spaced = true
      continue
    }
    const token = readToken(text, at)
    const upper = token.kind === 'word' ? token.text.toUpperCase() : ''
    tokens.push({ kind: token.kind, text: token.text, upper, spaced: spaced && tokens.length > 0, at })
    at = token.end
    spaced = false
  }
  return tokens
}

/** The text that is run. Adjacent tokens stay adjacent and apart ones apart, so column names keep their look. */
export const printTokens = (tokens: readonly Token[]): string => tokens.map((t) => (t.spaced ? ` ${t.text}` : t.text)).join('')

function skipBlank(text: string, at: number): number {
  if (blank.test(text[at]!)) return at + 1
  if (text.startsWith('//', at)) return endOfLineComment(text, at)
  if (text.startsWith('/*', at)) return endOfBlockComment(text, at)
  return at
}

function endOfLineComment(text: string, at: number): number {
  let end = at
  while (end < text.length && text[end] !== '\n') end++
  checkComment(text.slice(at, end).replace(/\r$/, ''), at)
  return end
}

function endOfBlockComment(text: string, at: number): number {
  const end = text.indexOf('*/', at + 2)
  if (end < 0) throw new Refusal(at, text.slice(at), 'a comment that ends', 'Close it with */')
  const body = text.slice(at + 2, end)
  if (body.startsWith('/') || body.includes('/*')) throw new Refusal(at, text.slice(at, end + 2), 'no comment inside a comment')
  checkComment(body, at)
  return end + 2
}

/** A comment must not hold what an engine could read as its end. */
function checkComment(body: string, at: number): void {
  if (/\\u/i.test(body)) throw new Refusal(at, body, 'no \\u escape in a comment', 'Leave the comment out')
  if (/[\v\f\u0085\u2028\u2029]|\r(?!\n)/.test(body)) throw new Refusal(at, body, 'plain line ends (\\n) in a comment')
}

interface Read {
  kind: TokenKind
  text: string
  end: number
}

function readToken(text: string, at: number): Read {
  const character = String.fromCodePoint(text.codePointAt(at)!)
  if (character === "'" || character === '"') return readString(text, at, character)
  if (character === '`') return readQuoted(text, at)
  if (character === '$') return readParameter(text, at)
  if (wordStart.test(character)) return readWord(text, at)
  if (/[0-9]/.test(character)) return readNumber(text, at)
  if (marks.includes(character)) return { kind: 'mark', text: character, end: at + 1 }
  if (character === '\\')
    throw new Refusal(
      at,
      text.slice(at, at + 6),
      'no \\u escape outside a string',
      'Write the character itself, or pass the value as a parameter',
    )
  throw new Refusal(
    at,
    `${JSON.stringify(character)} (U+${character.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0')})`,
    'Cypher',
  )
}

/** A string's value, printed again with the few escapes that both engines read alike. */
function readString(text: string, at: number, quote: string): Read {
  let value = ''
  let i = at + 1
  for (;;) {
    const character = text[i]
    if (character === undefined) throw new Refusal(at, text.slice(at), `a string that ends`, `Close it with ${quote}`)
    if (character === quote) break
    if (character !== '\\') {
      value += character
      i++
      continue
    }
    const decoded = readEscape(text, i)
    value += decoded.value
    i = decoded.end
  }
  return { kind: 'string', text: printString(value, quote), end: i + 1 }
}

function readEscape(text: string, at: number): { value: string; end: number } {
  const next = text[at + 1] ?? ''
  if (next === 'u' || next === 'U') {
    const [whole, digits] = /^\\u([0-9a-fA-F]{4})/.exec(text.slice(at, at + 6)) ?? []
    if (whole === undefined) throw new Refusal(at, text.slice(at, at + 6), '\\u and four hexadecimal digits')
    const value = String.fromCharCode(Number.parseInt(digits!, 16))
    if (structural.has(value))
      throw new Refusal(
        at,
        whole,
        'no escaped quote, back-tick, backslash or line end',
        'Write it plainly, or pass the text as a parameter',
      )
    return { value, end: at + 6 }
  }
  const value = simpleEscapes[next]
  if (value === undefined)
    throw new Refusal(
      at,
      text.slice(at, at + 2),
      `one of the escapes ${Object.keys(simpleEscapes)
        .map((e) => `\\${e}`)
        .join(' ')} \\uXXXX`,
    )
  // `\\u0027`: one engine could read an escaped backslash, the other an escaped quote.
  if (value === '\\' && /^u/i.test(text[at + 2] ?? ''))
    throw new Refusal(at, text.slice(at, at + 7), 'no backslash before a "u" in a string', 'Pass the text as a parameter')
  return { value, end: at + 2 }
}

const printed: Record<string, string> = { '\\': '\\\\', '\n': '\\n', '\t': '\\t', '\r': '\\r', '\b': '\\b', '\f': '\\f' }
function printString(value: string, quote: string): string {
  return quote + value.replace(/[\\\n\t\r\b\f'"]/g, (c) => (c === quote ? `\\${c}` : (printed[c] ?? c))) + quote
}

/** A string's token for the value. */
export const quoteText = (value: string): string => printString(value, "'")
/** The value of a string's token. */
export const valueOfString = (text: string): string => text.slice(1, -1).replace(/\\(.)/gs, (_, letter: string) => simpleEscapes[letter]!)

/** A back-ticked name. Grafeo knows no doubled back-tick and Neo4j decodes `\u` in it, so neither may appear. */
function readQuoted(text: string, at: number): Read {
  const end = text.indexOf('`', at + 1)
  if (end < 0) throw new Refusal(at, text.slice(at), 'a back-ticked name that ends', 'Close it with `')
  const name = text.slice(at + 1, end)
  if (name === '') throw new Refusal(at, '``', 'a name between back-ticks')
  if (text[end + 1] === '`') throw new Refusal(at, text.slice(at, end + 2), 'no back-tick inside a name')
  if (name.includes('\\')) throw new Refusal(at, name, 'no backslash inside a back-ticked name')
  if (/[\p{Cc}\u2028\u2029]/u.test(name)) throw new Refusal(at, JSON.stringify(name), 'no control character inside a name')
  return { kind: 'quoted', text: text.slice(at, end + 1), end: end + 1 }
}

function readParameter(text: string, at: number): Read {
  const [name] = /^[A-Za-z0-9_]+/.exec(text.slice(at + 1)) ?? []
  if (name === undefined) throw new Refusal(at, text.slice(at, at + 10), 'a parameter: $ and a name of letters, digits and _')
  return { kind: 'parameter', text: `$${name}`, end: at + 1 + name.length }
}

function readWord(text: string, at: number): Read {
  let end = at
  for (const character of text.slice(at)) {
    if (!wordPart.test(character)) break
    end += character.length
  }
  const word = text.slice(at, end)
  // biome-ignore lint/suspicious/noControlCharactersInRegex: this asks for ASCII
  const ascii = /^[\x00-\x7f]+$/
  const folds = [
    word.toUpperCase(),
    word.toLowerCase(),
    word.normalize('NFKC'),
    word.normalize('NFKC').toUpperCase(),
    word.normalize('NFKD'),
  ]
  if (!ascii.test(word) && folds.some((f) => ascii.test(f)))
    throw new Refusal(at, word, 'no letter that folds to a plain one (ſ, K, …)', `Put the name in back-ticks: \`${word}\``)
  return { kind: 'word', text: word, end }
}

function readNumber(text: string, at: number): Read {
  const [number] = /^(?:0[xX][0-9a-fA-F]+|0[oO][0-7]+|[0-9]+(?:\.(?!\.)[0-9]+)?(?:[eE][+-]?[0-9]+)?)/.exec(text.slice(at))!
  const end = at + number!.length
  const next = text[end] ?? ''
  if (wordPart.test(next))
    throw new Refusal(at, text.slice(at, end + 1), 'a number', 'A name cannot begin with a digit: put it in back-ticks')
  return { kind: 'number', text: number!, end }
}
