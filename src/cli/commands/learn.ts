import type { Command } from 'commander'
import { openShell, withApi } from '../command.js'
import { startAndWatch } from '../watch.js'

export function learn(program: Command): void {
  program
    .command('learn')
    .description('learn the patterns of a project from its history')
    .option('--project <ids...>', 'projects to learn from (default every one)')
    .action(async (flags: { project?: string[] }, command: Command) => {
      const shell = openShell(command)
      const options = flags.project ? { projectIds: flags.project } : {}
      const run = await withApi(shell, (api) => startAndWatch(api, shell.output, 'LEARN_PATTERNS', options, 'learning'))
      const sets = run.result['patternSets'] as { patternSetId: string }[]
      shell.output.answer(run, `stored ${sets.map((set) => set.patternSetId).join(', ')}`)
    })
}
