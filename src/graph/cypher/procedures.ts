import { didYouMean } from '../../util/closest.js'
import { missingFunctions, sameFunctions } from '../grafeo/gaps.js'
import type { Cursor } from './cursor.js'
import { allowedFunctions, allowedProcedures, pathFunctions } from './words.js'

/** What follows CALL: `{ … }`, `(x, y) { … }`, or one of the listing procedures with its YIELD. */
export function readCall(cursor: Cursor, end: number, inside: number): void {
  if (cursor.text() === '(') {
    const close = cursor.closing()
    cursor.at++
    cursor.grammar.expression(cursor, close, { inside: inside + 1, pattern: false, nested: true })
    cursor.at = close + 1
    if (cursor.text() !== '{') cursor.refuse('{ after CALL (…)')
  }
  if (cursor.text() === '{') cursor.grammar.subquery(cursor, inside, false)
  else readProcedure(cursor, end, inside)
}

function readProcedure(cursor: Cursor, end: number, inside: number): void {
  const from = cursor.at
  const name = readProcedureName(cursor)
  if (!allowedProcedures.includes(name))
    cursor.refuse(
      `one of the procedures ${allowedProcedures.join(', ')}, not ${name || cursor.text()}`,
      didYouMean(name || cursor.text(), allowedProcedures),
      from,
    )
  if (cursor.text() === '(') {
    if (cursor.text(1) !== ')') cursor.refuse(`no arguments for ${name}`)
    cursor.at += 2
  } else cursor.edits.insert(cursor.at - 1, '()')
  const called = cursor.at - 1
  if (cursor.upper() === 'YIELD') {
    cursor.at++
    cursor.grammar.expression(cursor, end, { inside, pattern: false, nested: false })
  }
  if (name === 'db.labels') cursor.sightings.labels.push({ call: from - 1, called, end: cursor.at - 1 })
}

function readProcedureName(cursor: Cursor): string {
  let name = ''
  while (cursor.tokens[cursor.at]?.kind === 'word' || cursor.text() === '.') {
    if (cursor.tokens[cursor.at]!.kind === 'word' && name !== '' && !name.endsWith('.')) break
    name += cursor.text()
    cursor.at++
  }
  return name
}

/** The function whose last word stands at the cursor (before a parenthesis) must be in the table; the cursor stays. */
export function checkFunction(cursor: Cursor): void {
  let from = cursor.at
  while (cursor.tokens[from - 1]?.text === '.' && from >= 2) from -= 2
  const name = cursor.tokens
    .slice(from, cursor.at + 1)
    .map((t) => t.text)
    .join('')
  if (pathFunctions.some((f) => f.toLowerCase() === name.toLowerCase())) {
    cursor.gap('pathFunction', from)
    return
  }
  if (!allowedFunctions.has(name.toLowerCase()))
    cursor.refuse(`a function that is allowed, not ${name}`, didYouMean(name, allowedFunctions), from)
  if (cursor.engine === 'grafeo') checkFunctionOfGrafeo(cursor, name.toLowerCase(), from)
}

function checkFunctionOfGrafeo(cursor: Cursor, name: string, from: number): void {
  const missing = missingFunctions[name]
  if (missing) cursor.refuse(`a function that the embedded graph has, not ${name}`, missing.hint, from)
  const same = sameFunctions[name]
  if (!same) return
  cursor.edits.drop(cursor.at)
  cursor.edits.insert(cursor.at, ` ${same}`)
}
