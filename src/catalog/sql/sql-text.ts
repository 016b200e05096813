import { didYouMean } from '../../util/closest.js'

/** A stretch of a script between two semicolons, as it stands there: `script.slice(start, end)`. */
export interface Statement {
  start: number
  /** of the semicolon, or the end of the script */
  end: number
  /** the quote, back-tick or comment that was opened and never closed */
  unterminated?: { opened: number; what: 'quote' | 'back-tick' | 'comment' }
  /**
   * Where, inside a quoted text, a line ends with a semicolon and the next one begins like a statement. If the statement does not
   * parse, a quote was most likely forgotten before, and reading goes on from here.
   */
  resume?: number
}

const begins = String.raw`(?:create|drop|alter|use|insert|with|select|analyze|msck|set|grant|truncate|from)\b`
const freshStatement = new RegExp(String.raw`;[ \t]*\r?\n(?:\s|--[^\n]*\n)*(?=${begins})`, 'giy')
/** How far we look for the end of a quoted text that seems to have swallowed statements: bounds the work that one stray quote costs. */
const patience = 65_536

/**
 * The next statement of a script at or after `start`, or null at its end. Knows quotes with backslash escapes, back-ticks, `--` and
 * block comments; linear in the length of the statement.
 */
export function nextStatement(script: string, start: number): Statement | null {
  if (start >= script.length) return null
  let resume: number | undefined
  for (let i = start; i < script.length; i++) {
    const c = script.charCodeAt(i)
    if (c === semicolon) return resume === undefined ? { start, end: i } : { start, end: i, resume }
    const kind = opens(script, i, c)
    if (!kind) continue
    if (kind === 'line') {
      const newline = script.indexOf('\n', i)
      i = newline < 0 ? script.length : newline
      continue
    }
    const close = endOf(script, i, kind)
    if (kind !== 'comment' && resume === undefined) resume = swallowed(script, i + 1, close.at)
    if (!close.found) {
      const unterminated = { opened: i, what: kind }
      return { start, end: close.at, unterminated, ...(resume === undefined ? {} : { resume }) }
    }
    i = close.at
  }
  return resume === undefined ? { start, end: script.length } : { start, end: script.length, resume }
}

/** Every statement of a script, in order, blank ones left out. */
export function splitStatements(script: string): Statement[] {
  const statements: Statement[] = []
  for (let at = 0, next: Statement | null; (next = nextStatement(script, at)); at = next.end + 1)
    if (!isBlank(script.slice(next.start, next.end))) statements.push(next)
  return statements
}

const [semicolon, dash, slash, star, backslash, backtick, single, double] = [...';-/*\\`\'"'].map((c) => c.charCodeAt(0)) as [
  number,
  number,
  number,
  number,
  number,
  number,
  number,
  number,
]

type Opening = 'quote' | 'back-tick' | 'comment' | 'line'

function opens(script: string, i: number, c: number): Opening | null {
  if (c === single || c === double) return 'quote'
  if (c === backtick) return 'back-tick'
  if (c === dash && script.charCodeAt(i + 1) === dash) return 'line'
  if (c === slash && script.charCodeAt(i + 1) === star) return 'comment'
  return null
}

/** `at`: the last character of the quoted text or comment that opens at `i`; where none is found, how far it was looked for. */
function endOf(script: string, i: number, kind: 'quote' | 'back-tick' | 'comment'): { at: number; found: boolean } {
  if (kind === 'comment') {
    const close = script.indexOf('*/', i + 2)
    return close < 0 ? { at: script.length, found: false } : { at: close + 1, found: true }
  }
  const quote = script.charCodeAt(i)
  let limit = script.length
  for (let j = i + 1; j < limit; j++) {
    const c = script.charCodeAt(j)
    if (c === backslash && kind === 'quote') j++
    else if (c === quote) return { at: j, found: true }
    else if (c === semicolon && limit === script.length && isFresh(script, j)) limit = Math.min(limit, j + patience)
  }
  return { at: limit, found: false }
}

function isFresh(script: string, semicolonAt: number): boolean {
  freshStatement.lastIndex = semicolonAt
  return freshStatement.test(script)
}

/** The first place in `from`..`to` where a fresh statement seems to begin. */
function swallowed(script: string, from: number, to: number): number | undefined {
  for (let at = script.indexOf(';', from); at >= 0 && at < to; at = script.indexOf(';', at + 1)) if (isFresh(script, at)) return at + 1
  return undefined
}

const definition =
  /[ \t]*(?:create\s+(?:(?:or\s+replace|external|temporary|materialized|transactional|managed)\s+)*(?:table|view|database|schema)|drop\s+(?:table|view)|alter\s+(?:table|view))\b/iy

/**
 * Where, in a statement that does not parse, further ones begin: lines that start like a definition, outside quotes and comments. Dumps
 * of SHOW CREATE TABLE have no semicolons, so that one bad definition would take all others with it.
 */
export function definitionsWithin(text: string): number[] {
  const found: number[] = []
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i)
    const kind = opens(text, i, c)
    if (kind === 'line') {
      const newline = text.indexOf('\n', i)
      i = newline < 0 ? text.length : newline
    }
    if (kind && kind !== 'line') i = endOf(text, i, kind).at
    if (text[i] !== '\n') continue
    definition.lastIndex = i + 1
    if (definition.test(text)) found.push(i + 1)
  }
  return found
}

/** Is there nothing but white space and comments? */
export const isBlank = (text: string): boolean => text.replace(/--[^\n]*|\/\*(?!\+)[\s\S]*?(?:\*\/|$)/g, '').trim() === ''

/** Line and column (from 1) of a place in a text; builds its index of lines once. */
export function linesOf(text: string): (at: number) => { line: number; column: number } {
  const starts = [0]
  for (let i = text.indexOf('\n'); i >= 0; i = text.indexOf('\n', i + 1)) starts.push(i + 1)
  return (at) => {
    let low = 0
    let high = starts.length - 1
    while (low < high) {
      const middle = (low + high + 1) >> 1
      if (starts[middle]! <= at) low = middle
      else high = middle - 1
    }
    return { line: low + 1, column: at - starts[low]! + 1 }
  }
}

/** A text after its variables were filled in, with the way back from a place in it to the place in the original. */
export interface Filled {
  text: string
  /** names that had no value, each with its place in the original and what it might have meant */
  unset: { name: string; at: number; suggestion?: string }[]
  original(at: number): number
}

const quotedOrComment = /'(?:[^'\\]|\\[\s\S])*'|"(?:[^"\\]|\\[\s\S])*"|--[^\n]*|\/\*[\s\S]*?\*\/|\$\{[^}]*\}/g
const variable = /\$\{(?:(hiveconf|hivevar|system|env|define):)?([^}\s]+)\}/g

/** The variables of a text, quoted ones included, those in comments not. */
function* variablesIn(text: string): Generator<{ at: number; length: number; prefix: string | undefined; name: string }> {
  for (const outer of text.matchAll(quotedOrComment)) {
    if (outer[0].startsWith('--') || outer[0].startsWith('/*')) continue
    for (const match of outer[0].matchAll(variable))
      yield { at: outer.index + match.index, length: match[0].length, prefix: match[1], name: match[2]! }
  }
}

/** Fills in `${NAME}`, `${hiveconf:NAME}`, `${hivevar:NAME}` … outside comments. A value is looked up with and without its prefix. */
export function fillVariables(text: string, variables: Readonly<Record<string, string>>): Filled {
  if (!text.includes('${')) return { text, unset: [], original: (at) => at }
  const unset: Filled['unset'] = []
  const shifts: Shift[] = []
  const parts: string[] = []
  let length = 0
  let last = 0
  for (const { at, length: removed, prefix, name } of variablesIn(text)) {
    const value = lookUp(variables, prefix, name)
    if (value === undefined) {
      const suggestion = didYouMean(name, Object.keys(variables))
      unset.push({ name: prefix ? `${prefix}:${name}` : name, at, ...(suggestion ? { suggestion } : {}) })
      continue
    }
    parts.push(text.slice(last, at), value)
    length += at - last
    shifts.push({ at: length, from: at, inserted: value.length, removed })
    length += value.length
    last = at + removed
  }
  parts.push(text.slice(last))
  return { text: parts.join(''), unset, original: (at) => originalOf(shifts, at) }
}

/** One variable filled in: where in the new text, where in the old one, and the two lengths. */
type Shift = { at: number; from: number; inserted: number; removed: number }

function lookUp(variables: Readonly<Record<string, string>>, prefix: string | undefined, name: string): string | undefined {
  for (const key of [`${prefix}:${name}`, name, `hivevar:${name}`, `hiveconf:${name}`])
    if (Object.hasOwn(variables, key)) return variables[key]
  return undefined
}

function originalOf(shifts: readonly Shift[], at: number): number {
  let result = at
  for (const shift of shifts) {
    if (at < shift.at) break
    result = at < shift.at + shift.inserted ? shift.from : shift.from + shift.removed + (at - shift.at - shift.inserted)
  }
  return result
}
