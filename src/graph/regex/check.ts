import { Budget } from './automaton.js'
import { parseRegex } from './parse.js'
import { planRegex } from './plan.js'
import { printRegex } from './print.js'
import { RegexRefusal } from './syntax.js'

/** `ways`: how often a character of a text may be read */
export type CheckedRegex = { ok: true; text: string; ways: number } | { ok: false; expected: string; suggestion: string }

/**
 * The pattern as the engine is to have it: with the meaning that Java gives it, on both, and never slower than in proportion to the text. Rust's matcher (Grafeo's)
 * never is; what Neo4j refuses is refused there too, so that a query is good on both or on neither.
 */
export function checkRegex(pattern: string, engine: 'neo4j' | 'grafeo', budget = new Budget()): CheckedRegex {
  try {
    const regex = parseRegex(pattern)
    const planned = planRegex(regex, budget)
    return { ok: true, text: engine === 'neo4j' ? planned.text : printRegex(regex, false), ways: planned.ways }
  } catch (thrown) {
    if (!(thrown instanceof RegexRefusal)) throw thrown
    return { ok: false, expected: thrown.expected, suggestion: thrown.suggestion }
  }
}
