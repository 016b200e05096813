import fs from 'node:fs'
import { type Command, Option } from 'commander'
import { parseGraphJsonl } from '../../datasets/formats/graph-jsonl.js'
import { parseRankingJsonl } from '../../datasets/formats/ranking-jsonl.js'
import type { AnswerKind } from '../../models/graphs/graph-answer.js'
import type { GraphExample } from '../../models/graphs/graph-example.js'
import type { RankingList } from '../../models/rankings/ranking-list.js'
import { modelNamed } from '../../models/registry.js'
import { EspalierError } from '../../util/error.js'
import type { Problem } from '../../util/problem.js'
import type { ApiClient } from '../client.js'
import { openShell, printProblems, withApi } from '../command.js'
import { formatTable } from '../output.js'
import { whole } from './flags.js'

interface Flags {
  component?: string
  alias: string
  precision?: string
}

const targetOf = ({ component, alias, precision }: Flags) => ({
  ...(component === undefined ? {} : { component }),
  alias: alias.toUpperCase(),
  ...(precision === undefined ? {} : { precision: precision.toUpperCase() }),
})

/** Flags that say who answers. */
const served = (command: Command): Command =>
  command
    .addOption(new Option('--alias <name>', 'which artifact answers').choices(['latest', 'staging', 'production']).default('production'))
    .addOption(new Option('--precision <name>', 'int8 is answered by fp32 where there is no int8 file').choices(['fp32', 'int8']))

interface Links {
  predictLinks: {
    artifactId: string
    considered: number
    links: { rank: number; score: number; targetId: string; isKnown: boolean }[]
  }
}

function links(parent: Command): void {
  const command = parent
    .command('links')
    .description('what a node of the catalog is likely to link to, by the model in production')
    .argument('<node>', 'its id: bank/hive/column:core.account.opened_by')
    .addOption(new Option('--task <name>', 'which links').choices(['foreign-key', 'lineage', 'dependency']).default('foreign-key'))
    .option('--component <name>', 'default: what runs of the task publish as')
    .option('--first <n>', 'links at most', whole, 10)
    .option('--include-known', 'also those that the catalog has already', false)
  served(command).action(
    async (
      node: string,
      { task, first, includeKnown, ...flags }: Flags & { task: string; first: number; includeKnown: boolean },
      own: Command,
    ) => {
      const shell = openShell(own)
      const query = `query ($node: ID!, $task: String!, $first: Int!, $known: Boolean!, $component: String, $alias: ArtifactAlias!, $precision: Precision) {
        predictLinks(nodeId: $node, task: $task, k: $first, includeKnown: $known, component: $component, alias: $alias, precision: $precision) {
          artifactId considered links { rank score targetId isKnown } } }`
      const variables = { node, task, first, known: includeKnown, ...targetOf(flags) }
      const { predictLinks } = await withApi(shell, (api) => api.request<Links>(query, variables))
      const rows = predictLinks.links.map((it) => [it.rank, it.targetId, it.score.toFixed(3), it.isKnown ? 'known' : ''])
      const table = formatTable(['', 'target', 'score', ''], rows)
      shell.output.answer(predictLinks, `${table}\n${predictLinks.artifactId} ranked ${predictLinks.considered} nodes`)
    },
  )
}

/** What the model behind an alias is asked: its kind decides what the file must hold. */
async function kindOf(api: ApiClient, { component, alias }: Flags): Promise<'ranking' | AnswerKind> {
  const query = 'query ($component: String!, $alias: ArtifactAlias!) { artifact(component: $component, alias: $alias) { manifest } }'
  type Answer = { artifact: { manifest: { model: { name: string } } } | null }
  const { artifact } = await api.request<Answer>(query, { component, alias: alias.toUpperCase() })
  if (artifact) return modelNamed(artifact.manifest.model.name).examples
  throw new EspalierError('NOT_FOUND', `the alias ${alias} of ${component} names no artifact`, {
    remedy: 'Promote one (see `espalier artifacts list`).',
  })
}

/** Questions of one request: a part of what may wait at once. */
const chunk = 100

async function askInParts<Question, Answer>(
  questions: readonly Question[],
  ask: (some: Question[]) => Promise<Answer[]>,
): Promise<Answer[]> {
  const answers: Answer[] = []
  for (let at = 0; at < questions.length; at += chunk) answers.push(...(await ask(questions.slice(at, at + chunk))))
  return answers
}

/** Problems are printed; errors among them end the command. */
function refuse(file: string, problems: readonly Problem[]): void {
  const errors = problems.filter((p) => p.severity === 'error')
  if (errors.length > 0)
    throw new EspalierError('BAD_INPUT', `${file}: ${errors.length} problem${errors.length === 1 ? '' : 's'}`, {
      problems: errors,
      remedy: 'Correct these lines.',
    })
  printProblems(problems)
}

const rows = (of: readonly ArrayLike<number>[]) => of.map((row) => Array.from(row))
const edgesOf = ({ edges, edgeTypes, edgeDirections }: GraphExample | RankingList['candidates'][number]) => ({
  edges,
  edgeTypes: edgeTypes ?? null,
  edgeDirections: edgeDirections ?? null,
})

interface Predicted {
  id: string
  artifactId: string
  answer: unknown
  probability: number
  outputs: { value: unknown; probability: number }[][]
}

/** Predictions, and how many of those whose answer the file gives are right. */
interface AnsweredFile {
  predicted: Predicted[]
  expected: { right: number; of: number } | null
}

function compare(examples: readonly GraphExample[], predicted: readonly Predicted[]): AnsweredFile['expected'] {
  const told = [...examples.keys()].filter((i) => examples[i]!.target !== undefined)
  const isRight = (i: number) => JSON.stringify(predicted[i]!.answer) === JSON.stringify(examples[i]!.target)
  return told.length === 0 ? null : { right: told.filter(isRight).length, of: told.length }
}

async function askGraphs(api: ApiClient, file: string, kind: AnswerKind, top: number, flags: Flags): Promise<AnsweredFile> {
  const { examples, problems } = await parseGraphJsonl(fs.createReadStream(file, 'utf8'), { kind, file, requireTargets: false })
  refuse(file, problems)
  const query = `query ($graphs: [GraphInput!]!, $component: String!, $alias: ArtifactAlias!, $precision: Precision, $top: Int!) {
    predictGraphs(graphs: $graphs, component: $component, alias: $alias, precision: $precision, top: $top) {
      id artifactId version precision answer probability outputs { value probability } } }`
  const graphs = examples.map((it) => ({
    id: it.id,
    query: it.query ? Array.from(it.query) : null,
    nodeFeatures: rows(it.nodeFeatures),
    ...edgesOf(it),
  }))
  const predicted = await askInParts(
    graphs,
    async (some) => (await api.request<{ predictGraphs: Predicted[] }>(query, { graphs: some, top, ...targetOf(flags) })).predictGraphs,
  )
  return { predicted, expected: compare(examples, predicted) }
}

interface Ranked {
  queryId: string
  artifactId: string
  candidates: { index: number; id: string | null; score: number }[]
}

async function askRanker(api: ApiClient, file: string, flags: Flags): Promise<Ranked[]> {
  const { lists, problems } = await parseRankingJsonl(fs.createReadStream(file, 'utf8'), { file, requireLabels: false })
  refuse(file, problems)
  const query = `query ($lists: [RankingListInput!]!, $component: String!, $alias: ArtifactAlias!, $precision: Precision) {
    rank(lists: $lists, component: $component, alias: $alias, precision: $precision) {
      queryId artifactId version precision candidates { index id score } } }`
  const asked = lists.map((it) => ({
    queryId: it.queryId,
    query: it.query ? Array.from(it.query) : null,
    candidates: it.candidates.map((c) => ({ id: c.id ?? null, nodeFeatures: rows(c.nodeFeatures), ...edgesOf(c) })),
  }))
  return askInParts(asked, async (some) => (await api.request<{ rank: Ranked[] }>(query, { lists: some, ...targetOf(flags) })).rank)
}

const percent = (p: number) => `${(100 * p).toFixed(1)} %`

function describeGraphs({ predicted, expected }: AnsweredFile): string {
  const second = ({ outputs }: Predicted) => (outputs.length === 1 ? outputs[0]![1] : undefined)
  const table = predicted.slice(0, 50).map((it) => {
    const next = second(it)
    return [
      it.id,
      JSON.stringify(it.answer),
      percent(it.probability),
      next ? `${JSON.stringify(next.value)} ${percent(next.probability)}` : '',
    ]
  })
  const more = predicted.length > 50 ? `\n… and ${predicted.length - 50} more (--json gives them all)` : ''
  const right = expected ? `\n${expected.right} of ${expected.of} are as the file says` : ''
  return `${formatTable(['id', 'answer', 'probability', 'next'], table)}${more}${right}\nanswered by ${predicted[0]?.artifactId ?? 'nobody: there was nothing to ask'}`
}

function describeRanked(ranked: readonly Ranked[]): string {
  const table = ranked
    .slice(0, 50)
    .map(({ queryId, candidates: [first] }) => [queryId, first ? (first.id ?? first.index) : '', first ? first.score.toFixed(3) : ''])
  const more = ranked.length > 50 ? `\n… and ${ranked.length - 50} more (--json gives them all)` : ''
  return `${formatTable(['query', 'best', 'score'], table)}${more}\nranked by ${ranked[0]?.artifactId ?? 'nobody: there was nothing to ask'}`
}

function graphs(parent: Command): void {
  const command = parent
    .command('graphs')
    .description('asks a trained model about the graphs of a file: which node, which label, which sequence, or which candidate')
    .argument('<file>', 'graph JSONL, for a ranker ranking JSONL; answers in it are not shown to the model')
    .requiredOption('--component <name>', 'node-selector, graph-classifier, sequence-writer, ranker, or what the run published as')
    .option('--top <n>', 'choices told per answer', whole, 5)
  served(command).action(async (file: string, { top, ...flags }: Flags & { top: number }, own: Command) => {
    if (!fs.existsSync(file)) throw new EspalierError('NOT_FOUND', `there is no file ${file}`, { remedy: 'Name a JSONL file.' })
    const shell = openShell(own)
    await withApi(shell, async (api) => {
      const kind = await kindOf(api, flags)
      if (kind === 'ranking') {
        const ranked = await askRanker(api, file, flags)
        return shell.output.answer(ranked, describeRanked(ranked))
      }
      const answered = await askGraphs(api, file, kind, top, flags)
      return shell.output.answer(answered, describeGraphs(answered))
    })
  })
}

/** Predictions of trained models, beside those of learned patterns. */
export const modelPredictions = [links, graphs] as const
