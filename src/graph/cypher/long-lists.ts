import type { Cursor } from './cursor.js'

/** Items of a list that an expression works through, by how many other such loops are around it: together at most 10^9 steps. */
export const longestLists = [100_000, 1_000, 10] as const
/** What Neo4j says of a longer one (rows.ts tells it on): an error that only comes up while the query runs. */
export const tooLongText = 'is the size of a list or text in an expression, where there may be at most'

/** Most of a list's items, or a text's characters, by argument (none: any number). */
const mostOfArguments: Record<string, readonly (number | undefined)[]> = {
  split: [1_000_000],
  replace: [1_000_000, undefined, 1_000],
  ...Object.fromEntries(['boolean', 'float', 'integer', 'string'].map((type) => [`to${type}list`, [longestLists[0]]])),
}

interface Part {
  /** token indices: [from, to) */
  from: number
  to: number
}

/**
 * Bounds, while the query runs, what its expressions work through: in the middle of an expression Neo4j looks neither at its time limit nor
 * at its memory limit (measured on 5.26: `[x IN range(1, 100000000) | {a: x}]` takes the whole heap of the server, and with it everybody's
 * queries). `[x IN xs | …]` becomes `[x IN <xs, or an error where it is too long> | …]`. What UNWIND makes rows of stays as it is: between
 * rows the limits hold.
 */
export function boundLongLists(cursor: Cursor): void {
  const { tokens, brackets } = cursor
  const loops = new Map<number, Part>()
  for (let open = 0; open < tokens.length; open++) {
    if (brackets.close[open]! < 0) continue
    const before = tokens[open - 1]
    const name = before?.kind === 'word' && tokens[open - 2]?.text !== '.' ? before.text.toLowerCase() : ''
    const list = findLoopedList(cursor, open, name)
    if (list) loops.set(open, list)
    const arguments_ = tokens[open]!.text === '(' && Object.hasOwn(mostOfArguments, name) ? argumentsOf(cursor, open) : []
    for (const [i, part] of arguments_.entries()) {
      const most = mostOfArguments[name]![i]
      if (most !== undefined) bound(cursor, part, most)
    }
  }
  for (const [open, list] of loops) {
    let around = 0
    for (let at = brackets.enclosing[open]!; at >= 0; at = brackets.enclosing[at]!) if (loops.has(at)) around++
    if (around >= longestLists.length)
      cursor.refuse(`at most ${longestLists.length} loops over lists in one another`, 'Use UNWIND, which makes rows', open)
    bound(cursor, list, longestLists[around]!)
  }
}

const loopFunctions = ['all', 'any', 'none', 'single']

/** The list that the bracket at `open` loops over: of `[x IN …`, `any(x IN …`, `reduce(a = …, x IN …`. */
function findLoopedList(cursor: Cursor, open: number, name: string): Part | null {
  const { tokens } = cursor
  const isList = tokens[open]!.text === '[' && tokens[open + 2]?.upper === 'IN'
  const isFunction = tokens[open]!.text === '(' && loopFunctions.includes(name) && tokens[open + 2]?.upper === 'IN'
  if (isList || isFunction) return { from: open + 3, to: endOfPart(cursor, open + 3, open) }
  if (tokens[open]!.text !== '(' || name !== 'reduce') return null
  const second = argumentsOf(cursor, open)[1]
  return second && tokens[second.from + 1]?.upper === 'IN' ? { from: second.from + 2, to: endOfPart(cursor, second.from + 2, open) } : null
}

/** Where WHERE, a bar or the bracket itself ends what begins at `from` in the bracket at `open`. */
function endOfPart({ tokens, brackets }: Cursor, from: number, open: number): number {
  const end = brackets.close[open]!
  for (let i = from; i < end; i++) {
    if (brackets.close[i]! >= 0) i = brackets.close[i]!
    else if (tokens[i]!.upper === 'WHERE' || tokens[i]!.text === '|') return i
  }
  return end
}

function argumentsOf({ tokens, brackets }: Cursor, open: number): Part[] {
  const end = brackets.close[open]!
  const parts: Part[] = []
  let from = open + 1
  for (let i = from; i < end; i++) {
    if (brackets.close[i]! >= 0) i = brackets.close[i]!
    else if (tokens[i]!.text === ',') {
      parts.push({ from, to: i })
      from = i + 1
    }
  }
  return [...parts, { from, to: end }]
}

/** The value itself, given a name so that it is computed once, or an error. (A comparison with null is not true: null stays null.) */
function bound({ edits }: Cursor, { from, to }: Part, most: number): void {
  if (to <= from) return
  edits.insert(from - 1, ' [espalier_value IN [')
  const failure = `date(toString(size(espalier_value)) + ' ${tooLongText} ${most}')`
  edits.insert(to - 1, `] | CASE WHEN size(espalier_value) > ${most} THEN [${failure}] ELSE espalier_value END][0]`)
}
