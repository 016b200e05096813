import type { Command } from 'commander'
import { openShell, withApi } from '../command.js'
import { startAndWatch } from '../watch.js'
import { days, moment } from './flags.js'

interface Flags {
  project?: string[]
  since?: string
  horizon?: number
  gleanDaysBack?: number
}

interface Learned {
  patternSetId: string
  failedSources: string[]
}

export function learn(program: Command): void {
  program
    .command('learn')
    .description('learn the patterns of a project from its history: types, relationships, metrics, time, workflows, schema evolution')
    .option('--project <ids...>', 'projects to learn from (default every one)')
    .option('--since <time>', 'learn only changes from this moment on (default all of history)', moment)
    .option('--horizon <days>', 'days ahead that changes are forecast for (default 90)', days)
    .option('--glean-days-back <days>', 'days of exports to Glean that are looked at (default 30)', days)
    .action(async ({ project: projectIds, since, horizon: horizonDays, gleanDaysBack }: Flags, command: Command) => {
      const shell = openShell(command)
      const given = { projectIds, since, horizonDays, gleanDaysBack }
      const options = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined))
      const run = await withApi(shell, (api) => startAndWatch(api, shell.output, 'LEARN_PATTERNS', options, 'learning'))
      const sets = run.result['patternSets'] as unknown as Learned[]
      shell.output.answer(run, `stored ${sets.map((set) => set.patternSetId).join(', ')}`)
    })
}
