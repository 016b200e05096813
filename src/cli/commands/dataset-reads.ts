import type { Command } from 'commander'
import type { ApiClient } from '../client.js'
import { openShell, type Shell, withApi } from '../command.js'
import { describeVersion, findVersion, type VersionView, versionFields } from '../dataset-names.js'
import { formatTable } from '../output.js'

interface DatasetView {
  id: string
  projectId: string
  name: string
  kind: string
  description: string
  tags: string[]
}

const score = (value: number | null): string => (value === null ? '' : value.toFixed(2))

const listQuery = `query ($projectId: ID, $after: String) { datasets(projectId: $projectId, first: 1000, after: $after) {
  edges { node { id projectId name kind description tags } } pageInfo { hasNextPage endCursor } } }`

async function readAll(api: ApiClient, projectId: string | undefined): Promise<DatasetView[]> {
  type Answer = { datasets: { edges: { node: DatasetView }[]; pageInfo: { hasNextPage: boolean; endCursor: string } } }
  const all: DatasetView[] = []
  for (let after: string | null = null; ; ) {
    const { datasets }: Answer = await api.request<Answer>(listQuery, { projectId, after })
    all.push(...datasets.edges.map(({ node }) => node))
    if (!datasets.pageInfo.hasNextPage) return all
    after = datasets.pageInfo.endCursor
  }
}

async function list(shell: Shell, projectId: string | undefined): Promise<void> {
  const datasets = await withApi(shell, (api) => readAll(api, projectId))
  const rows = datasets.map(({ projectId: project, name, kind, tags, id }) => [project, name, kind, tags.join(', '), id])
  shell.output.answer(
    datasets,
    datasets.length === 0
      ? 'no dataset yet: espalier dataset import <file> --project <id>'
      : formatTable(['project', 'name', 'kind', 'tags', 'id'], rows),
  )
}

const versionsQuery = `query ($id: ID!, $first: Int!) {
  dataset(id: $id) { versionTags { tag versionId } versionPage(first: $first) { totalCount edges { node { ${versionFields} } } } } }`

async function versions(shell: Shell, name: string, first: number): Promise<void> {
  const answer = await withApi(shell, async (api) => {
    const { datasetId } = await findVersion(api, name)
    type Answer = {
      dataset: { versionTags: { tag: string; versionId: string }[]; versionPage: { totalCount: number; edges: { node: VersionView }[] } }
    }
    return (await api.request<Answer>(versionsQuery, { id: datasetId, first })).dataset
  })
  const found = answer.versionPage.edges.map((edge) => edge.node)
  const tagsOf = (id: string) => answer.versionTags.filter((tag) => tag.versionId === id).map((tag) => tag.tag)
  const rows = found.map((v) => [
    v.number,
    Number(v.rowCount),
    score(v.qualityScore),
    tagsOf(v.id).join(', '),
    v.createdAt.slice(0, 19),
    v.createdBy,
    v.description,
  ])
  shell.output.answer(
    found.map((version) => ({ ...version, tags: tagsOf(version.id) })),
    formatTable(['version', 'rows', 'quality', 'tags', 'made', 'by', 'what'], rows),
  )
}

async function show(shell: Shell, name: string, first: number): Promise<void> {
  const query = 'query ($id: ID!, $first: Int!) { datasetRows(versionId: $id, first: $first) { edges { node { index key row } } } }'
  const { version, rows } = await withApi(shell, async (api) => {
    const found = await findVersion(api, name)
    type Answer = { datasetRows: { edges: { node: { index: string; key: string; row: unknown } }[] } }
    const { datasetRows } = await api.request<Answer>(query, { id: found.id, first })
    return { version: found, rows: datasetRows.edges.map((edge) => edge.node) }
  })
  const lines = rows.map(({ key, row }) => `  ${key.slice(0, 12)}  ${JSON.stringify(row)}`)
  shell.output.answer({ version, rows }, [describeVersion(version), ...lines].join('\n'))
}

async function statistics(shell: Shell, name: string): Promise<void> {
  const query = 'query ($id: ID!) { datasetStatistics(versionId: $id) }'
  const { version, found } = await withApi(shell, async (api) => {
    const named = await findVersion(api, name)
    return { version: named, found: (await api.request<{ datasetStatistics: unknown }>(query, { id: named.id })).datasetStatistics }
  })
  shell.output.answer(found, `${describeVersion(version)}\n${JSON.stringify(found, null, 2)}`)
}

interface Diff {
  added: number
  removed: number
  changed: number
  rows: { change: string; key: string; before: unknown; after: unknown }[]
}

async function diff(shell: Shell, before: string, after: string, first: number): Promise<void> {
  const query = `query ($before: ID!, $after: ID!, $first: Int!) { datasetDiff(before: $before, after: $after, first: $first) {
    added removed changed rows { change key before after } } }`
  const found = await withApi(shell, async (api) => {
    const ids = { before: (await findVersion(api, before)).id, after: (await findVersion(api, after)).id }
    return (await api.request<{ datasetDiff: Diff }>(query, { ...ids, first })).datasetDiff
  })
  const signs: Record<string, string> = { added: '+', removed: '-', changed: '~' }
  const lines = found.rows.map(({ change, key, before: was, after: is }) =>
    [`${signs[change] ?? change} ${key.slice(0, 12)}`, ...[was, is].filter((row) => row !== null).map((row) => JSON.stringify(row))].join(
      '  ',
    ),
  )
  shell.output.answer(found, [`${found.added} added, ${found.removed} removed, ${found.changed} changed`, ...lines].join('\n'))
}

/** Commands that only look. */
export function datasetReads(parent: Command): void {
  parent
    .command('list')
    .description('list datasets')
    .option('--project <id>', 'of this project alone')
    .action(({ project }: { project?: string }, command: Command) => list(openShell(command), project))
  parent
    .command('show <version>')
    .description('show a version (a name, name@1.2, name@tag, an id) and its first rows')
    .option('--rows <n>', 'how many', '5')
    .action((name: string, { rows }: { rows: string }, command: Command) => show(openShell(command), name, Number(rows)))
  parent
    .command('versions <dataset>')
    .description('list the versions of a dataset, newest first')
    .option('--first <n>', 'how many', '100')
    .action((name: string, { first }: { first: string }, command: Command) => versions(openShell(command), name, Number(first)))
  parent
    .command('statistics <version>')
    .description('counts, means, percentiles, labels of every field')
    .action((name: string, _flags: object, command: Command) => statistics(openShell(command), name))
  parent
    .command('diff <before> <after>')
    .description('rows added, removed and changed from one version to another')
    .option('--first <n>', 'rows that are shown', '20')
    .action((before: string, after: string, { first }: { first: string }, command: Command) =>
      diff(openShell(command), before, after, Number(first)),
    )
}
