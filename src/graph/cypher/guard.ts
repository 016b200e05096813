import { type Problem, problem } from '../../util/problem.js'
import { readBrackets } from './brackets.js'
import { readQuery, readSubquery } from './clauses.js'
import { Cursor, type Grammar } from './cursor.js'
import { readExpression } from './expressions.js'
import { boundLongLists } from './long-lists.js'
import { mayLoop } from './loops.js'
import { readRegexes } from './regexes.js'
import { columnsOf, cutRows, quoteKeyword } from './rows.js'
import { printTokens, Refusal, tokenize } from './tokenizer.js'
import { hideOwnNode } from './visible.js'

/** A query that only reads, as it may be run. */
export interface GuardedCypher {
  ok: true
  /** the text to run: printed from the tokens, cut at the row limit where Cypher allows it */
  text: string
  /** names of the result's columns as the text spells them; null where it says `*` or calls a procedure */
  columns: string[] | null
  /** an expression of it may work for long between two rows (loops.ts), or its planning may */
  mayLoop: boolean
}

export interface GuardOptions {
  /** which engine will run it (default `neo4j`): what Grafeo lacks (grafeo/gaps.ts) is refused with a hint, or rewritten */
  engine?: 'neo4j' | 'grafeo'
  /** rows at most: `LIMIT rows + 1` is added, or replaces a larger one, so that a cut can be told from an end (default: nothing added) */
  rows?: number
  /** the query's parameters, of which patterns may be made (default none) */
  parameters?: Readonly<Record<string, unknown>>
}

const longest = 100_000
/** Patterns of more nodes take time to plan. */
const fewNodes = 20
/** Regular expressions that read a text more often take 3 to 5 s for 1 MB at most (255 ways, measured on 5.26), and cannot be stopped meanwhile. */
const fewWays = 16
/** Words and marks: Neo4j plans longer texts for minutes, and cannot be stopped then. */
const mostTokens = 6_000
const grammar: Grammar = { query: readQuery, subquery: readSubquery, expression: readExpression }

/**
 * Lets through what is plainly a read and nothing else: every clause, procedure and function must be in the tables of words.ts,
 * every word must stand where an operand or an operator may stand. Answers the text to run, or the Problem with its place. It follows
 * the text more strictly than needed: a word that could begin a clause it does not know is refused, so a newer
 * server's clauses are refused too.
 */
export function guardCypher(text: string, options: GuardOptions = {}): GuardedCypher | Problem {
  try {
    if (text.length > longest)
      throw new Refusal(0, `${text.length} characters`, `at most ${longest} characters`, 'Pass values as parameters')
    const tokens = tokenize(text)
    while (tokens.at(-1)?.text === ';') tokens.pop()
    if (tokens.length === 0) throw new Refusal(0, '', 'a query', 'Begin with MATCH … RETURN …')
    if (tokens.length > mostTokens)
      throw new Refusal(tokens[mostTokens]!.at, `${tokens.length} words and marks`, `at most ${mostTokens}`, 'Pass values as parameters')
    const brackets = readBrackets(tokens)
    const cursor = new Cursor(tokens, brackets, options.engine ?? 'neo4j', grammar)
    const branches = readQuery(cursor, tokens.length, 0)
    const ways = readRegexes(cursor, options.parameters ?? {})
    hideOwnNode(cursor, cursor.sightings, cursor.edits)
    if (cursor.engine === 'neo4j') boundLongLists(cursor)
    const columns = columnsOf(tokens, branches[0]!)
    const printable = options.engine === 'grafeo' ? tokens.map((t, i) => quoteKeyword(t, cursor.names.has(i))) : tokens
    const printed = printTokens(cursor.edits.apply(cutRows(printable, branches, options.rows)))
    return { ok: true, text: printed, columns, mayLoop: mayLoop(tokens) || ways > fewWays || cursor.sightings.nodes.length > fewNodes }
  } catch (thrown) {
    if (!(thrown instanceof Refusal)) throw thrown
    return problem({
      code: 'cypher-refused',
      where: `cypher:${lineAndColumn(text, thrown.at)}`,
      found: thrown.found,
      expected: thrown.expected,
      ...(thrown.suggestion === undefined ? {} : { suggestion: thrown.suggestion }),
    })
  }
}

function lineAndColumn(text: string, at: number): string {
  const lines = text.slice(0, at).split('\n')
  return `${lines.length}:${lines.at(-1)!.length + 1}`
}
