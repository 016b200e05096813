import type { Command } from 'commander'
import { EspalierError } from '../../util/error.js'
import { openShell, withApi } from '../command.js'
import { formatTable } from '../output.js'
import { fileCommands } from './artifact-files.js'
import { releaseCommands } from './artifact-releases.js'

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

function list(parent: Command): void {
  parent
    .command('list')
    .description('published artifacts, newest first')
    .option('--component <name>', 'only of this component')
    .action(async (flags, command: Command) => {
      const shell = openShell(command)
      const query = `query ($component: String) {
        artifacts(first: 100, component: $component) { edges { node { id component version passed aliases createdAt } } } }`
      const { artifacts: page } = await withApi(shell, (api) => api.request<{ artifacts: { edges: { node: Listed }[] } }>(query, flags))
      const nodes = page.edges.map(({ node }) => node)
      const rows = nodes.map((it) => [it.id, it.passed ? 'passed' : 'failed', it.aliases.join(' ').toLowerCase(), it.createdAt])
      shell.output.answer(nodes, formatTable(['id', 'gates', 'aliases', 'created'], rows))
    })
}

function show(parent: Command): void {
  parent
    .command('show')
    .description('the manifest of an artifact or a release')
    .argument('<id>', 'of an artifact (ranker@1) or a release (release:1)')
    .action(async (id: string, _flags, command: Command) => {
      const shell = openShell(command)
      const query = id.startsWith('release:')
        ? 'query ($id: ID!) { release(id: $id) { id manifestDigest manifest } }'
        : 'query ($id: ID!) { artifact(id: $id) { id aliases manifestDigest manifest } }'
      const answer = await withApi(shell, (api) => api.request<{ artifact?: unknown; release?: unknown }>(query, { id }))
      const found = answer.release ?? answer.artifact
      if (!found) throw new EspalierError('NOT_FOUND', `there is no artifact ${id}`, { remedy: 'See `espalier artifacts list`.' })
      shell.output.answer(found, JSON.stringify(found, null, 2))
    })
}

function promote(parent: Command): void {
  parent
    .command('promote')
    .description('move an alias to an artifact that passed its checks')
    .argument('<id>')
    .option('--alias <name>', 'production, staging or latest', 'production')
    .option('--expected <id>', 'refuse unless the alias names this artifact now; "none": unless it names none yet')
    .option('--reason <text>', 'why')
    .option('--force', 'although a check failed; needs --reason')
    .action(async (artifactId: string, flags, command: Command) => {
      const shell = openShell(command)
      const { promote: moved } = await withApi(shell, (api) =>
        api.request<{ promote: Moved }>(
          `mutation ($artifactId: ID!, $alias: ArtifactAlias!, $expected: ID, $reason: String, $force: Boolean! = false) {
            promote(artifactId: $artifactId, alias: $alias, expected: $expected, reason: $reason, force: $force) { alias artifact { id } }
          }`,
          { artifactId, ...flags, ...(flags.expected === 'none' ? { expected: null } : {}), alias: flags.alias.toUpperCase() },
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

interface Difference {
  metrics: { name: string; before: number | null; after: number | null; change: number | null }[]
  options: { path: string; before: unknown; after: unknown }[]
  data: { path: string; before: unknown; after: unknown }[]
  files: { path: string; kind: string; before: number | null; after: number | null }[]
}

function diff(parent: Command): void {
  parent
    .command('diff')
    .description('metrics of two artifacts side by side, and what else tells them apart')
    .argument('<before>')
    .argument('<after>')
    .action(async (before: string, after: string, _flags, command: Command) => {
      const shell = openShell(command)
      const query = `query ($before: ID!, $after: ID!) { artifactDiff(before: $before, after: $after) {
        metrics { name before after change } options { path before after } data { path before after } files { path kind before after } } }`
      const { artifactDiff: found } = await withApi(shell, (api) => api.request<{ artifactDiff: Difference }>(query, { before, after }))
      const values = (rows: Difference['options']) => rows.map((row) => [row.path, JSON.stringify(row.before), JSON.stringify(row.after)])
      const tables = [
        formatTable(
          ['metric', before, after, 'change'],
          found.metrics.map((m) => [m.name, m.before, m.after, m.change]),
        ),
        formatTable(['option', before, after], values(found.options)),
        formatTable(['made from', before, after], values(found.data)),
        formatTable(
          ['file', 'is', 'bytes before', 'bytes after'],
          found.files.map((f) => [f.path, f.kind.toLowerCase(), f.before, f.after]),
        ),
      ]
      shell.output.answer(found, tables.join('\n\n'))
    })
}

export function artifacts(program: Command): void {
  const parent = program.command('artifacts').description('published models: manifests, aliases, checks')
  for (const register of [list, show, diff, promote, rollback, ...fileCommands, ...releaseCommands]) register(parent)
}
