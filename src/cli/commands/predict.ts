import type { Command } from 'commander'
import type { NodeKind } from '../../vocabulary.js'
import { openShell, withApi } from '../command.js'
import { formatTable } from '../output.js'
import { days, moment, nodeKind, whole } from './flags.js'
import { modelPredictions } from './predict-models.js'

const percent = (p: number) => `${(100 * p).toFixed(p > 0 && p < 0.01 ? 2 : 1)} %`
const short = (id: string) => id.slice(id.indexOf(':') + 1)

/** Asks one query and prints its answer as a table. */
async function answer<T>(
  command: Command,
  field: string,
  { query, variables }: { query: string; variables: Record<string, unknown> },
  describe: (value: T) => string,
): Promise<void> {
  const shell = openShell(command)
  const data = await withApi(shell, (api) => api.request<Record<string, T>>(query, variables))
  shell.output.answer(data[field], describe(data[field]!))
}

interface Evolution {
  type: string
  change: boolean
  probability: number
}

function schemaEvolution(parent: Command): void {
  parent
    .command('schema-evolution')
    .description('what the type of a column will be in some time')
    .argument('<type>', 'its type now: int, "decimal(10,2)"')
    .requiredOption('--project <id>', 'whose history to learn from')
    .option('--column <name>', 'name of the column')
    .option('--table <id>', 'id of its table')
    .option('--horizon <days>', 'days ahead', days, 90)
    .action(async (type: string, { project, column, table, horizon }: Record<string, string>, command: Command) => {
      const query = `query ($project: ID!, $type: String!, $column: String, $table: ID, $horizon: Int!) {
        predictSchemaEvolution(projectId: $project, currentType: $type, column: $column, table: $table, horizonDays: $horizon) { type change probability } }`
      const variables = { project, type, column, table, horizon }
      await answer<Evolution[]>(command, 'predictSchemaEvolution', { query, variables }, (rows) =>
        formatTable(
          ['type', 'probability', ''],
          rows.slice(0, 20).map((row) => [row.type, percent(row.probability), row.change ? '' : 'no change']),
        ),
      )
    })
}

function relationship(parent: Command): void {
  parent
    .command('relationship')
    .description('how nodes of two kinds are likely to be related')
    .argument('<source>', 'kind of the one: Table', nodeKind)
    .argument('<target>', 'kind of the other: Column', nodeKind)
    .requiredOption('--project <id>', 'whose edges to learn from')
    .action(async (source: NodeKind, target: NodeKind, { project }: { project: string }, command: Command) => {
      const query = `query ($project: ID!, $source: NodeKind!, $target: NodeKind!) {
        predictRelationshipType(projectId: $project, sourceKind: $source, targetKind: $target) { label probability count } }`
      const variables = { project, source, target }
      await answer<{ label: string; probability: number; count: number }[]>(
        command,
        'predictRelationshipType',
        { query, variables },
        (rows) =>
          formatTable(
            ['label', 'probability', 'seen'],
            rows.map((row) => [row.label, percent(row.probability), row.count]),
          ),
      )
    })
}

interface Changes {
  asOf: string
  horizonDays: number
  changes: { table: string; column: string | null; predictedChange: string; from: string | null; to: string | null; probability: number }[]
  trainedOn: { windows: number }
}

function describeChanges({ asOf, horizonDays, changes, trainedOn }: Changes): string {
  const rows = changes.map((row) => [
    percent(row.probability),
    row.predictedChange.toLowerCase().replaceAll('_', ' '),
    short(row.column ?? row.table),
    [row.from, row.to].filter((it) => it !== null).join(' -> '),
  ])
  const base = trainedOn.windows > 0 ? `${trainedOn.windows} windows of history` : 'no history yet: these are guesses'
  const table = rows.length > 0 ? `${formatTable(['probability', 'change', 'of', ''], rows)}\n\n` : ''
  return `${table}within ${horizonDays} days after ${asOf.slice(0, 10)}; learned from ${base}`
}

function changes(parent: Command): void {
  parent
    .command('changes')
    .description('which columns and tables are likely to change, and how')
    .requiredOption('--project <id>', 'the project')
    .option('--horizon <days>', 'days ahead', days, 90)
    .option('--first <n>', 'changes at most', whole, 20)
    .option('--as-of <time>', 'look ahead from this moment (default the last snapshot)', moment)
    .action(async ({ project, horizon, first, asOf }: Record<string, string>, command: Command) => {
      const query = `query ($project: ID!, $horizon: Int!, $first: Int!, $asOf: DateTime) {
        predictFutureChanges(projectId: $project, horizonDays: $horizon, first: $first, asOf: $asOf) {
          asOf horizonDays changes { table column predictedChange from to probability } tables { id probability } columns { id probability } trainedOn } }`
      await answer<Changes>(command, 'predictFutureChanges', { query, variables: { project, horizon, first, asOf } }, describeChanges)
    })
}

function type(parent: Command): void {
  parent
    .command('type')
    .description('what type a column of this name is likely to have')
    .argument('<column>', 'name of the column: customer_id')
    .requiredOption('--project <id>', 'whose columns to learn from')
    .option('--table <id>', 'id of its table')
    .option('--ordinal <n>', 'its place in the table, from 1', whole)
    .action(async (column: string, { project, table, ordinal }: Record<string, string>, command: Command) => {
      const query = `query ($project: ID!, $column: String!, $table: ID, $ordinal: Int) {
        predictColumnType(projectId: $project, column: $column, table: $table, ordinal: $ordinal) { type probability count } }`
      const variables = { project, column, table, ordinal }
      await answer<{ type: string; probability: number; count: number }[]>(command, 'predictColumnType', { query, variables }, (rows) =>
        formatTable(
          ['type', 'probability', 'same word'],
          rows.slice(0, 20).map((row) => [row.type, percent(row.probability), row.count]),
        ),
      )
    })
}

export function predict(program: Command): void {
  const parent = program
    .command('predict')
    .description('what is likely: types, relationships, changes (learn first); links and answers of models (train first)')
  for (const register of [schemaEvolution, relationship, changes, type, ...modelPredictions]) register(parent)
}
