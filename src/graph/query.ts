import fs from 'node:fs'
import { EspalierError } from '../util/error.js'
import { describeProblem } from '../util/problem.js'
import { guardCypher } from './cypher/guard.js'
import type { CypherQuery } from './engine.js'

export interface CheckedQuery {
  text: string
  columns: string[] | null
  mayLoop: boolean
  parameters: Readonly<Record<string, unknown>>
  limit: number
  timeoutMs: number
}

/** A client's query with its defaults, past the guard; throws CYPHER_REFUSED or BAD_INPUT. */
export function checkQuery(query: CypherQuery, engine: 'neo4j' | 'grafeo'): CheckedQuery {
  const { parameters = {}, limit = 1_000, timeoutMs = 10_000 } = query
  assertPositive('limit', limit, 1_000_000)
  assertPositive('timeoutMs', timeoutMs, 3_600_000)
  const guarded = guardCypher(query.text, { engine, rows: limit, parameters })
  if ('ok' in guarded) {
    const { text, columns, mayLoop } = guarded
    return { text, columns, mayLoop, parameters, limit, timeoutMs }
  }
  throw new EspalierError('CYPHER_REFUSED', `the query is refused: ${describeProblem(guarded)}`, {
    remedy: guarded.suggestion ?? 'Queries may only read: MATCH … WHERE … RETURN …',
    problems: [guarded],
  })
}

function assertPositive(name: string, value: number, most: number): void {
  if (!Number.isInteger(value) || value < 1 || value > most)
    throw new EspalierError('BAD_INPUT', `${name} is ${value}; expected a whole number from 1 to ${most}`)
}

/** The statements of migrations/graph/<engine>.cypher, one by one. */
export function readSchemaStatements(engine: 'neo4j' | 'grafeo'): string[] {
  const text = fs.readFileSync(new URL(`../../migrations/graph/${engine}.cypher`, import.meta.url), 'utf8')
  return text
    .replace(/^\s*\/\/.*$/gm, '')
    .split(';')
    .map((statement) => statement.trim())
    .filter((statement) => statement !== '')
}
