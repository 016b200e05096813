import { type Command, Option } from 'commander'
import { EspalierError } from '../../util/error.js'
import { openShell, withApi } from '../command.js'
import { counted, formatTable } from '../output.js'
import { whole } from './flags.js'

interface Answer {
  nodes: { distance: number; isIndirect: boolean; node: { id: string; kind: string; qualifiedName: string } }[]
  edges: { sourceId: string; label: string; targetId: string; properties: { transformation?: string; indirect?: boolean } }[]
  isPartial: boolean
}

const query = `query ($id: ID!, $direction: LineageDirection!, $depth: Int!, $nodeBudget: Int!, $asOf: DateTime, $indirect: Boolean!) {
  lineage(id: $id, direction: $direction, depth: $depth, nodeBudget: $nodeBudget, asOf: $asOf, indirect: $indirect) {
    isPartial nodes { distance isIndirect node { id kind qualifiedName } } edges { sourceId label targetId properties } } }`

const short = (id: string) => id.slice(id.indexOf(':') + 1)

function describe({ nodes, edges, isPartial }: Answer): string {
  const found = nodes
    .slice(1)
    .map(({ distance, isIndirect, node }) => [distance, node.kind, node.qualifiedName, isIndirect ? 'only decides' : ''])
  const walked = edges.map(({ sourceId, label, targetId, properties }) => [
    ...[short(sourceId), label, short(targetId)],
    [properties.transformation ?? '', properties.indirect ? '(condition)' : ''].join(' ').trim(),
  ])
  const cut = isPartial ? '; there is more (--depth, --nodes)' : ''
  const parts = [
    ...(found.length > 0 ? [formatTable(['steps', 'kind', 'name', ''], found)] : []),
    ...(walked.length > 0 ? [formatTable(['from', 'edge', 'to', 'how'], walked)] : []),
  ]
  return [...parts, `${counted(found.length, 'node')}, ${counted(edges.length, 'edge')}${cut}`].join('\n\n')
}

export function lineage(program: Command): void {
  program
    .command('lineage')
    .description('where data comes from and goes to, from any node: tables, columns, jobs, queries')
    .argument('<id>', 'node, such as bank/hive/column:core.account.balance')
    .addOption(new Option('--direction <way>', 'which way to walk').choices(['upstream', 'downstream', 'both']).default('both'))
    .option('--depth <n>', 'steps at most', whole, 5)
    .option('--nodes <n>', 'nodes at most', whole, 1_000)
    .option('--as-of <time>', 'as it was at a moment (default now)')
    .option('--direct', 'leave out what only decides: filters, joins, conditions of CASE')
    .action(
      async (id: string, flags: { direction: string; depth: number; nodes: number; asOf?: string; direct?: boolean }, command: Command) => {
        const shell = openShell(command)
        const { direction, depth, nodes: nodeBudget, asOf, direct = false } = flags
        const variables = { id, direction: direction.toUpperCase(), depth, nodeBudget, asOf, indirect: !direct }
        const { lineage: found } = await withApi(shell, (api) => api.request<{ lineage: Answer | null }>(query, variables))
        if (!found) throw new EspalierError('NOT_FOUND', `there is no node "${id}"`, { remedy: '`espalier search` finds its id.' })
        shell.output.answer(found, describe(found))
      },
    )
}
