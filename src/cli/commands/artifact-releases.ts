import type { Command } from 'commander'
import { openShell, withApi } from '../command.js'
import { formatTable } from '../output.js'

interface Release {
  id: string
  createdAt: string
  publishUri: string
  components: { component: string; artifactId: string; alias: string | null; metrics: Record<string, number> }[]
}
const releaseFields = 'id createdAt publishUri components { component artifactId alias metrics }'

/** `ranker` or `ranker@1` */
const componentOf = (text: string) =>
  text.includes('@') ? { component: text.slice(0, text.indexOf('@')), artifactId: text } : { component: text }

const showRelease = ({ id, publishUri, components }: Release) => {
  const rows = components.map((each) => [each.component, each.artifactId, each.alias?.toLowerCase() ?? ''])
  return `${id}  ${publishUri}\n${formatTable(['component', 'artifact', 'alias'], rows)}`
}

function exportCommand(parent: Command): void {
  parent
    .command('export')
    .description('write a release: several components in one checked manifest')
    .argument('<component...>', 'a component (what --alias names), or an artifact: ranker@20260131T235959123Z')
    .option('--alias <name>', 'which artifact of a component: production, staging or latest', 'production')
    .option('--release <version>', 'its version (default: the UTC moment)')
    .option('--publish-uri <uri>', 'where its package is published (default: a path on the server)')
    .option('--reason <text>', 'why, with --force')
    .option('--force', 'also artifacts that failed a check; needs --reason')
    .action(async (components: string[], flags, command: Command) => {
      const shell = openShell(command)
      const { release: version, alias, ...rest } = flags
      const { exportRelease } = await withApi(shell, (api) =>
        api.request<{ exportRelease: Release }>(
          `mutation ($components: [ReleaseComponentInput!]!, $alias: ArtifactAlias!, $version: String, $publishUri: String, $reason: String, $force: Boolean! = false) {
            exportRelease(components: $components, alias: $alias, version: $version, publishUri: $publishUri, reason: $reason, force: $force) { ${releaseFields} }
          }`,
          { components: components.map(componentOf), alias: alias.toUpperCase(), version, ...rest },
        ),
      )
      shell.output.answer(exportRelease, showRelease(exportRelease))
    })
}

function releases(parent: Command): void {
  parent
    .command('releases')
    .description('releases, newest first')
    .option('--component <name>', 'only those that hold it')
    .action(async (flags, command: Command) => {
      const shell = openShell(command)
      const { releases: page } = await withApi(shell, (api) =>
        api.request<{ releases: { edges: { node: Release }[] } }>(
          `query ($component: String) { releases(first: 100, component: $component) { edges { node { ${releaseFields} } } } }`,
          flags,
        ),
      )
      const found = page.edges.map(({ node }) => node)
      const rows = found.map((each) => [each.id, each.components.map((c) => c.artifactId).join(' '), each.createdAt])
      shell.output.answer(found, formatTable(['id', 'artifacts', 'created'], rows))
    })
}

interface Pruned {
  artifacts: string[]
  blobs: number
  bytes: string
  dryRun: boolean
}

function prune(parent: Command): void {
  parent
    .command('prune')
    .description('delete artifacts that nobody needs and bytes that nothing refers to; never what is promoted or released')
    .option('--keep <n>', 'newest artifacts of each component that are kept', Number, 10)
    .option('--days <n>', 'days that an artifact is kept at least', Number, 30)
    .option('--hours <n>', 'hours that bytes without references are kept', Number, 24)
    .option('--dry-run', 'say what would go')
    .action(async ({ keep, days, hours, dryRun = false }, command: Command) => {
      const shell = openShell(command)
      const { pruneArtifacts: done } = await withApi(shell, (api) =>
        api.request<{ pruneArtifacts: Pruned }>(
          `mutation ($keep: Int!, $days: Int!, $hours: Int!, $dryRun: Boolean!) {
            pruneArtifacts(keep: $keep, artifactDays: $days, blobHours: $hours, dryRun: $dryRun) { artifacts blobs bytes dryRun }
          }`,
          { keep, days, hours, dryRun },
        ),
      )
      const verb = done.dryRun ? 'would go' : 'went'
      const text = `${done.artifacts.length} artifacts and ${done.blobs} blobs (${done.bytes} bytes) ${verb}`
      shell.output.answer(done, [...done.artifacts.map((id) => `  ${id}`), text].join('\n'))
    })
}

export const releaseCommands = [exportCommand, releases, prune]
