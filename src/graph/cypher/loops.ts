import type { Token } from './tokenizer.js'

/**
 * Functions that work through a list, or make a long list or text of little. Lists of `range`, and of `+`, take Neo4j no memory however long
 * they are.
 */
const loops = new Set(
  'all any none single reduce range split replace tobooleanlist tofloatlist tointegerlist tostringlist'
    .split(' ')
    .map((f) => f.toUpperCase()),
)

/** Words and marks of a text that is planned at once. */
const shortText = 1_000

/**
 * Whether an expression of the query may work for long between two rows, where Neo4j does not look at its time limit: loops over lists
 * (`reduce`, `any`, `[x IN …]`), and what makes lists or texts long (`+`, `range`). Measured on 5.26:
 * `RETURN any(x IN range(1, 1000000000000) WHERE x < 0)` was answered with a time-out, and went on working in the server without an end.
 * Planning a long text cannot be stopped either. Regular expressions are no such loops: those that could be are refused (regexes.ts).
 */
export function mayLoop(tokens: readonly Token[]): boolean {
  if (tokens.length > shortText) return true
  return tokens.some(({ kind, text, upper }, i) => {
    if (kind === 'mark') return text === '+' || (text === '[' && tokens[i + 2]?.upper === 'IN')
    return kind === 'word' && tokens[i + 1]?.text === '(' && tokens[i - 1]?.text !== '.' && loops.has(upper)
  })
}
