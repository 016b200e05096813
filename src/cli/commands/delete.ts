import type { Command } from 'commander'
import { EspalierError } from '../../util/error.js'
import type { ApiClient } from '../client.js'
import { openShell, withApi } from '../command.js'
import { formatTable, type Output } from '../output.js'
import { assertCompleted, watchRun } from '../watch.js'

interface Turnover {
  kind?: string
  label?: string
  added: number
  changed: number
  removed: number
}
interface Deletion {
  token: string
  projectId: string
  systemId: string | null
  snapshots: number
  nodes: Turnover[]
  edges: Turnover[]
  changes: number
  annotatedNodes: number
  glossaryTerms: number
  patternSets: number
  kept: { patternSets: number; datasets: number; runs: number; artifacts: number }
}

const fields = `{ token projectId systemId snapshots nodes { kind added changed removed } edges { label added changed removed }
  changes annotatedNodes glossaryTerms patternSets kept { patternSets datasets runs artifacts } }`

function describe(deletion: Deletion): string {
  const { snapshots, annotatedNodes, glossaryTerms, patternSets, kept } = deletion
  const rows = [...deletion.nodes, ...deletion.edges].map((it) => [it.kind ?? it.label, it.added, it.changed, it.removed])
  const list = (counts: object) =>
    Object.entries(counts)
      .map(([name, n]) => `${n} ${name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`)}`)
      .join(', ')
  return [
    `goes: ${list({ snapshots, annotatedNodes, glossaryTerms, patternSets })}; ${deletion.changes} recorded changes less`,
    `stays: ${list(kept)}`,
    ...(rows.length > 0
      ? ['the current state:', formatTable(['', 'added', 'changed', 'removed'], rows)]
      : ['the current state stays as it is']),
  ].join('\n')
}

/** Asks for the preview; with its token, deletes. */
async function request(api: ApiClient, mutation: string, ids: Record<string, string>, token?: string): Promise<Deletion> {
  const types = Object.keys(ids).map((name) => `$${name}: ID!`)
  const given = Object.keys(ids).map((name) => `${name}: $${name}`)
  if (token === undefined) {
    const { deletionPreview } = await api.request<{ deletionPreview: Deletion }>(
      `query (${types.join(', ')}) { deletionPreview(${given.join(', ')}) ${fields} }`,
      ids,
    )
    return deletionPreview
  }
  const answer = await api.request<Record<string, Deletion>>(
    `mutation (${[...types, '$token: String!'].join(', ')}) { ${mutation}(${[...given, 'token: $token'].join(', ')}) ${fields} }`,
    { ...ids, token },
  )
  return answer[mutation]!
}

/** What is too large to wait for is a run; it is followed to its end. */
async function remove(
  api: ApiClient,
  output: Output,
  name: string,
  ids: Record<string, string>,
  token: string,
): Promise<Record<string, unknown>> {
  try {
    const mutation = `delete${name[0]!.toUpperCase()}${name.slice(1)}`
    return { ...(await request(api, mutation, ids, token)) }
  } catch (thrown) {
    if (!(thrown instanceof EspalierError && thrown.remedy?.includes('queueDeletion'))) throw thrown
  }
  const projectId = ids['projectId'] ?? (await projectOfSnapshot(api, ids['snapshotId']!))
  const { queueDeletion } = await api.request<{ queueDeletion: { id: string } }>(
    `mutation ($projectId: ID!, $systemId: ID, $snapshotId: ID, $token: String!) {
      queueDeletion(projectId: $projectId, systemId: $systemId, snapshotId: $snapshotId, token: $token) { id } }`,
    { ...ids, projectId, token },
  )
  output.say(`there is much to delete: run ${queueDeletion.id} does it`)
  return assertCompleted(await watchRun(api, output, queueDeletion.id, 'delete')).result
}

async function projectOfSnapshot(api: ApiClient, id: string): Promise<string> {
  const { snapshot } = await api.request<{ snapshot: { projectId: string } | null }>(
    'query ($id: ID!) { snapshot(id: $id) { projectId } }',
    { id },
  )
  if (snapshot) return snapshot.projectId
  throw new EspalierError('NOT_FOUND', `there is no snapshot "${id}"`)
}

/** A command that shows what would go, and deletes it when it is given the token that it showed. */
function register(parent: Command, name: string, description: string, names: readonly string[]): void {
  const command = parent.command(name).description(description)
  for (const id of names) command.argument(`<${id}>`)
  command.option('--confirm <token>', 'delete what the preview with this token showed').action(async (...parameters: unknown[]) => {
    const self = parameters.at(-1) as Command
    const { confirm } = self.opts<{ confirm?: string }>()
    const ids = Object.fromEntries(names.map((id, i) => [`${id}Id`, String(parameters[i])]))
    const shell = openShell(self)
    if (confirm !== undefined) {
      const done = await withApi(shell, (api) => remove(api, shell.output, name, ids, confirm))
      const snapshots = Number(done['snapshots'] ?? 0)
      return shell.output.answer({ ...done, isDeleted: true }, `deleted; ${snapshots} snapshot(s) went`)
    }
    const preview = await withApi(shell, (api) => request(api, '', ids))
    const end = `nothing is deleted yet; to do it: --confirm ${preview.token}`
    shell.output.answer({ ...preview, isDeleted: false }, `${describe(preview)}\n${end}`)
  })
}

export function deleteCommand(program: Command): void {
  const parent = program
    .command('delete')
    .description('take a project, a system or a snapshot out of the catalog, after a look at what goes')
  register(parent, 'project', 'a project with all that is known and said of it', ['project'])
  register(parent, 'system', 'a system of a project', ['project', 'system'])
  register(parent, 'snapshot', 'a snapshot, as if it had never been ingested', ['snapshot'])
}
