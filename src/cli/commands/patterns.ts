import { type Command, Option } from 'commander'
import { openShell, withApi } from '../command.js'
import { formatTable } from '../output.js'
import { readDocument } from '../read-document.js'
import { patternSetId, whole } from './flags.js'

interface SetView {
  id: string
  projectId: string
  version: number
  learnedAt: string
  since: string | null
  format: number
  snapshotIds: string[]
  summary: Record<string, number | string | boolean | null>
}

const setFields = 'id projectId version learnedAt since format snapshotIds summary'
const parts = {
  columns: 'columnPatterns',
  relationships: 'relationshipPatterns',
  metrics: 'metricsPatterns',
  temporal: 'temporalPatterns',
  workflows: 'workflowPatterns',
  evolution: 'schemaEvolution',
} as const
type Part = keyof typeof parts

interface Shown extends SetView {
  columnPatterns: { columns: number; typeDistribution: Record<string, number>; transitions: { from: string; to: string; count: number }[] }
  relationshipPatterns: { relationships: { sourceKind: string; label: string; targetKind: string; count: number }[] }
  metricsPatterns: { overall: Record<string, { n: number; mean: number | null; stdev: number | null }> } | null
  temporalPatterns: {
    combinedInsights: { dataSources: { name: string; state: string; records: number | null; reason: string | null }[] }
  } | null
  workflowPatterns: { jobs: number; dependencies: number; longestChain: string[] } | null
  schemaEvolution: {
    changePatterns: { distribution: Record<string, number> }
    evolutionStatistics: { changesPerMonth: number | null }
  } | null
}

const few = <T>(rows: readonly T[]): T[] => rows.slice(0, 12)
const short = (value: number | null) => (value === null ? '' : Number(value.toPrecision(4)))

/** The parts of a set that have something to tell, each as a table. */
function describe(set: Shown): string {
  const {
    columnPatterns: c,
    relationshipPatterns: r,
    metricsPatterns: m,
    temporalPatterns: t,
    workflowPatterns: w,
    schemaEvolution: e,
  } = set
  const tables: [title: string, header: string[], rows: unknown[][]][] = [
    ['Columns by type', ['type', 'columns'], few(Object.entries(c.typeDistribution))],
    ['Changes of type', ['from', 'to', 'times'], few(c.transitions.map((row) => [row.from, row.to, row.count]))],
    [
      'Relationships',
      ['from', 'edge', 'to', 'edges'],
      few(r.relationships.map((row) => [row.sourceKind, row.label, row.targetKind, row.count])),
    ],
    [
      'Metrics',
      ['metric', 'points', 'mean', 'sd'],
      Object.entries(m?.overall ?? {}).flatMap(([name, { n, mean, stdev }]) => (n > 0 ? [[name, n, short(mean), short(stdev)]] : [])),
    ],
    ['Changes of the schema', ['kind', 'times'], Object.entries(e?.changePatterns.distribution ?? {}).filter(([, n]) => n > 0)],
    [
      'Sources of time',
      ['source', 'state', 'records', 'why'],
      (t?.combinedInsights.dataSources ?? []).map((row) => [row.name, row.state, row.records ?? '', row.reason ?? '']),
    ],
  ]
  const told = tables.filter(([, , rows]) => rows.length > 0).map(([title, header, rows]) => `${title}:\n${formatTable(header, rows)}`)
  const jobs = w && w.jobs > 0 ? `; ${w.jobs} jobs, ${w.dependencies} dependencies, the longest chain has ${w.longestChain.length}` : ''
  const rate = e?.evolutionStatistics.changesPerMonth
  const pace = rate === null || rate === undefined ? '' : `; ${short(rate)} changes a month`
  return [...told, `${set.id}: ${set.summary['snapshots']} snapshots, ${c.columns} columns${pace}${jobs}`].join('\n\n')
}

interface Difference {
  name: string
  before: number | null
  after: number | null
  change: number | null
}

type Comparison = Record<string, Difference[]> & { snapshotsAdded: string[]; snapshotsRemoved: string[]; notCompared: string[] }

const compared = ['summary', 'columnTypes', 'transitions', 'relationships', 'workflows', 'metrics', 'schemaEvolution'] as const
const titles: Record<(typeof compared)[number], string> = {
  summary: 'Totals',
  columnTypes: 'Columns by type',
  transitions: 'Changes of type',
  relationships: 'Relationships',
  workflows: 'Workflows',
  metrics: 'Metrics',
  schemaEvolution: 'Changes of the schema',
}

function describeComparison(comparison: Comparison, before: string, after: string): string {
  const told = compared.flatMap((name) => {
    const rows = comparison[name]!.map((row) => [row.name, short(row.before), short(row.after), short(row.change)])
    return rows.length > 0 ? [`${titles[name]}:\n${formatTable(['', before, after, 'change'], rows.slice(0, 20))}`] : []
  })
  const { snapshotsAdded, snapshotsRemoved, notCompared } = comparison
  const left = notCompared.length > 0 ? `; only one has ${notCompared.join(', ')}` : ''
  return [...told, `${snapshotsAdded.length} snapshots more, ${snapshotsRemoved.length} fewer${left}`].join('\n\n')
}

export function patterns(program: Command): void {
  const parent = program.command('patterns').description('what was learned: pattern sets')

  parent
    .command('list')
    .description('pattern sets, newest first')
    .option('--project <id>', 'of this project alone')
    .option('--first <n>', 'sets at most', whole, 20)
    .action(async ({ project, first }: { project?: string; first: number }, command: Command) => {
      const shell = openShell(command)
      const query = `query ($project: ID, $first: Int!) { patternSets(projectId: $project, first: $first) { ${setFields} } }`
      const { patternSets } = await withApi(shell, (api) => api.request<{ patternSets: SetView[] }>(query, { project, first }))
      const rows = patternSets.map((set) => [set.id, set.learnedAt, set.snapshotIds.length, set.summary['nodes'], set.since ?? ''])
      const text =
        rows.length > 0 ? formatTable(['set', 'learned', 'snapshots', 'nodes', 'since'], rows) : 'nothing learned yet: espalier learn'
      shell.output.answer(patternSets, text)
    })

  parent
    .command('show')
    .description('one pattern set; --json tells all of it')
    .argument('<project>', 'the project, or a set of it: shop, shop@2')
    .addOption(new Option('--part <name>', 'one part alone, in full').choices(Object.keys(parts)))
    .action(async (name: string, { part }: { part?: Part }, command: Command) => {
      const shell = openShell(command)
      const named = /^(.+)@(\d+)$/.exec(name)
      const variables = { project: named?.[1] ?? name, version: named ? Number(named[2]) : null }
      const fields = part ? parts[part] : `${setFields} ${Object.values(parts).join(' ')}`
      const query = `query ($project: ID!, $version: Int) { patternSet(projectId: $project, version: $version) { ${fields} } }`
      const { patternSet } = await withApi(shell, (api) => api.request<{ patternSet: Shown }>(query, variables))
      if (part) {
        const value = patternSet[parts[part]]
        shell.output.answer(value, JSON.stringify(value, null, 2))
      } else shell.output.answer(patternSet, describe(patternSet))
    })

  parent
    .command('of')
    .description('the patterns of facts in a file: { nodes, edges, metrics?, manifests?, events?, observedAt? }; nothing is stored')
    .argument('<file>', 'YAML or JSON; - is standard input')
    .addOption(new Option('--part <name>', 'one part alone').choices(Object.keys(parts)))
    .action(async (file: string, { part }: { part?: Part }, command: Command) => {
      const shell = openShell(command)
      const facts = readDocument(file, 'facts')
      const query = 'query ($facts: JSON!) { patternsOf(facts: $facts) }'
      const { patternsOf } = await withApi(shell, (api) => api.request<{ patternsOf: Shown }>(query, { facts }))
      if (part) shell.output.answer(patternsOf[parts[part]], JSON.stringify(patternsOf[parts[part]], null, 2))
      else shell.output.answer(patternsOf, describe({ ...patternsOf, id: file }))
    })

  parent
    .command('compare')
    .description('what differs between two pattern sets of a project')
    .argument('<before>', 'such as shop@1', patternSetId)
    .argument('<after>', 'such as shop@2', patternSetId)
    .action(async (before: string, after: string, _: unknown, command: Command) => {
      const shell = openShell(command)
      const fields = compared.map((field) => `${field} { name before after change }`).join(' ')
      const query = `query ($before: ID!, $after: ID!) {
        comparePatternSets(before: $before, after: $after) { ${fields} snapshotsAdded snapshotsRemoved notCompared } }`
      const answer = await withApi(shell, (api) => api.request<{ comparePatternSets: Comparison }>(query, { before, after }))
      shell.output.answer(answer.comparePatternSets, describeComparison(answer.comparePatternSets, before, after))
    })
}
