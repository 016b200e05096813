import type { Command } from 'commander'
import type { NodeKind } from '../../vocabulary.js'
import { openShell, withApi } from '../command.js'
import { nodeKind, whole } from './flags.js'

interface Highlight {
  field: string
  text: string
  matches: { start: number; length: number }[]
}
interface Found {
  totalCount: number
  isPartial: boolean
  corrections: { word: string; meant: string[] }[]
  pageInfo: { hasNextPage: boolean; endCursor: string | null }
  edges: { score: number; node: { id: string; kind: string; name: string }; highlights: Highlight[] }[]
}

const query = `query ($text: String!, $kinds: [NodeKind!], $projectId: ID, $systemId: ID, $first: Int!, $after: String) {
  search(text: $text, kinds: $kinds, projectId: $projectId, systemId: $systemId, first: $first, after: $after) {
    totalCount isPartial corrections { word meant } pageInfo { hasNextPage endCursor }
    edges { score node { id kind name } highlights { field text matches { start length } } }
  }
}`

/** The text with what was found in bold, where the terminal can show it. */
function emphasize({ text, matches }: Highlight): string {
  if (!process.stdout.isTTY) return text
  let out = ''
  let at = 0
  for (const { start, length } of matches) {
    out += `${text.slice(at, start)}\u001b[1m${text.slice(start, start + length)}\u001b[22m`
    at = start + length
  }
  return out + text.slice(at)
}

/** Names are in the id already. */
const inId = new Set(['NAME', 'QUALIFIED_NAME'])

const line = ({ node, highlights }: Found['edges'][number]): string =>
  [
    `${node.kind.padEnd(10)} ${node.id}`,
    ...highlights.filter(({ field }) => !inId.has(field)).map((it) => `${' '.repeat(11)}${it.field.toLowerCase()}: ${emphasize(it)}`),
  ].join('\n')

export function search(program: Command): void {
  program
    .command('search')
    .description('find tables, columns, jobs … by name, comment, tag, owner or description; slips are forgiven')
    .argument('<words...>', 'in any spelling: customer_id, CustomerId, customer id')
    .option('--kind <kinds...>', 'Table, Column, View, ControlMJob, …', (kind: string, before: NodeKind[] = []) => [
      ...before,
      nodeKind(kind),
    ])
    .option('--project <id>', 'only in this project')
    .option('--system <id>', 'only in this system of the project')
    .option('--first <n>', 'hits at most', whole, 25)
    .option('--after <cursor>', 'go on where a page ended')
    .action(async (words: string[], flags, command: Command) => {
      const shell = openShell(command)
      const { kind: kinds, project: projectId, system: systemId, first, after } = flags
      const variables = { text: words.join(' '), kinds, projectId, systemId, first, after }
      const { search: found } = await withApi(shell, (api) => api.request<{ search: Found }>(query, variables))
      const taken = found.corrections.map(({ word, meant }) => `"${word}" taken for ${meant.join(', ')}`)
      const more = found.pageInfo.hasNextPage ? [`more: --after ${found.pageInfo.endCursor}`] : []
      const count =
        found.edges.length === found.totalCount ? `${found.totalCount} found` : `${found.edges.length} of ${found.totalCount} found`
      shell.output.answer(found, [...taken, ...found.edges.map(line), count, ...more].join('\n'))
    })
}
