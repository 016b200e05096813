import type { Command } from 'commander'
import { openShell, withApi } from '../command.js'
import { counted, formatTable } from '../output.js'

interface Use {
  name: string
  steps: string[]
}

interface Answer {
  jobs: number
  conditions: number
  deadJobs: { id: string; reason: string; missing: string[]; root: string | null }[]
  unconsumedConditions: Use[]
  danglingConditions: Use[]
  cycles: { steps: string[]; isDeadlock: boolean }[]
  isExact: boolean
  isPartial: boolean
}

const query = `query ($project: ID!, $system: ID!, $asOf: DateTime, $given: [String!]) {
  workflow(projectId: $project, systemId: $system, asOf: $asOf, given: $given) {
    jobs conditions isExact isPartial
    deadJobs { id name kind reason missing root chain { id condition odate setBy } isChainPartial }
    unconsumedConditions { name steps } danglingConditions { name steps isOtherDay } cycles { steps conditions isDeadlock } } }`

const short = (id: string) => id.slice(id.indexOf(':') + 1)
const list = (ids: readonly string[]) => `${ids.slice(0, 5).map(short).join(', ')}${ids.length > 5 ? `, … (${ids.length})` : ''}`

/** The parts that have anything to tell, each under its title. */
function describeWorkflow(answer: Answer): string {
  const { deadJobs, danglingConditions, unconsumedConditions, cycles } = answer
  const parts: [title: string, header: string[], rows: string[][]][] = [
    [
      'Jobs that can never start',
      ['job', 'reason', 'waits for', 'because nothing sets'],
      deadJobs.map((d) => [short(d.id), d.reason.toLowerCase().replaceAll('_', ' '), d.missing.join(', '), d.root ?? '(a ring)']),
    ],
    ['Waited for, set by nothing', ['condition', 'waits'], danglingConditions.map((c) => [c.name, list(c.steps)])],
    ['Set, waited for by nobody', ['condition', 'sets it'], unconsumedConditions.map((c) => [c.name, list(c.steps)])],
    ['Rings', ['jobs', ''], cycles.map((c) => [list(c.steps), c.isDeadlock ? 'a deadlock' : 'open'])],
  ]
  const told = parts.filter(([, , rows]) => rows.length > 0).map(([title, header, rows]) => `${title}:\n${formatTable(header, rows)}`)
  const rest = deadJobs.length > 0 ? 'all other' : 'all'
  const verdict = answer.isExact ? `${rest} jobs can start` : `${rest} jobs can start, unless one takes what another needs`
  const cut = answer.isPartial ? '; lists were cut' : ''
  return [...told, `${counted(answer.jobs, 'job')}, ${counted(answer.conditions, 'condition')}; ${verdict}${cut}`].join('\n\n')
}

export function workflow(program: Command): void {
  program
    .command('workflow')
    .description('which Control-M jobs can never start and why, and which conditions nobody sets or waits for')
    .requiredOption('--project <id>', 'the project')
    .requiredOption('--system <id>', 'the system of the jobs')
    .option('--as-of <time>', 'as it was at a moment (default now)')
    .option('--given <conditions...>', 'conditions that come from outside: taken as set')
    .action(async (flags: { project: string; system: string; asOf?: string; given?: string[] }, command: Command) => {
      const shell = openShell(command)
      const { project, system, asOf, given } = flags
      const answer = await withApi(shell, (api) => api.request<{ workflow: Answer }>(query, { project, system, asOf, given }))
      shell.output.answer(answer.workflow, describeWorkflow(answer.workflow))
    })
}
