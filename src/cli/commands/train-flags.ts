import fs from 'node:fs'
import path from 'node:path'
import { type Command, InvalidArgumentError, Option } from 'commander'
import { parse as parseYaml } from 'yaml'
import { executorNames } from '../../tensor/executors.js'
import { EspalierError } from '../../util/error.js'

type Options = Record<string, unknown>

const isMapping = (value: unknown): value is Options => typeof value === 'object' && value !== null && !Array.isArray(value)

/** Options from a YAML or JSON file; what they may be, the server says. */
function readOptions(file: string): Options {
  let parsed: unknown
  try {
    parsed = parseYaml(fs.readFileSync(file, 'utf8')) ?? {}
  } catch (cause) {
    throw new EspalierError('BAD_INPUT', `--config ${file}: ${(cause as Error).message}`, {
      cause,
      remedy: 'Name a YAML or JSON file of options.',
    })
  }
  if (isMapping(parsed)) return parsed
  throw new EspalierError('BAD_INPUT', `--config ${file}: expected a mapping of options`, {
    remedy: 'Write options as members: `training: { epochs: 5 }`.',
  })
}

function number(text: string): number {
  const value = Number(text)
  if (text.trim() === '' || !Number.isFinite(value)) throw new InvalidArgumentError('Expected a number.')
  return value
}

/** Path of an option of the run -> the flag that sets it, as commander names its value. */
const members: readonly (readonly [path: string, flag: string])[] = [
  ['readout', 'readout'],
  ['task', 'task'],
  ['splitAt', 'splitAt'],
  ['projectIds', 'project'],
  ['datasetVersionId', 'dataset'],
  ['split', 'split'],
  ['resume', 'resume'],
  ['artifact', 'artifact'],
  ['folds', 'folds'],
  ['training.epochs', 'epochs'],
  ['training.learningRate', 'learningRate'],
  ['training.seed', 'seed'],
  ['training.executor', 'executor'],
  ['training.threads', 'threads'],
  ['training.workers', 'workers'],
  ['training.monitor', 'monitor'],
  ['training.patience', 'patience'],
  ['training.metricThreshold', 'metricThreshold'],
  ['training.maxCheckpoints', 'maxCheckpoints'],
  ['training.profileSteps', 'profileSteps'],
  ['model.hidden', 'hidden'],
  ['model.steps', 'steps'],
  ['glean.enable', 'gleanEnable'],
  ['glean.projectId', 'gleanProjectId'],
  ['glean.systemId', 'gleanSystemId'],
  ['glean.daysBack', 'gleanDaysBack'],
  ['glean.outputDir', 'gleanOutputDir'],
]

/** The option at `at`, set; what is no mapping there is left for the server to refuse. */
function set(options: Options, at: string, value: unknown): Options {
  const [name, ...rest] = at.split('.') as [string, ...string[]]
  if (rest.length === 0) return { ...options, [name]: value }
  const inner = options[name] ?? {}
  return isMapping(inner) ? { ...options, [name]: set(inner, rest.join('.'), value) } : options
}

/** The options of a run: those of `--config`, and over them what flags say. */
export function optionsOf({ config, ...flags }: Options): Options {
  const base = typeof config === 'string' ? readOptions(config) : {}
  const given = members.filter(([, flag]) => flags[flag] !== undefined)
  const options = given.reduce((made, [at, flag]) => set(made, at, flags[flag]), base)
  const { glean } = options
  if (isMapping(glean) && flags['gleanEnable'] === undefined && given.some(([at]) => at.startsWith('glean.')) && glean['enable'] !== true)
    throw new EspalierError('BAD_INPUT', 'found --glean flags without --glean-enable', { remedy: 'Add --glean-enable to read history.' })
  return options
}

/** How a run is scheduled: not part of its options. */
export const scheduleOf = ({ priority, timeout, retries }: Options): Options => ({
  ...(priority === undefined ? {} : { priority }),
  ...(timeout === undefined ? {} : { timeoutSeconds: timeout }),
  ...(retries === undefined ? {} : { retryLimit: retries }),
})

/** Flags of every run that learns to rank. */
export const rankingFlags = (command: Command): Command =>
  command
    .option('--config <file>', 'options of the run (YAML or JSON); flags go before them')
    .addOption(new Option('--task <name>', 'links to rank (default foreign-key)').choices(['foreign-key', 'lineage', 'dependency']))
    .option('--split-at <moment>', 'hold out the links that came after this moment, not whole databases')
    .option('--project <ids...>', 'projects to learn from (default every one with such links)')
    .option('--dataset <version>', 'stored dataset version to learn from: an id, a name (its latest), name@1.2 or name@tag')
    .option('--epochs <n>', 'times through the training examples', number)
    .option('--learning-rate <rate>', 'learning rate', number)
    .option('--seed <n>', 'seed of weights, order and split', number)
    .option('--hidden <n>', 'width of a node state', number)
    .option('--steps <n>', 'rounds of messages', number)
    .addOption(new Option('--executor <name>', 'what computes (default as configured: ort)').choices(executorNames))
    .option('--threads <n>', 'threads that a step is spread over (default 2)', number)
    .option('--workers <n>', 'worker threads that share each step (default: by how heavy a step is)', number)
    .option('--priority <n>', '1 to 10, 10 is most urgent (default 5)', number)
    .option('--timeout <seconds>', 'how long one attempt may take (default: no limit)', number)
    .option('--retries <n>', 'failed attempts that are tried again (default 2)', number)

const readout = () =>
  new Option('--readout <kind>', 'what is read from the graphs (default rank)').choices(['rank', 'node', 'graph', 'sequence'])

/** Flags of an evaluation. */
export const evaluationFlags = (command: Command): Command =>
  command
    .addOption(readout())
    .option('--artifact <id>', 'judge this published artifact as it is (a component: what production names), instead of training anew')
    .option('--split <name>', 'stored split of the dataset version: judge on its part test, train on train')
    .option('--folds <n>', 'hold out so many parts of the groups (databases) in turn', number)

/** Flags of a training whose artifact is published. */
export const trainingFlags = (command: Command): Command =>
  command
    .addOption(readout())
    .option(
      '--split <name>',
      'stored split of the dataset version: train on its part train, judge on validation (default: hold out whole groups)',
    )
    .option(
      '--resume <checkpoint>',
      'go on from a checkpoint: latest (of the last run with the options given here), a run id, or run@step; other options are as that run had them',
    )
    .option('--monitor <metric>', 'validation metric that says which weights are best', String)
    .option('--patience <n>', 'epochs without improvement before training stops', number)
    .option('--metric-threshold <value>', 'what the monitored metric must reach (a loss: stay below) to be published', number)
    .option('--max-checkpoints <n>', 'checkpoints kept at most (default 5)', number)
    .option('--profile-steps <n>', 'steps whose time is traced (see runs profile)', number)
    .option('--glean-enable', 'learn from links in the history of Glean besides')
    .option('--glean-project-id <id>', 'project whose exports are read (default: the first that is learned from)')
    .option('--glean-system-id <id>', 'one system of it (default all)')
    .option('--glean-days-back <n>', 'exports of so many days (default 30)', number)
    .option('--glean-output-dir <folder>', 'folder that what was read is written to besides', (folder: string) => path.resolve(folder))
