import type { Command } from 'commander'
import { EspalierError } from '../../util/error.js'
import type { Problem } from '../../util/problem.js'
import { openShell, printProblems, withApi } from '../command.js'
import { formatTable } from '../output.js'

interface Listed {
  id: string
  component: string
  version: string
  passed: boolean
  aliases: string[]
  createdAt: string
}
interface Moved {
  alias: string
  artifact: { id: string }
}

interface Verification {
  files: { path: string; sha256: string; isIntact: boolean }[]
  problems: Problem[]
}

function list(parent: Command): void {
  parent
    .command('list')
    .description('published artifacts, newest first')
    .action(async (_flags, command: Command) => {
      const shell = openShell(command)
      const query = '{ artifacts(first: 100) { edges { node { id component version passed aliases createdAt } } } }'
      const { artifacts: page } = await withApi(shell, (api) => api.request<{ artifacts: { edges: { node: Listed }[] } }>(query))
      const nodes = page.edges.map(({ node }) => node)
      const rows = nodes.map((it) => [it.id, it.passed ? 'passed' : 'failed', it.aliases.join(' ').toLowerCase(), it.createdAt])
      shell.output.answer(nodes, formatTable(['id', 'gates', 'aliases', 'created'], rows))
    })
}

function show(parent: Command): void {
  parent
    .command('show')
    .description("an artifact's manifest")
    .argument('<id>')
    .action(async (id: string, _flags, command: Command) => {
      const shell = openShell(command)
      const query = 'query ($id: ID!) { artifact(id: $id) { id aliases manifest } }'
      const { artifact } = await withApi(shell, (api) => api.request<{ artifact: unknown }>(query, { id }))
      if (!artifact) throw new EspalierError('NOT_FOUND', `there is no artifact ${id}`, { remedy: 'See `espalier artifacts list`.' })
      shell.output.answer(artifact, JSON.stringify(artifact, null, 2))
    })
}

function promote(parent: Command): void {
  parent
    .command('promote')
    .description('move an alias to an artifact that passed its checks')
    .argument('<id>')
    .option('--alias <name>', 'production, staging or latest', 'production')
    .option('--expected <id>', 'refuse unless the alias names this artifact now')
    .option('--reason <text>', 'why')
    .option('--force', 'although a check failed; needs --reason')
    .action(async (artifactId: string, flags, command: Command) => {
      const shell = openShell(command)
      const { promote: moved } = await withApi(shell, (api) =>
        api.request<{ promote: Moved }>(
          `mutation ($artifactId: ID!, $alias: ArtifactAlias!, $expected: ID, $reason: String, $force: Boolean! = false) {
            promote(artifactId: $artifactId, alias: $alias, expected: $expected, reason: $reason, force: $force) { alias artifact { id } }
          }`,
          { artifactId, ...flags, alias: flags.alias.toUpperCase() },
        ),
      )
      shell.output.answer(moved, `${flags.alias} names ${moved.artifact.id}`)
    })
}

function rollback(parent: Command): void {
  parent
    .command('rollback')
    .description('take the newest promotion of an alias back')
    .argument('<component>')
    .option('--alias <name>', 'production, staging or latest', 'production')
    .option('--reason <text>', 'why')
    .action(async (component: string, flags, command: Command) => {
      const shell = openShell(command)
      const { rollback: moved } = await withApi(shell, (api) =>
        api.request<{ rollback: Moved }>(
          `mutation ($component: String!, $alias: ArtifactAlias!, $reason: String) {
            rollback(component: $component, alias: $alias, reason: $reason) { alias artifact { id } }
          }`,
          { component, ...flags, alias: flags.alias.toUpperCase() },
        ),
      )
      shell.output.answer(moved, `${flags.alias} names ${moved.artifact.id} again`)
    })
}

function verify(parent: Command): void {
  parent
    .command('verify')
    .description('read and hash every byte of an artifact again')
    .argument('<id>')
    .action(async (id: string, _flags, command: Command) => {
      const shell = openShell(command)
      const query = `query ($id: ID!) { verifyArtifact(id: $id) {
        files { path sha256 isIntact } problems { severity code where found expected suggestion } } }`
      const { verifyArtifact: found } = await withApi(shell, (api) => api.request<{ verifyArtifact: Verification }>(query, { id }))
      if (!shell.output.json) printProblems(found.problems.map((each) => ({ ...each, severity: 'error' })))
      const rows = found.files.map((file) => [file.path, file.isIntact ? 'intact' : 'CORRUPT', file.sha256])
      shell.output.answer(found, formatTable(['file', 'state', 'sha256'], rows))
      if (found.problems.length > 0) process.exitCode = 1
    })
}

export function artifacts(program: Command): void {
  const parent = program.command('artifacts').description('published models: manifests, aliases, checks')
  for (const register of [list, show, promote, rollback, verify]) register(parent)
}
