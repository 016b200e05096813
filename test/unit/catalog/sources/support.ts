import type { EdgeFact, Fact, NodeFact, ParsedSource, SourceContext } from '../../../../src/catalog/fact.js'
import { parseSource, type SourceText } from '../../../../src/catalog/sources/index.js'
import type { Problem } from '../../../../src/util/problem.js'

export const bank: SourceContext = { projectId: 'bank', systemId: 'dwh', file: 'test.sql' }

export const parseHive = (text: string, more: Partial<SourceContext> = {}): Promise<ParsedSource> =>
  parseSource('hive-ddl', text, { ...bank, ...more })
export const parseXml = (text: SourceText): Promise<ParsedSource> => parseSource('control-m-xml', text, { ...bank, file: 'jobs.xml' })
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
