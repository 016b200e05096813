import { Budget } from '../regex/automaton.js'
import { checkRegex } from '../regex/check.js'
import type { Cursor } from './cursor.js'
import { quoteText, type Token, valueOfString } from './tokenizer.js'
import { isClauseWord } from './words.js'

/** Patterns of one query, at most. */
const mostPatterns = 50

const enders = new Set(['AND', 'OR', 'XOR', 'AS', 'WHEN', 'THEN', 'ELSE', 'END', 'ASC', 'ASCENDING', 'DESC', 'DESCENDING'])
const howTo = 'Write the pattern as a text, a parameter, or these joined by +; or use CONTAINS, STARTS WITH, ENDS WITH'

/**
 * Each pattern behind `=~` must be known here: a text, a parameter, or these joined by `+`. What is run is its meaning in other words
 * (regex/), in place of them; patterns whose matching could take longer than in proportion to the text are refused. Answers how often a
 * character of a text may be read.
 */
export function readRegexes(cursor: Cursor, parameters: Readonly<Record<string, unknown>>): number {
  const { tokens } = cursor
  const budget = new Budget()
  let patterns = 0
  let ways = 0
  for (const [at, token] of tokens.entries()) {
    if (token.kind !== 'mark' || token.text !== '~') continue
    if (tokens[at - 1]?.text !== '=' || token.spaced) cursor.refuse('=~', undefined, at)
    if (++patterns > mostPatterns) cursor.refuse(`at most ${mostPatterns} regular expressions`, 'Ask in several queries', at)
    const { from, to } = findPattern(cursor, at + 1)
    const pattern = joinPattern(cursor, from, to, parameters)
    // `x =~ null` is null on both engines.
    if (pattern === null) continue
    const checked = checkRegex(pattern, cursor.engine, budget)
    if (!checked.ok) cursor.refuse(`a regular expression: ${checked.expected}`, checked.suggestion, from)
    ways = Math.max(ways, checked.ways)
    for (let i = from; i < to; i++) cursor.edits.drop(i)
    cursor.edits.insert(to - 1, ` ${quoteText(checked.text)}`)
  }
  return ways
}

/** The tokens of the pattern: those in a pair of parentheses, or operands with a `+` between each. */
function findPattern(cursor: Cursor, start: number): { from: number; to: number } {
  const { tokens, brackets } = cursor
  const isMark = (at: number, text: string) => tokens[at]?.kind === 'mark' && tokens[at]!.text === text
  const isBracketed = isMark(start, '(')
  const from = isBracketed ? start + 1 : start
  let to = from
  do {
    if (!['string', 'parameter'].includes(tokens[to]?.kind ?? '')) cursor.refuse('a pattern that is known before the query runs', howTo, to)
    to++
  } while (isMark(to, '+') && to++)
  if (isBracketed && brackets.close[start] !== to) cursor.refuse('a pattern that is known before the query runs', howTo, to)
  const after = isBracketed ? to + 1 : to
  if (!endsOperand(tokens[after]))
    cursor.refuse(
      'AND, OR or the end of the expression after a pattern',
      'Put the comparison into parentheses: (n.name =~ "a.*") = true',
      after,
    )
  return { from, to }
}

/** After the pattern nothing may come that an engine could read as a part of it. */
function endsOperand(token: Token | undefined): boolean {
  if (!token) return true
  if (token.kind === 'mark') return [')', ']', '}', ',', '|'].includes(token.text)
  return token.kind === 'word' && (isClauseWord(token.upper) || enders.has(token.upper))
}

/** The value of the operands together; null where one is null. */
function joinPattern(cursor: Cursor, from: number, to: number, parameters: Readonly<Record<string, unknown>>): string | null {
  const values: (string | null)[] = []
  for (let at = from; at < to; at += 2) {
    const { kind, text } = cursor.tokens[at]!
    values.push(kind === 'string' ? valueOfString(text) : valueOfParameter(cursor, at, parameters))
  }
  return values.includes(null) ? null : values.join('')
}

function valueOfParameter(cursor: Cursor, at: number, parameters: Readonly<Record<string, unknown>>): string | null {
  const name = cursor.tokens[at]!.text.slice(1)
  const value = Object.hasOwn(parameters, name) ? parameters[name] : undefined
  if (typeof value !== 'string' && value !== null)
    cursor.refuse(`a text as the value of $${name}, which is a pattern`, `Give the query the parameter ${name}`, at)
  return value
}
