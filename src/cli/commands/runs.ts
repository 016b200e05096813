import { type Command, Option } from 'commander'
import { EspalierError } from '../../util/error.js'
import { runKinds, runStates } from '../../vocabulary.js'
import { openShell, withApi } from '../command.js'
import { formatTable } from '../output.js'
import { type RunView, runFields, watchRun } from '../watch.js'
import { whole } from './flags.js'
import { checkpoints, compare, files, profile } from './run-inspection.js'

interface Listed extends RunView {
  attempt: number
  createdAt: string
  endedAt: string | null
}

interface ListFlags {
  first: number
  kind?: string[]
  state?: string[]
  project?: string
}

/** `train-ggnn` is TRAIN_GGNN on the wire. */
const wireName = (name: string): string => name.toUpperCase().replaceAll('-', '_')

function list(runs: Command): void {
  runs
    .command('list')
    .description('runs, newest first')
    .option('--first <n>', 'at most so many (default 25)', whole, 25)
    .addOption(new Option('--kind <kinds...>', 'only of these kinds').choices(runKinds))
    .addOption(new Option('--state <states...>', 'only in these states').choices(runStates))
    .option('--project <id>', 'only of this project')
    .action(async ({ first, kind, state, project }: ListFlags, command: Command) => {
      const shell = openShell(command)
      const query = `query ($first: Int!, $kind: [RunKind!], $state: [RunState!], $project: ID) {
        runs(first: $first, kind: $kind, state: $state, projectId: $project) { totalCount edges { node { ${runFields} attempt createdAt endedAt } } } }`
      const variables = { first, kind: kind?.map(wireName), state: state?.map(wireName), project }
      const { runs: page } = await withApi(shell, (api) =>
        api.request<{ runs: { totalCount: number; edges: { node: Listed }[] } }>(query, variables),
      )
      const nodes = page.edges.map(({ node }) => node)
      const rows = nodes.map((run) => [run.id, run.kind, run.state, run.attempt, run.createdAt, run.endedAt])
      shell.output.answer(
        { totalCount: page.totalCount, runs: nodes },
        formatTable(['id', 'kind', 'state', 'attempt', 'created', 'ended'], rows),
      )
    })
}

function show(runs: Command): void {
  runs
    .command('show')
    .description('one run: options, newest metrics, result')
    .argument('<id>')
    .action(async (id: string, _flags, command: Command) => {
      const shell = openShell(command)
      const query = `query ($id: ID!) { run(id: $id) { ${runFields} options attempt createdAt endedAt metrics { name step value } } }`
      const { run } = await withApi(shell, (api) => api.request<{ run: Listed | null }>(query, { id }))
      if (!run) throw new EspalierError('NOT_FOUND', `there is no run ${id}`, { remedy: 'See `espalier runs list`.' })
      shell.output.answer(run, JSON.stringify(run, null, 2))
    })
}

function watch(runs: Command): void {
  runs
    .command('watch')
    .description('follow a run live to its end')
    .argument('<id>')
    .action(async (id: string, _flags, command: Command) => {
      const shell = openShell(command)
      const run = await withApi(shell, (api) => watchRun(api, shell.output, id, 'run'))
      shell.output.answer(run, `${run.id} is ${run.state.toLowerCase()}${run.error ? `: ${run.error.message}` : ''}`)
      if (run.state === 'FAILED') process.exitCode = 1
    })
}

const controls = {
  pause: 'pause a run at its next step',
  resume: 'go on with a paused run',
  cancel: 'end a run for good',
  retry: 'begin a new attempt of a failed or cancelled run',
}

function control(runs: Command, verb: keyof typeof controls): void {
  runs
    .command(verb)
    .description(controls[verb])
    .argument('<id>')
    .action(async (id: string, _flags, command: Command) => {
      const shell = openShell(command)
      const answer = await withApi(shell, (api) =>
        api.request<Record<string, RunView>>(`mutation ($id: ID!) { ${verb}Run(id: $id) { ${runFields} } }`, { id }),
      )
      const run = answer[`${verb}Run`]!
      shell.output.answer(run, `${verb} asked of ${run.id}; it is ${run.state.toLowerCase()} now`)
    })
}

export function runs(program: Command): void {
  const parent = program.command('runs').description('the ledger of work')
  for (const register of [list, show, watch, compare, checkpoints, files, profile]) register(parent)
  for (const verb of Object.keys(controls) as (keyof typeof controls)[]) control(parent, verb)
}
