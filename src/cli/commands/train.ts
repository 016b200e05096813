import fs from 'node:fs'
import type { Command } from 'commander'
import { parse as parseYaml } from 'yaml'
import { EspalierError } from '../../util/error.js'
import { openShell, withApi } from '../command.js'
import { startAndWatch } from '../watch.js'

type Options = Record<string, unknown>

/** Options from a YAML or JSON file; what they may be, the server says. */
function readOptions(file: string): Options {
  try {
    const parsed: unknown = parseYaml(fs.readFileSync(file, 'utf8')) ?? {}
    if (typeof parsed === 'object' && !Array.isArray(parsed)) return parsed as Options
  } catch (cause) {
    throw new EspalierError('BAD_INPUT', `--config ${file}: ${(cause as Error).message}`, {
      cause,
      remedy: 'Name a YAML or JSON file of options.',
    })
  }
  throw new EspalierError('BAD_INPUT', `--config ${file}: expected a mapping of options`)
}

interface Flags {
  config?: string
  project?: string[]
  dataset?: string
  epochs?: number
  learningRate?: number
  seed?: number
  hidden?: number
  steps?: number
}

/** Only what was given: the rest is the server's to fill in. */
const given = (values: Options): Options => Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined))

function optionsOf({ config, project, dataset, epochs, learningRate, seed, hidden, steps }: Flags): Options {
  const base = config ? readOptions(config) : {}
  const part = (name: string, values: Options) => {
    const merged = { ...(base[name] as Options | undefined), ...given(values) }
    return Object.keys(merged).length > 0 ? { [name]: merged } : {}
  }
  return {
    ...base,
    ...given({ projectIds: project, datasetVersionId: dataset }),
    ...part('training', { epochs, learningRate, seed }),
    ...part('model', { hidden, steps }),
  }
}

const rankingFlags = (command: Command): Command =>
  command
    .option('--config <file>', 'options of the run (YAML or JSON)')
    .option('--project <ids...>', 'projects to learn from (default every one with foreign keys)')
    .option('--dataset <id>', 'stored dataset version to learn from')
    .option('--epochs <n>', 'times through the training lists', Number)
    .option('--learning-rate <rate>', 'learning rate', Number)
    .option('--seed <n>', 'seed of weights, order and split', Number)
    .option('--hidden <n>', 'width of a node state', Number)
    .option('--steps <n>', 'rounds of messages', Number)

export function train(program: Command): void {
  const parent = program.command('train').description('train a model and publish what passes its checks')
  rankingFlags(parent.command('ggnn').description('train the graph neural network that ranks foreign keys')).action(
    async (flags: Flags, command: Command) => {
      const shell = openShell(command)
      const run = await withApi(shell, (api) => startAndWatch(api, shell.output, 'TRAIN_GGNN', optionsOf(flags), 'training'))
      shell.output.answer(run, `published ${run.result['artifactId']}\nmetrics: ${JSON.stringify(run.result['metrics'])}`)
    },
  )
  rankingFlags(program.command('evaluate').description('hold out one database after the other: the ranker beside its baselines')).action(
    async (flags: Flags, command: Command) => {
      const shell = openShell(command)
      const run = await withApi(shell, (api) => startAndWatch(api, shell.output, 'EVALUATE', optionsOf(flags), 'evaluating'))
      shell.output.answer(run, `${run.result['table']}\n(${run.result['intervals']})`)
    },
  )
}
