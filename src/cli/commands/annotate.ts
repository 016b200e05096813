import type { Command } from 'commander'
import { EspalierError } from '../../util/error.js'
import { openShell, withApi } from '../command.js'
import { formatTable } from '../output.js'

interface Annotated {
  id: string
  owners: string[]
  tags: string[]
  terms: string[]
  description: string | null
}
interface Change {
  at: string
  actor: string
  field: string
  before: string[]
  after: string[]
}

const mutation = `mutation ($annotations: [AnnotationInput!]!) {
  annotate(annotations: $annotations) { id owners tags terms description }
}`
const query = `query ($id: ID!) {
  catalogNode(id: $id) { id owners tags terms description annotationHistory { at actor field before after } }
}`

const describe = ({ id, owners, tags, terms, description }: Annotated): string =>
  [
    id,
    ...Object.entries({ owners, tags, terms })
      .filter(([, items]) => items.length > 0)
      .map(([name, items]) => `  ${name}: ${items.join(', ')}`),
    ...(description ? [`  ${description.replaceAll('\n', '\n  ')}`] : []),
  ].join('\n')

const describeHistory = (changes: readonly Change[]): string =>
  formatTable(
    ['at', 'who', 'what', 'from', 'to'],
    changes.map(({ at, actor, field, before, after }) => [at, actor, field.toLowerCase(), before.join(', '), after.join(', ')]),
  )

export function annotate(program: Command): void {
  program
    .command('annotate')
    .description('say who owns a node, tag and describe it; without options: what is said of it, and by whom')
    .argument('<ids...>', 'node ids, as `espalier search` shows them')
    .option('--owners <names...>', 'these and no others')
    .option('--tag <tags...>', 'besides those it has')
    .option('--untag <tags...>', 'take these from it')
    .option('--terms <names...>', "words of the project's glossary; these and no others")
    .option('--describe <text>', 'what it is; an empty text takes the description away')
    .action(async (ids: string[], flags, command: Command) => {
      const shell = openShell(command)
      const { owners, tag: addTags, untag: removeTags, terms, describe: description } = flags
      const said = { owners, addTags, removeTags, terms, description }
      if (Object.values(said).some((value) => value !== undefined)) {
        const annotations = ids.map((nodeId) => ({ nodeId, ...said }))
        const answer = await withApi(shell, (api) => api.request<{ annotate: Annotated[] }>(mutation, { annotations }))
        shell.output.answer(answer.annotate, answer.annotate.map(describe).join('\n'))
        return
      }
      const nodes = await withApi(shell, (api) => Promise.all(ids.map((id) => readNode(api.request, id))))
      shell.output.answer(nodes, nodes.map((node) => `${describe(node)}\n${describeHistory(node.annotationHistory)}`).join('\n\n'))
    })
}

type Request = <T>(query: string, variables?: Record<string, unknown>) => Promise<T>

async function readNode(request: Request, id: string): Promise<Annotated & { annotationHistory: Change[] }> {
  const { catalogNode } = await request<{ catalogNode: (Annotated & { annotationHistory: Change[] }) | null }>(query, { id })
  if (catalogNode) return catalogNode
  throw new EspalierError('NOT_FOUND', `there is no node "${id}" in the catalog now`, { remedy: 'See `espalier search`.' })
}
