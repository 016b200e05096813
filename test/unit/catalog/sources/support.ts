import type { EdgeFact, Fact, NodeFact, ParsedSource, SourceContext } from '../../../../src/catalog/fact.js'
import { parseSource, type SourceText } from '../../../../src/catalog/sources/index.js'
import { orderProblems } from '../../../../src/catalog/workflow/order-problems.js'
import { workflowOf } from '../../../../src/catalog/workflow/workflow.js'
import { planOrder } from '../../../../src/catalog/workflow/workflow-order.js'
import type { Problem } from '../../../../src/util/problem.js'

export const bank: SourceContext = { projectId: 'bank', systemId: 'dwh', file: 'test.sql' }

export const parseHive = (text: string, more: Partial<SourceContext> = {}): Promise<ParsedSource> =>
  parseSource('hive-ddl', text, { ...bank, ...more })
export const parseXml = async (text: SourceText): Promise<ParsedSource> =>
  ordered(await parseSource('control-m-xml', text, { ...bank, file: 'jobs.xml' }))

/** What is known of jobs once it is in the ledger, where these facts are all there is: who depends on whom, and what is odd about it. */
export function ordered<T extends Pick<ParsedSource, 'facts' | 'problems'>>({ facts, problems, ...rest }: T) {
  const nodes = facts.filter((f) => f.fact === 'node')
  const places = new Map(nodes.map((n) => [n.id, n.provenance]))
  const provenanceOf = (id: string) => places.get(id)!
  const order = planOrder(
    workflowOf(
      nodes,
      facts.filter((f) => f.fact === 'edge'),
    ),
  )
  const dependencies = order.dependencies.map(
    ({ from, to, conditions, crossDay }): EdgeFact => ({
      ...{ fact: 'edge', sourceId: from.id, label: 'DEPENDS_ON', targetId: to.id, provenance: provenanceOf(from.id) },
      properties: { conditions, ...(crossDay ? { cross_day: true } : {}) },
    }),
  )
  return { ...rest, facts: [...facts, ...dependencies], problems: [...problems, ...orderProblems(order, provenanceOf, 'this text')] }
}
export const parseJson = (text: SourceText, file = 'crm/contacts.json', more: Partial<SourceContext> = {}): Promise<ParsedSource> =>
  parseSource('json-table', text, { ...bank, file, ...more })

/** The node of an id without its project and system: `column:core.account.id`. */
export function nodeOf({ facts }: ParsedSource, id: string): NodeFact {
  const found = facts.find((f): f is NodeFact => f.fact === 'node' && f.id === `bank/dwh/${id}`)
  if (!found)
    throw new Error(
      `no node ${id} among ${facts
        .filter((f) => f.fact === 'node')
        .map((f) => f.id)
        .join(', ')}`,
    )
  return found
}

export const has = ({ facts }: ParsedSource, id: string): boolean => facts.some((f) => f.fact === 'node' && f.id === `bank/dwh/${id}`)

const short = (id: string) => id.replace('bank/dwh/', '')

/** `source -LABEL-> target`, short ids, sorted: the edges of a label. */
export const edgesOf = ({ facts }: ParsedSource, label: string): string[] =>
  facts
    .filter((f): f is EdgeFact => f.fact === 'edge' && f.label === label)
    .map((f) => `${short(f.sourceId)} -> ${short(f.targetId)}`)
    .sort()

export function edgeOf({ facts }: ParsedSource, source: string, label: string, target: string): EdgeFact {
  const found = facts.find(
    (f): f is EdgeFact => f.fact === 'edge' && f.label === label && short(f.sourceId) === source && short(f.targetId) === target,
  )
  if (!found) throw new Error(`no edge ${source} -${label}-> ${target}`)
  return found
}

export const errorsOf = (parsed: { problems: Problem[] }): Problem[] => parsed.problems.filter((p) => p.severity === 'error')
export const codesOf = (parsed: { problems: Problem[] }): string[] => parsed.problems.map((p) => p.code)
export const removalsOf = ({ facts }: ParsedSource): string[] => facts.flatMap((f: Fact) => (f.fact === 'removal' ? [short(f.id)] : []))
/** Columns of a table, in order. */
export const columnsOf = ({ facts }: ParsedSource, table: string): string[] =>
  facts.flatMap((f) =>
    f.fact === 'edge' && f.label === 'HAS_COLUMN' && short(f.sourceId).endsWith(`:${table}`) ? [short(f.targetId).split('.').at(-1)!] : [],
  )
