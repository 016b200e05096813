import type { Command } from 'commander'
import { openShell, withApi } from '../command.js'
import { startAndWatch } from '../watch.js'
import { evaluationFlags, optionsOf, rankingFlags, scheduleOf, trainingFlags } from './train-flags.js'

type Flags = Record<string, unknown>

export function train(program: Command): void {
  const parent = program.command('train').description('train a model and publish what passes its checks')
  const ggnn = parent
    .command('ggnn')
    .description(
      'train the graph neural network: to rank links of the catalog, or on a dataset to select nodes, classify graphs, write sequences',
    )
  trainingFlags(rankingFlags(ggnn)).action(async (flags: Flags, command: Command) => {
    const options = optionsOf(flags)
    const shell = openShell(command)
    const run = await withApi(shell, (api) => startAndWatch(api, shell.output, 'TRAIN_GGNN', options, 'training', scheduleOf(flags)))
    const { artifactId, metrics, resumedFrom } = run.result
    const from = resumedFrom ? `went on from ${resumedFrom}\n` : ''
    shell.output.answer(run, `${from}published ${artifactId}\nmetrics: ${JSON.stringify(metrics)}`)
  })
  const evaluate = program
    .command('evaluate')
    .description('judge a model on what it has not seen, beside its baselines: by default each database is held out once')
  evaluationFlags(rankingFlags(evaluate)).action(async (flags: Flags, command: Command) => {
    const options = optionsOf(flags)
    const shell = openShell(command)
    const run = await withApi(shell, (api) => startAndWatch(api, shell.output, 'EVALUATE', options, 'evaluating', scheduleOf(flags)))
    const { table, intervals, artifact, mayHaveLearned, split } = run.result
    const told = artifact ? `${artifact}; split ${split}${mayHaveLearned ? '; it may have learned from these examples' : ''}\n` : ''
    shell.output.answer(run, `${told}${table}\n(${intervals})`)
  })
}
