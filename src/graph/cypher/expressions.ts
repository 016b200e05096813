import { didYouMean } from '../../util/closest.js'
import { closing } from './brackets.js'
import type { Cursor, Scope } from './cursor.js'
import { checkLabelExpression, checkQuantifier, type PatternState, readBracket } from './patterns.js'
import { checkFunction } from './procedures.js'
import {
  clauseWords,
  hiddenLabel,
  isClauseWord,
  type OperatorRole,
  operatorWords,
  refusedClauses,
  refusedWords,
  subqueryWords,
} from './words.js'

interface ExpressionState extends PatternState {
  /** CASEs that wait for their END */
  cases: number
}

/**
 * Reads operands and operators up to `end` or, where clauses may follow (`nested` false), to the next clause's keyword. A word after an
 * operand must be an operator, else it begins a clause that is not known.
 */
export function readExpression(cursor: Cursor, end: number, { inside, pattern, nested }: Scope): void {
  const state: ExpressionState = { afterOperand: false, cases: 0, pattern, inside }
  while (cursor.at < end) {
    const { kind, upper } = cursor.tokens[cursor.at]!
    if (kind === 'word' && !nested && isClauseWord(upper) && !cursor.isName()) return
    if (kind === 'word') readWord(cursor, state)
    else if (kind === 'mark') readMark(cursor, state)
    else readValue(cursor, state)
    if (upper === 'WHERE') state.pattern = false
  }
}

/** A number, string, parameter or back-ticked name. */
function readValue(cursor: Cursor, state: ExpressionState): void {
  const { kind } = cursor.tokens[cursor.at]!
  if (state.afterOperand && cursor.text(-1) !== '*') cursor.refuse('an operator or a clause')
  refuseHidden(cursor)
  if (kind === 'parameter' && isLabelPlace(cursor))
    cursor.refuse('a label or type that stands in the text', 'Use WHERE $label IN labels(n), or type(r) = $type')
  if (kind === 'quoted' && cursor.text(1) === '(') cursor.refuse('a plain function name', 'Function names cannot stand in back-ticks')
  state.afterOperand = true
  cursor.at++
}

/** `:$(…)`, `:$any(…)`, `IS $all(…)`: labels made of values could name the platform's own. */
function isLabelPlace(cursor: Cursor): boolean {
  return (cursor.at > 0 && cursor.isLabelMark(cursor.at - 1)) || cursor.upper(-1) === 'IS'
}

function refuseHidden(cursor: Cursor): void {
  if (cursor.text().replaceAll('`', '') === hiddenLabel)
    cursor.refuse('a label of the graph', `${hiddenLabel} is the platform's own: CALL db.labels() lists yours`)
}

/** One word and what belongs to it. */
function readWord(cursor: Cursor, state: ExpressionState): void {
  const { upper } = cursor.tokens[cursor.at]!
  const isName = cursor.isName()
  const isAlias = cursor.upper(-1) === 'AS'
  const refused = refusedWords[upper]
  if (refused && !isName) cursor.refuse('a query that only reads', `${refused}. If it is a name, put it in back-ticks`)
  const role = isName || isAlias ? undefined : operatorWords[upper]
  if (role !== undefined) readOperator(cursor, role, state)
  else {
    if (isName || isAlias) cursor.names.add(cursor.at)
    readOperand(cursor, state, isName)
  }
}

function readOperand(cursor: Cursor, state: ExpressionState, isName: boolean): void {
  const { text, upper } = cursor.tokens[cursor.at]!
  refuseHidden(cursor)
  if (!isName) {
    if (state.afterOperand) refuseClause(cursor, text, upper)
    if (isClauseWord(upper)) cursor.refuse('a name', 'A name that is a keyword must stand in back-ticks')
    if (cursor.text(1) === '{' && subqueryWords.includes(upper)) {
      if (upper === 'COLLECT') cursor.gap('collect')
      cursor.at++
      cursor.grammar.subquery(cursor, state.inside, true)
      state.afterOperand = true
      return
    }
  }
  if (cursor.text(1) === '(') checkFunction(cursor)
  state.afterOperand = true
  cursor.at++
}

function readOperator(cursor: Cursor, role: OperatorRole, state: ExpressionState): void {
  const { text, upper } = cursor.tokens[cursor.at]!
  const inCase = ['WHEN', 'THEN', 'ELSE', 'END'].includes(upper)
  if ((inCase && state.cases === 0) || (state.afterOperand && (role === 'prefix' || role === 'operand'))) refuseClause(cursor, text, upper)
  state.cases += upper === 'CASE' ? 1 : upper === 'END' ? -1 : 0
  cursor.at++
  if (upper === 'STARTS' || upper === 'ENDS') cursor.keyword('WITH')
  state.afterOperand = role === 'operand' || role === 'postfix'
}

function refuseClause(cursor: Cursor, text: string, upper: string): never {
  cursor.refuse(`an operator or a clause (unknown clause ${text})`, refusedClauses[upper] ?? didYouMean(text, clauseWords))
}

function readMark(cursor: Cursor, state: ExpressionState): void {
  const text = cursor.text()
  if (text === ';') cursor.refuse('one statement', 'Send statements one at a time')
  if (')]}'.includes(text)) cursor.refuse('brackets that match')
  if (text in closing) {
    readBracket(cursor, text, state)
    state.afterOperand = true
    return
  }
  checkLabelExpression(cursor, state)
  checkQuantifier(cursor, state)
  cursor.at++
  state.afterOperand = text === '*' && !state.afterOperand
}
