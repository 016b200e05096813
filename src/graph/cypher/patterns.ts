import { findUnboundedHops, isUnboundedQuantifier, mostHops } from './bounds.js'
import { deepest } from './brackets.js'
import type { Cursor } from './cursor.js'
import type { Token } from './tokenizer.js'

export interface PatternState {
  /** an operand stands before the cursor */
  afterOperand: boolean
  /** in the pattern of a MATCH, before its WHERE */
  pattern: boolean
  /** depth of brackets */
  inside: number
}

/** Refuses `->+(b)` and `((a)-->(b))* (c)`: quantifiers without an upper bound. */
export function checkQuantifier(cursor: Cursor, { afterOperand, pattern }: PatternState): void {
  const text = cursor.text()
  if (!pattern || (text !== '+' && text !== '*')) return
  const before = cursor.text(-1)
  if ((['>', '-'].includes(before) && cursor.text(1) === '(') || (afterOperand && before === ')'))
    cursor.refuse('a bounded pattern', `Write how often at most: {1,5}, or -[:TYPE*1..5]->`)
}

/** `&`, `!`, `%`, and between labels of a node also `|`. */
export function checkLabelExpression(cursor: Cursor, { afterOperand }: PatternState): void {
  const text = cursor.text()
  const isOne =
    text === '&' ||
    text === '!' ||
    (text === '%' && !afterOperand) ||
    (text === '|' && cursor.isLabelMark(cursor.at) && cursor.tokens[cursor.enclosing()]?.text !== '[')
  if (isOne) cursor.gap('labelExpression')
}

/** A bracket at the cursor and all that is in it: of a node, a relationship, a list, a map, a quantifier. */
export function readBracket(cursor: Cursor, open: string, state: PatternState): void {
  const { inside, pattern } = state
  if (inside >= deepest) cursor.refuse(`at most ${deepest} brackets deep`)
  if (open === '(' && state.afterOperand && !pattern && cursor.tokens[cursor.at - 1]?.kind !== 'word')
    cursor.refuse('an operator or a clause', 'Only functions are called, by their plain names')
  const end = cursor.closing()
  const inner = cursor.tokens.slice(cursor.at + 1, end)
  const isRelationship = open === '[' && cursor.text(-1) === '-'
  checkBounds(cursor, open, inner, isRelationship, pattern)
  if (open === '(' && pattern && isNode(inner)) readNode(cursor, inner, end)
  checkGaps(cursor, open, inner, isRelationship, state)
  if (isRelationship && !pattern) cursor.sightings.relationships.push(cursor.at)
  cursor.at++
  cursor.grammar.expression(cursor, end, { inside: inside + 1, pattern: pattern && open === '(', nested: true })
  cursor.at = end + 1
}

function checkBounds(cursor: Cursor, open: string, inner: readonly Token[], isRelationship: boolean, pattern: boolean): void {
  const hops = isRelationship ? findUnboundedHops(inner) : -1
  if (hops >= 0) cursor.refuse(`an upper bound of at most ${mostHops} hops`, 'Write it: *1..5', cursor.at + 1 + hops)
  if (open === '{' && pattern && isUnboundedQuantifier(inner)) cursor.refuse(`an upper bound of at most ${mostHops}`, 'Write it: {1,5}')
}

/** What of brackets the embedded engine lacks. */
function checkGaps(cursor: Cursor, open: string, inner: readonly Token[], isRelationship: boolean, state: PatternState): void {
  const { pattern, afterOperand } = state
  const before = cursor.text(-1)
  if (open === '(' && pattern && inner[0]?.text === '(' && cursor.tokens[cursor.at - 1]?.kind !== 'word') cursor.gap('quantifiedPattern')
  if (open === '{' && pattern && ['>', '-', ')'].includes(before)) cursor.gap('quantifiedPattern')
  if (open === '{' && afterOperand && inner.length > 0 && inner[0]!.text !== '.' && !isOfPattern(cursor, pattern))
    cursor.gap('projectionOfValues')
  if (open !== '[' || isRelationship) return
  if (afterOperand && isNegativeSlice(inner)) cursor.gap('negativeSlice')
  if (!afterOperand && inner[1]?.text === '=' && inner[2]?.text === '(' && inner.some((t) => t.text === '|'))
    cursor.gap('pathInComprehension')
}

/** Are the braces at the cursor the properties of a node or a relationship? */
function isOfPattern(cursor: Cursor, pattern: boolean): boolean {
  const outer = cursor.tokens[cursor.enclosing()]
  const before = cursor.tokens[cursor.enclosing() - 1]
  return pattern || (outer?.text === '[' ? before?.text === '-' : outer?.text === '(' && before?.kind !== 'word')
}

/** A node of a MATCH. */
function readNode(cursor: Cursor, inner: readonly Token[], end: number): void {
  if (inner.some((t, i) => t.upper === 'WHERE' && !cursor.isLabelMark(cursor.at + i))) cursor.gap('whereInNode')
  if (cursor.text(-1) === '=' && !['-', '<'].includes(cursor.tokens[end + 1]?.text ?? '')) cursor.gap('pathOfOneNode')
  cursor.sightings.nodes.push(cursor.at)
}

/** What stands between the parentheses of a node: nothing, a name, a label, properties; not a path. */
function isNode(inner: readonly Token[]): boolean {
  const [first, second] = inner
  return first === undefined || (first.text !== '(' && second?.text !== '=')
}

function isNegativeSlice(inner: readonly Token[]): boolean {
  const dots = inner.findIndex((t, i) => t.text === '.' && inner[i + 1]?.text === '.')
  return dots >= 0 && (inner[0]?.text === '-' || inner[dots + 2]?.text === '-')
}
