import { didYouMean } from '../../util/closest.js'
import { deepest } from './brackets.js'
import type { Cursor } from './cursor.js'
import { readCall } from './procedures.js'
import type { Branch, Clause } from './rows.js'
import { type ClauseWord, clauseWords, isClauseWord, refusedClauses, refusedWords } from './words.js'

/** Reads clauses up to token `end`; `inside`: the depth of brackets (0 is the whole text). */
export function readQuery(cursor: Cursor, end: number, inside: number): Branch[] {
  const branches: Branch[] = [[]]
  while (cursor.at < end) {
    const clause = readClause(cursor, end, inside)
    if (clause.word === 'UNION') {
      checkBranch(cursor, branches.at(-1)!, inside)
      branches.push([])
    } else {
      checkOrder(cursor, branches.at(-1)!, clause)
      branches.at(-1)!.push(clause)
    }
  }
  checkBranch(cursor, branches.at(-1)!, inside)
  return branches
}

/** A branch ends with RETURN (and its ORDER BY, SKIP, LIMIT), or is one call of a listing procedure. */
function checkBranch(cursor: Cursor, branch: Branch, inside: number): void {
  const alone = branch.length === 1 && branch[0]!.word === 'CALL' && inside === 0 && cursor.tokens[branch[0]!.from + 1]?.kind === 'word'
  if (!alone && !branch.some((c) => c.word === 'RETURN')) cursor.refuse('RETURN at the end', 'A query must return something')
}

/** What may stand before a clause, where that matters. */
const places: Partial<Record<ClauseWord, readonly (ClauseWord | undefined)[]>> = {
  WHERE: ['MATCH', 'OPTIONAL', 'WITH', 'ORDER', 'SKIP', 'LIMIT', 'CALL'],
  ORDER: ['RETURN', 'WITH'],
  SKIP: ['RETURN', 'WITH', 'ORDER'],
  LIMIT: ['RETURN', 'WITH', 'ORDER', 'SKIP'],
}
const afterReturn: readonly ClauseWord[] = ['ORDER', 'SKIP', 'LIMIT']

function checkOrder(cursor: Cursor, branch: Branch, clause: Clause): void {
  const allowed = places[clause.word]
  if (allowed && !allowed.includes(branch.at(-1)?.word)) cursor.refuse(`${clause.word} after ${allowed.join(', ')}`, undefined, clause.from)
  const before = branch.at(-1)?.word
  // A RETURN is the last clause but for these: where one of them stands before, a WITH or a RETURN did.
  const returned = before === 'RETURN' || (before !== undefined && afterReturn.includes(before) && branch.some((c) => c.word === 'RETURN'))
  if (returned && !afterReturn.includes(clause.word))
    cursor.refuse('the end of the query after RETURN', 'One statement at a time', clause.from)
}

/** Of one text, those of its subqueries included. */
const mostClauses = 100

function readClause(cursor: Cursor, end: number, inside: number): Clause {
  const from = cursor.at
  if (++cursor.clauses > mostClauses) cursor.refuse(`at most ${mostClauses} clauses`, 'Ask in several queries')
  const word = readClauseWord(cursor)
  cursor.at++
  if (word === 'OPTIONAL') cursor.keyword('MATCH')
  if (word === 'ORDER') cursor.keyword('BY')
  if (word === 'UNION' && ['ALL', 'DISTINCT'].includes(cursor.upper())) {
    if (cursor.upper() === 'DISTINCT' && cursor.engine === 'grafeo') cursor.edits.drop(cursor.at)
    cursor.at++
  }
  if (word === 'CALL') readCall(cursor, end, inside)
  else if (word !== 'UNION') {
    const start = cursor.at
    cursor.grammar.expression(cursor, end, { inside, pattern: word === 'MATCH' || word === 'OPTIONAL', nested: false })
    if (cursor.at === start) cursor.refuse(`something after ${word}`, 'A name that is a keyword must stand in back-ticks')
  }
  return { word, from, to: cursor.at }
}

function readClauseWord(cursor: Cursor): ClauseWord {
  const { kind, text, upper } = cursor.tokens[cursor.at]!
  if (isClauseWord(upper)) return upper
  if (text === ';') cursor.refuse('one statement', 'Send statements one at a time')
  const known = refusedWords[upper] ?? refusedClauses[upper]
  if (known) cursor.refuse('a clause that reads', known)
  if (kind !== 'word') cursor.refuse(`a clause: ${clauseWords.join(', ')}`)
  cursor.refuse(`a clause: ${clauseWords.join(', ')} (unknown clause ${text})`, didYouMean(text, clauseWords))
}

/** `{ … }` at the cursor: a query, or inside an expression (`patternAllowed`) also a bare pattern. */
export function readSubquery(cursor: Cursor, inside: number, patternAllowed: boolean): void {
  if (inside >= deepest) cursor.refuse(`at most ${deepest} brackets deep`)
  const end = cursor.closing()
  cursor.at++
  if (patternAllowed && !isClauseWord(cursor.upper()))
    cursor.grammar.expression(cursor, end, { inside: inside + 1, pattern: true, nested: true })
  else if (patternAllowed && !returns(cursor, end)) readPatternQuery(cursor, end, inside + 1)
  else readQuery(cursor, end, inside + 1)
  if (cursor.at !== end) cursor.refuse('}')
  cursor.at = end + 1
}

/** `EXISTS { MATCH … WHERE … }`: RETURN may be left out. */
function readPatternQuery(cursor: Cursor, end: number, inside: number): void {
  while (cursor.at < end) {
    const clause = readClause(cursor, end, inside)
    if (clause.word === 'UNION' || clause.word === 'RETURN') cursor.refuse('RETURN in every branch', undefined, clause.from)
  }
}

/** Does RETURN or UNION stand before `end`, in these braces themselves? */
function returns({ tokens, at, brackets }: Cursor, end: number): boolean {
  for (let i = at; i < end; i++) {
    const { upper } = tokens[i]!
    if (upper === 'RETURN' || upper === 'UNION') return true
    if (brackets.close[i]! >= 0) i = brackets.close[i]!
  }
  return false
}
