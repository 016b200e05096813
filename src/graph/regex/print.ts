import { type CharSet, negate } from './charset.js'
import type { Chars, Regex } from './syntax.js'

/** A text has none of these alone, and Rust takes no class that has. */
const surrogates = [0xd800, 0xdfff] as const

/**
 * The regular expression in the words that Java and Rust read alike. `possessive` (Java): repeated groups never give back, which a pattern
 * allows where isDecidedInLoops; else Java takes a stack frame for each round, and some 3,000 rounds end the thread and its connection.
 */
export function printRegex(regex: Regex, possessive: boolean): string {
  const print = (part: Regex) => printRegex(part, possessive)
  const more = possessive ? '+' : ''
  switch (regex.kind) {
    case 'chars':
      return printRun(regex)
    case 'sequence':
      return regex.parts.map((part) => (part.kind === 'choice' ? `(?:${print(part)})` : print(part))).join('')
    case 'choice':
      return regex.options.map(print).join('|')
    case 'optional':
      return regex.body.kind === 'loop' ? `(?:${print(regex.body.body)})*${more}` : `(?:${print(regex.body)})?`
    case 'loop':
      return `(?:${print(regex.body)})+${more}`
  }
}

/** What stands in a group where others follow. */
export const printGrouped = (regex: Regex, possessive: boolean): string => {
  const text = printRegex(regex, possessive)
  return regex.kind === 'choice' ? `(?:${text})` : text
}

function printRun({ set, least, most }: Chars): string {
  const text = printChars(set)
  // Java may take `{2,}` a stack frame a character, where some take two places of its text; never `*`.
  if (most === Number.POSITIVE_INFINITY) return least === 1 ? `${text}+` : `${least > 0 ? `${text}{${least}}` : ''}${text}*`
  if (least === most) return least === 1 ? text : `${text}{${least}}`
  return least === 0 && most === 1 ? `${text}?` : `${text}{${least},${most}}`
}

function printChars(set: CharSet): string {
  const [first] = set
  if (set.length === 1 && first![0] === first![1]) return printChar(first![0])
  const others = negate(set)
  // `[^]` is no class: what matches everything, or nothing, is written as ranges.
  const isNegated = others.length > 0 && others.length < set.length
  if (set.length === 0) return `[^${printRange(0, 0x10ffff)}]`
  return `[${isNegated ? '^' : ''}${(isNegated ? others : set).map(([from, to]) => printRange(from, to)).join('')}]`
}

function printRange(from: number, to: number): string {
  const [low, high] = surrogates
  if (from < low && to > high) return printRange(from, low - 1) + printRange(high + 1, to)
  return from === to ? printChar(from) : `${printChar(from)}-${printChar(to)}`
}

function printChar(code: number): string {
  const character = String.fromCodePoint(code)
  if (/[A-Za-z0-9_ ]/.test(character)) return character
  return `\\x{${(code >= surrogates[0] && code <= surrogates[1] ? surrogates[0] - 1 : code).toString(16)}}`
}
