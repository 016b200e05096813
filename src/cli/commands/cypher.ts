import fs from 'node:fs'
import type { Command } from 'commander'
import { EspalierError } from '../../util/error.js'
import { openShell, withApi } from '../command.js'
import { counted, formatTable } from '../output.js'
import { whole } from './flags.js'

interface Answer {
  columns: string[]
  rows: unknown[][]
  isPartial: boolean
  elapsedMs: number
}

function parseParameters(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new EspalierError('BAD_INPUT', `--params: found ${text}, expected a JSON object`, {
      cause,
      remedy: `For instance --params '{"kind":"Table"}'.`,
    })
  }
}

const cell = (value: unknown) => (typeof value === 'string' || typeof value === 'number' ? value : JSON.stringify(value))

export function cypher(program: Command): void {
  program
    .command('cypher')
    .description('ask the graph in read-only Cypher')
    .argument('<query>', 'the query, or - to read it from standard input')
    .option('--params <json>', 'values of $parameters', parseParameters)
    .option('--limit <n>', 'rows at most (default 1000)', whole)
    .option('--timeout <ms>', 'milliseconds at most (default 10000)', whole)
    .action(async (text: string, flags: { params?: unknown; limit?: number; timeout?: number }, command: Command) => {
      const shell = openShell(command)
      const query = text === '-' ? fs.readFileSync(0, 'utf8') : text
      const { cypher: answer } = await withApi(shell, (api) =>
        api.request<{ cypher: Answer }>(
          `query ($query: String!, $params: JSON, $limit: Int, $timeoutMs: Int) {
            cypher(query: $query, params: $params, limit: $limit, timeoutMs: $timeoutMs) { columns rows isPartial elapsedMs }
          }`,
          { query, params: flags.params, limit: flags.limit, timeoutMs: flags.timeout },
        ),
      )
      const table = formatTable(
        answer.columns,
        answer.rows.map((row) => row.map(cell)),
      )
      const cut = answer.isPartial ? ', cut at the limit' : ''
      shell.output.answer(answer, `${table}\n(${counted(answer.rows.length, 'row')}${cut}, ${answer.elapsedMs.toFixed(1)} ms)`)
    })
}
