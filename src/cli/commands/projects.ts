import { type Command, InvalidArgumentError } from 'commander'
import { openShell, withApi } from '../command.js'
import { formatTable } from '../output.js'
import { score } from './flags.js'

interface Project {
  id: string
  name: string
  description: string
  rejectBelow: number | null
  idealDistribution: Record<string, number> | null
  systems: { id: string; name: string }[]
}

const fields = '{ id name description rejectBelow idealDistribution systems { id name description } }'

function describe({ id, name, description, rejectBelow, idealDistribution, systems }: Project): string {
  return [
    `${id}${name === id ? '' : ` (${name})`}${description ? `: ${description}` : ''}`,
    `  systems: ${systems.map((system) => system.id).join(', ') || 'none'}`,
    `  ingests are refused below quality: ${rejectBelow ?? 'never'}`,
    ...(idealDistribution ? [`  ideal distribution: ${JSON.stringify(idealDistribution)}`] : []),
  ].join('\n')
}

function list(parent: Command): void {
  parent
    .command('list')
    .description('all projects with their systems')
    .action(async (_flags, command: Command) => {
      const shell = openShell(command)
      const { projects: all } = await withApi(shell, (api) => api.request<{ projects: Project[] }>(`{ projects ${fields} }`))
      const rows = all.map((it) => [it.id, it.name, it.systems.map((system) => system.id).join(' '), it.description])
      shell.output.answer(all, formatTable(['id', 'name', 'systems', 'description'], rows))
    })
}

function create(parent: Command): void {
  parent
    .command('create')
    .description('make a project, or add systems to it')
    .argument('<id>')
    .option('--name <text>', 'default: the id')
    .option('--description <text>')
    .option('--systems <ids...>', 'systems in it')
    .action(async (id: string, flags, command: Command) => {
      const shell = openShell(command)
      const { name, description, systems = [] } = flags
      const { createProject } = await withApi(shell, (api) =>
        api.request<{ createProject: Project }>(
          `mutation ($input: ProjectInput!, $systems: [ProjectInput!]!) { createProject(input: $input, systems: $systems) ${fields} }`,
          { input: { id, name, description }, systems: systems.map((system: string) => ({ id: system })) },
        ),
      )
      shell.output.answer(createProject, describe(createProject))
    })
}

function parseScore(text: string): number | null {
  if (text === 'never') return null
  return score(text)
}

/** `string=4,number=4,date=2`, or `default`. */
function parseIdeal(text: string): Record<string, number> | null {
  if (text === 'default') return null
  const shares = text.split(',').map((part) => /^\s*(\w+)\s*=\s*(\S+?)\s*$/.exec(part))
  if (shares.some((share) => share === null || Number.isNaN(Number(share[2]))))
    throw new InvalidArgumentError('expected shares such as string=4,number=4,date=2, or "default"')
  return Object.fromEntries(shares.map((share) => [share![1]!, Number(share![2])]))
}

function update(parent: Command): void {
  parent
    .command('update')
    .description('rename or describe a project, or say what its ingests take by default')
    .argument('<id>')
    .option('--name <text>')
    .option('--description <text>')
    .option('--reject-below <score>', 'refuse ingests below this quality, 0 to 1; "never"', parseScore)
    .option('--ideal <shares>', 'ideal shares of types: string=4,number=4,date=2; "default"', parseIdeal)
    .action(async (id: string, flags, command: Command) => {
      const shell = openShell(command)
      const { name, description, rejectBelow, ideal: idealDistribution } = flags
      const { updateProject } = await withApi(shell, (api) =>
        api.request<{ updateProject: Project }>(
          `mutation ($id: ID!, $changes: ProjectChanges!) { updateProject(id: $id, changes: $changes) ${fields} }`,
          { id, changes: { name, description, rejectBelow, idealDistribution } },
        ),
      )
      shell.output.answer(updateProject, describe(updateProject))
    })
}

export function projects(program: Command): void {
  const parent = program.command('projects').description('projects, their systems and settings')
  for (const register of [list, create, update]) register(parent)
}
