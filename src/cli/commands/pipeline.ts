import { type Command, InvalidArgumentError } from 'commander'
import { printLevels } from '../../evaluation/levels/score.js'
import type { TrainingEvaluation } from '../../evaluation/training-results.js'
import { EspalierError } from '../../util/error.js'
import type { ApiClient } from '../client.js'
import { openShell, withApi } from '../command.js'
import { readDocument } from '../read-document.js'
import { assertCompleted, startAndWatch, watchRun } from '../watch.js'
import { whole } from './flags.js'
import { addVariable, findDocuments, readDocuments } from './ingest.js'
import { optionsOf } from './train-flags.js'

function number(text: string): number {
  const value = Number(text)
  if (text.trim() === '' || !Number.isFinite(value)) throw new InvalidArgumentError('Expected a number.')
  return value
}

interface StepView {
  step: string
  state: string
  runId?: string
  isReused?: boolean
  reason?: string | null
}

const describeStep = ({ step, state, runId, isReused, reason }: StepView): string =>
  state === 'completed' ? `  ${step}: ${isReused ? 'as before, ' : ''}run ${runId}` : `  ${step}: left out: ${reason}`

const mutation = `mutation ($projectId: ID!, $systemId: ID!, $sources: [DialectInput!], $gleanDaysBack: Int!, $enableGlean: Boolean!,
    $enableIntelligenceMetrics: Boolean!, $observedAt: DateTime, $complete: Boolean!, $variables: JSON, $train: JSON) {
  runFullPipeline(projectId: $projectId, systemId: $systemId, sources: $sources, gleanDaysBack: $gleanDaysBack, enableGlean: $enableGlean,
    enableIntelligenceMetrics: $enableIntelligenceMetrics, observedAt: $observedAt, complete: $complete, variables: $variables, train: $train) { id } }`

async function startPipeline(api: ApiClient, request: Record<string, unknown>): Promise<string> {
  return (await api.request<{ runFullPipeline: { id: string } }>(mutation, request)).runFullPipeline.id
}

/** What the pipeline came to, for people. */
function tellOf(result: Record<string, unknown>): string {
  const { steps, degraded, artifactId, evaluation } = result as {
    steps: StepView[]
    degraded: string[]
    artifactId: string | null
    evaluation: { table?: string; recommendations?: string[] }
  }
  return [
    ...steps.map(describeStep),
    ...degraded.map((reason) => `DEGRADED: ${reason}`),
    `artifact ${artifactId}`,
    ...(evaluation.table ? [evaluation.table] : []),
    ...(evaluation.recommendations ?? []).map((line) => `- ${line}`),
  ].join('\n')
}

function full(parent: Command): void {
  parent
    .command('full')
    .description('ingest, history from Glean, patterns, temporal analysis, dataset, training, evaluation, export of its metrics: one run')
    .argument('<paths...>', 'files and folders; the dialect of each file is recognised')
    .requiredOption('--project <id>', 'project that they belong to')
    .requiredOption('--system <id>', 'system that they describe')
    .option('--glean-days-back <n>', 'exports to Glean of so many days are read as history', number, 30)
    .option('--no-glean', 'neither read history from Glean nor write metrics to it')
    .option('--no-intelligence', 'do not ask the test cases of the five levels')
    .option('--observed-at <time>', 'when it was true (ISO 8601; default now)')
    .option('--complete', 'these are all there is of the system: what is absent is gone')
    .option('--var <name=value>', 'value of ${name} in DDL; repeatable', addVariable, {})
    .option('--config <file>', 'options of the training (YAML or JSON); flags go before them')
    .option('--task <name>', 'links to rank: foreign-key (default), lineage or dependency')
    .option('--epochs <n>', 'times through the training examples', number)
    .option('--learning-rate <rate>', 'learning rate', number)
    .option('--seed <n>', 'seed of weights, order and split', number)
    .action(async (paths: string[], flags, command: Command) => {
      const shell = openShell(command)
      const { found, unknown } = findDocuments(paths)
      for (const file of unknown) process.stderr.write(`  left out: ${file} is of no known dialect\n`)
      if (found.length === 0) throw new EspalierError('BAD_INPUT', `found no document of a known dialect under ${paths.join(', ')}`)
      const {
        project: projectId,
        system: systemId,
        gleanDaysBack,
        glean,
        intelligence,
        observedAt,
        complete = false,
        var: variables,
      } = flags
      const { config, task, epochs, learningRate, seed } = flags
      const train = optionsOf(
        Object.fromEntries(Object.entries({ config, task, epochs, learningRate, seed }).filter(([, v]) => v !== undefined)),
      )
      const run = await withApi(shell, async (api) => {
        const sources = readDocuments(found, api.url)
        const asked = { gleanDaysBack, enableGlean: glean, enableIntelligenceMetrics: intelligence, observedAt, complete, variables, train }
        const id = await startPipeline(api, { projectId, systemId, sources, ...asked })
        return assertCompleted(await watchRun(api, shell.output, id, 'pipeline'))
      })
      shell.output.answer(run, tellOf(run.result))
    })
}

function evaluate(parent: Command): void {
  parent
    .command('evaluate')
    .description('judge a training: quality, accuracies on held-out facts, intelligence levels, recommendations')
    .argument('<run>', 'the training')
    .requiredOption('--project <id>', 'project that it learned from')
    .option('--no-intelligence', 'do not ask the test cases of the five levels')
    .option('--beside <projects...>', 'other projects: transfer is then asked between projects, not between databases', [])
    .action(async (trainRunId: string, { project: projectId, intelligence, beside }, command: Command) => {
      const shell = openShell(command)
      const options = { projectId, trainRunId, enableIntelligenceMetrics: intelligence, besideProjectIds: beside }
      const run = await withApi(shell, (api) => startAndWatch(api, shell.output, 'EVALUATE_TRAINING', options, 'evaluating'))
      shell.output.answer(run, tellOf({ steps: [], degraded: [], artifactId: '(of the training)', evaluation: run.result }))
    })
}

interface Exported {
  exportTrainingMetricsToGlean: { transport: string; target: string; facts: number; metrics: number }
}

function exportMetrics(parent: Command): void {
  parent
    .command('export')
    .description('write the evaluation of a training to Glean, as one fact of training metrics')
    .argument('<run>', 'the evaluation')
    .option('--system <id>', 'system that it is filed under', 'espalier')
    .option('--dir <folder>', "folder on the server's machine (default: what Glean is configured as)")
    .action(async (evaluationRunId: string, { system: systemId, dir }, command: Command) => {
      const shell = openShell(command)
      const { exportTrainingMetricsToGlean: done } = await withApi(shell, (api) =>
        api.request<Exported>(
          `mutation ($evaluationRunId: ID!, $systemId: ID!, $dir: String) {
            exportTrainingMetricsToGlean(evaluationRunId: $evaluationRunId, systemId: $systemId, dir: $dir) { transport target facts metrics } }`,
          { evaluationRunId, systemId, dir },
        ),
      )
      shell.output.answer(done, `${done.transport} ${done.target}: ${done.facts} fact of ${done.metrics} metrics`)
    })
}

/** Test cases to a file, and the answers to them back: a model that was trained anywhere is judged by the same questions. */
function testCases(parent: Command): void {
  parent
    .command('cases')
    .description('test cases of the five levels, made of a project as it is now, as JSON')
    .argument('<project>', 'the project')
    .option('--per-level <n>', 'cases of each level at most', whole, 50)
    .option('--seed <n>', 'decides what is held out', number, 0)
    .option('--beside <projects...>', 'other projects: transfer is then asked between projects, not between databases', [])
    .action(async (projectId: string, { perLevel, seed, beside: besideProjectIds }, command: Command) => {
      const shell = openShell(command)
      const query = `query ($projectId: ID!, $perLevel: Int!, $seed: Int!, $besideProjectIds: [ID!]!) {
        domainTestCases(projectId: $projectId, perLevel: $perLevel, seed: $seed, besideProjectIds: $besideProjectIds) {
          id level group question expected majority choices } }`
      const asked = { projectId, perLevel, seed, besideProjectIds }
      const { domainTestCases: cases } = await withApi(shell, (api) => api.request<{ domainTestCases: unknown[] }>(query, asked))
      shell.output.answer(cases, JSON.stringify(cases, null, 2))
    })
  parent
    .command('score')
    .description('the evaluation of a training that was done elsewhere; nothing is stored')
    .argument(
      '<file>',
      'YAML or JSON (- is standard input): modelMetrics, trainingContext, checkpoint, predictions by id of a case, testCases',
    )
    .action(async (file: string, _: unknown, command: Command) => {
      const shell = openShell(command)
      const facts = readDocument(file, 'an evaluation')
      const query = 'query ($facts: JSON!) { evaluationOf(facts: $facts) }'
      const { evaluationOf } = await withApi(shell, (api) => api.request<{ evaluationOf: TrainingEvaluation }>(query, { facts }))
      const { intelligence_metrics: report, recommendations } = evaluationOf
      shell.output.answer(evaluationOf, [...(report ? [printLevels(report)] : []), ...recommendations].join('\n'))
    })
}

export function pipeline(program: Command): void {
  const parent = program.command('pipeline').description('everything at once, and the evaluation of what was trained')
  full(parent)
  evaluate(parent)
  exportMetrics(parent)
  testCases(parent)
}
