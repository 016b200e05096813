import path from 'node:path'
import { type Command, InvalidArgumentError } from 'commander'
import { EspalierError } from '../../util/error.js'
import type { ApiClient } from '../client.js'
import { openShell, withApi } from '../command.js'
import { formatTable } from '../output.js'

function wholeNumber(text: string): number {
  const value = Number(text)
  if (Number.isSafeInteger(value) && value > 0) return value
  throw new InvalidArgumentError('expected a whole number above 0')
}

// biome-ignore lint/suspicious/noExplicitAny: each question has an answer of its own shape
type Answer = any

interface Question {
  /** the query of the API, what to select, and whether it takes a limit */
  field: string
  selection: string
  paged: boolean
  /** the answer for people */
  print(answer: Answer): string
}

const stamp = 'projectId systemId exportedAt'
const more = ({ hasNextPage, endCursor }: Answer): string => (hasNextPage ? `\n(there is more: --after ${endCursor})` : '')
const dated = (points: Answer[]): string => points.map(({ date, value }) => `${date.slice(0, 19)}Z ${value}`).join('\n  ') || '(none)'

/** What can be asked of Glean, by name. */
const questions: Record<string, Question> = {
  nodes: {
    field: 'queryHistoricalNodes',
    selection: `nodes { id kind label qualifiedName properties ${stamp} } hasNextPage endCursor unreadable`,
    paged: true,
    print: (answer) =>
      formatTable(
        ['exported', 'kind', 'id'],
        answer.nodes.map((n: Answer) => [n.exportedAt, n.kind, n.id]),
      ) + more(answer),
  },
  edges: {
    field: 'queryHistoricalEdges',
    selection: `edges { sourceId label targetId discriminator properties ${stamp} } hasNextPage endCursor unreadable`,
    paged: true,
    print: (answer) =>
      formatTable(
        ['exported', 'source', 'label', 'target'],
        answer.edges.map((e: Answer) => [e.exportedAt, e.sourceId, e.label, e.targetId]),
      ) + more(answer),
  },
  manifests: {
    field: 'queryExportManifests',
    selection: `manifests { ${stamp} nodeCount edgeCount exportFile metadataEntropy klDivergence columnCount actualDistribution idealDistribution
      metricsCalculatedAt } hasNextPage endCursor unreadable`,
    paged: true,
    print: (answer) =>
      formatTable(
        ['exported', 'system', 'nodes', 'edges', 'entropy', 'divergence', 'true at'],
        answer.manifests.map((m: Answer) => [
          ...[m.exportedAt, m.systemId, m.nodeCount, m.edgeCount, m.metadataEntropy, m.klDivergence, m.metricsCalculatedAt],
        ]),
      ) + more(answer),
  },
  metrics: {
    field: 'queryInformationTheoryMetrics',
    selection: `metadataEntropyTrend { date value } klDivergenceTrend { date value } columnCountTrend { date value }
      averages { metadataEntropy klDivergence columnCount } sampleCount`,
    paged: false,
    print: (m) =>
      `${m.sampleCount} exports\nmetadata entropy (mean ${m.averages.metadataEntropy ?? 'none'})\n  ${dated(m.metadataEntropyTrend)}\n` +
      `KL divergence (mean ${m.averages.klDivergence ?? 'none'})\n  ${dated(m.klDivergenceTrend)}\n` +
      `columns (mean ${m.averages.columnCount ?? 'none'})\n  ${dated(m.columnCountTrend)}`,
  },
  'column-types': {
    field: 'queryColumnTypePatterns',
    selection: 'typeDistributions { date types } commonTypes { type count } typeTransitions { from to count columns } totalColumns',
    paged: false,
    print: (p) =>
      `${p.totalColumns} columns\n${formatTable(
        ['type', 'columns'],
        p.commonTypes.map((t: Answer) => [t.type, t.count]),
      )}\n\n${formatTable(
        ['from', 'to', 'changes'],
        p.typeTransitions.map((t: Answer) => [t.from, t.to, t.count]),
      )}`,
  },
}

interface HistoryFlags {
  project: string
  system?: string
  days?: number
  limit?: number
  after?: string
  output?: string
}

const paging = { declared: ', $limit: Int, $after: String', given: ', limit: $limit, after: $after' }
const history = '$projectId: ID!, $systemId: ID, $daysBack: Int'
const given = 'projectId: $projectId, systemId: $systemId, daysBack: $daysBack'

async function ask(api: ApiClient, { field, selection, paged }: Question, flags: HistoryFlags): Promise<Answer> {
  const { project: projectId, system: systemId, days: daysBack, limit, after } = flags
  const text = `query (${history}${paged ? paging.declared : ''}) { answer: ${field}(${given}${paged ? paging.given : ''}) { ${selection} } }`
  const variables = { projectId, systemId, daysBack, ...(paged ? { limit, after } : {}) }
  return (await api.request<{ answer: Answer }>(text, variables)).answer
}

const withHistoryFlags = (command: Command): Command =>
  command
    .requiredOption('--project <id>', 'project to ask about')
    .option('--system <id>', 'only this system of it')
    .option('--days <n>', 'exports of this many days until now (default 30)', wholeNumber)

function query(glean: Command): void {
  withHistoryFlags(glean.command('query'))
    .description('ask Glean for the history of a project')
    .argument('<what>', Object.keys(questions).join(', '))
    .option('--limit <n>', 'facts at most (default 1000; manifests 100)', wholeNumber)
    .option('--after <cursor>', 'go on behind the page that ended with this')
    .action(async (what: string, flags: HistoryFlags, command: Command) => {
      const question = Object.hasOwn(questions, what) ? questions[what] : undefined
      if (!question)
        throw new EspalierError('BAD_INPUT', `glean query: found "${what}", expected one of ${Object.keys(questions).join(', ')}`)
      const shell = openShell(command)
      const answer = await withApi(shell, (api) => ask(api, question, flags))
      shell.output.answer(answer, question.print(answer))
    })
}

function ingest(glean: Command): void {
  withHistoryFlags(glean.command('ingest'))
    .description('read the history of a project from Glean for training, into five JSON files')
    .requiredOption('--output <folder>', 'folder that they are written to')
    .action(async (flags: HistoryFlags, command: Command) => {
      const shell = openShell(command)
      const variables = { projectId: flags.project, systemId: flags.system, daysBack: flags.days, outputDir: path.resolve(flags.output!) }
      const { answer } = await withApi(shell, (api) =>
        api.request<{ answer: Answer }>(
          `mutation (${history}, $outputDir: String) {
            answer: ingestGleanDataForTraining(${given}, outputDir: $outputDir) { metadata outputFiles metrics { sampleCount } columnPatterns { totalColumns } }
          }`,
          variables,
        ),
      )
      const { node_count: nodes, edge_count: edges, is_partial: isPartial } = answer.metadata
      const cut = isPartial ? ' (cut at the limit)' : ''
      const counts = `${nodes} nodes, ${edges} edges${cut}, ${answer.metrics.sampleCount} manifests, ${answer.columnPatterns.totalColumns} columns`
      shell.output.answer(answer, [counts, ...answer.outputFiles.map((file: string) => `wrote ${file}`)].join('\n'))
    })
}

function exportCommand(glean: Command): void {
  glean
    .command('export')
    .description('write a system to Glean: as its newest snapshot has it, one snapshot, or all of them')
    .option('--project <id>', 'project to export')
    .option('--system <id>', 'its system')
    .option('--snapshot <id>', 'this snapshot, in place of project and system')
    .option('--history', 'every snapshot, the oldest first')
    .option('--dir <folder>', 'folder to write a batch file into (default: where Glean is configured)')
    .option('--db <name>', 'database of the glean command: NAME or NAME/INSTANCE')
    .action(async (flags: Record<string, string | undefined> & { history?: boolean }, command: Command) => {
      const { project: projectId, system: systemId, snapshot: snapshotId, history = false, db } = flags
      if (snapshotId ? projectId || systemId || history : !(projectId && systemId))
        throw new EspalierError('BAD_INPUT', 'glean export: expected --project and --system, or --snapshot alone')
      const shell = openShell(command)
      const target = { dir: flags['dir'] ? path.resolve(flags['dir']) : undefined, db }
      const selection = 'dir: $dir, db: $db) { snapshotId target exportedAt nodes edges facts }'
      const exports = await withApi(shell, async (api) => {
        if (snapshotId) {
          const one = `mutation ($snapshotId: ID!, $dir: String, $db: String) { answer: exportSnapshotToGlean(snapshotId: $snapshotId, ${selection} }`
          return [(await api.request<{ answer: Answer }>(one, { snapshotId, ...target })).answer]
        }
        const all = `mutation ($projectId: ID!, $systemId: ID!, $history: Boolean!, $dir: String, $db: String) {
          answer: exportToGlean(projectId: $projectId, systemId: $systemId, history: $history, ${selection} }`
        return (await api.request<{ answer: Answer[] }>(all, { projectId, systemId, history, ...target })).answer
      })
      shell.output.answer(exports, exports.map((e: Answer) => `wrote ${e.target}: ${e.nodes} nodes, ${e.edges} edges`).join('\n'))
    })
}

export function glean(program: Command): void {
  const command = program.command('glean').description('exchange the catalog with Glean, or with a folder of its batch files')
  query(command)
  ingest(command)
  exportCommand(command)
}
