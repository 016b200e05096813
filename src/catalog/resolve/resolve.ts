import { type Problem, problem } from '../../util/problem.js'
import type { JsonValue, Properties } from '../../vocabulary.js'
import type { EdgeFact, NodeFact, Unresolved, UnresolvedTarget } from '../fact.js'
import { kindSlugs, nodeId } from '../identity.js'
import { qualify } from '../sql/names.js'
import { partsOfId, type Scope } from './scope.js'

const isStrings = (value: JsonValue | undefined): value is string[] => Array.isArray(value) && value.every((v) => typeof v === 'string')

/** The `unresolved` mark of an edge with an open end; null on every other edge. */
export function unresolvedOf(edge: EdgeFact): Unresolved | null {
  const mark = edge.properties['unresolved']
  const isOpen = edge.sourceId === '' || edge.targetId === ''
  if (!isOpen || typeof mark !== 'object' || mark === null || Array.isArray(mark)) return null
  const { column, candidates, star, table_name } = mark
  if (typeof table_name === 'string') return { table_name }
  if (!isStrings(candidates)) return null
  if (star === true) return { star, candidates }
  return typeof column === 'string' ? { column, candidates } : null
}

/** The `unresolved_target` mark of an edge into a column of a table that its text does not make; null on every other edge. */
export function openTargetOf(edge: EdgeFact): UnresolvedTarget | null {
  const mark = edge.properties['unresolved_target']
  if (edge.targetId !== '' || typeof mark !== 'object' || mark === null || Array.isArray(mark)) return null
  const { table_name, column, position, except } = mark
  if (typeof table_name !== 'string') return null
  if (typeof column === 'string') return { table_name, column }
  return typeof position === 'number' && isStrings(except) ? { table_name, position, except } : null
}

/** What the ledger and the incoming facts know, as far as open ends need it. */
export interface Known {
  /** which of these ids exist */
  nodes: ReadonlySet<string>
  /** tables and views of the project by qualified name and by bare name, lower-case -> ids */
  tables: ReadonlyMap<string, readonly string[]>
}

const relationSlugs = [kindSlugs.Table, kindSlugs.View]

/** The id that a column of a table or view has, by the id of its table; null where that is no table. */
export function columnIdIn(tableId: string, column: string): string | null {
  for (const slug of relationSlugs) {
    const mark = `/${slug}:`
    const at = tableId.indexOf(mark)
    if (at > 0) return `${tableId.slice(0, at)}/${kindSlugs.Column}:${tableId.slice(at + mark.length)}.${qualify(column)}`
  }
  return null
}

/** Ids that would settle an open end if exactly one of them existed. */
export const candidatesOf = (mark: Unresolved): string[] =>
  'column' in mark ? mark.candidates.map((table) => columnIdIn(table, mark.column)).filter((id) => id !== null) : []

/** Tables by a name, the nearest kind of match that has any: in the own system, then in the project. */
export function tablesNamed(name: string, scope: Scope, { tables }: Pick<Known, 'tables'>): readonly string[] {
  const found = tables.get(name.toLowerCase()) ?? []
  const own = found.filter((id) => partsOfId(id)?.systemId === scope.systemId)
  return own.length > 0 ? own : found
}

/** The edge with both ends, or the problem: settled only where exactly one thing fits. Nothing is guessed. */
export function resolveEdge(edge: EdgeFact, scope: Scope, known: Known): EdgeFact | Problem {
  const mark = unresolvedOf(edge)!
  const fitting = 'table_name' in mark ? tablesNamed(mark.table_name, scope, known) : candidatesOf(mark).filter((id) => known.nodes.has(id))
  const ends = [...new Set(fitting)]
  if (ends.length === 1) return closeEdge(edge, ends[0]!)
  const isTable = 'table_name' in mark
  const what = isTable ? `table ${mark.table_name}` : `column ${'column' in mark ? mark.column : '*'}`
  const among = isTable ? `in project ${scope.projectId}` : `in ${'candidates' in mark ? mark.candidates.join(', ') : ''}`
  return problem({
    severity: 'warning',
    code: isTable ? 'unresolved-table' : 'unresolved-column',
    where: `${edge.provenance.file}:${edge.provenance.location}`,
    found: `${what}, of which there ${ends.length === 0 ? 'is none' : `are ${ends.length}`} ${among}`,
    expected: 'exactly one that fits',
    suggestion: ends.length === 0 ? 'Ingest what describes it first, or together with this file.' : 'Qualify the name in the source.',
  })
}

function closeEdge(edge: EdgeFact, end: string): EdgeFact {
  const { unresolved: _, ...properties } = edge.properties as Properties & { unresolved: JsonValue }
  return edge.sourceId === '' ? { ...edge, sourceId: end, properties } : { ...edge, targetId: end, properties }
}

/** The edge with its target, or the problem; `columns` of the table, in order. */
export function closeTarget(edge: EdgeFact, columns: readonly KnownColumn[]): EdgeFact | Problem {
  const mark = openTargetOf(edge)!
  const same = (name: string) => (c: KnownColumn) => c.name.toLowerCase() === name.toLowerCase()
  const found =
    'column' in mark ? columns.find(same(mark.column)) : columns.filter((c) => !mark.except.some((e) => same(e)(c)))[mark.position]
  const { unresolved_target: _, ...properties } = edge.properties
  if (found) return { ...edge, targetId: found.id, properties }
  return problem({
    severity: 'warning',
    code: 'unresolved-column',
    where: `${edge.provenance.file}:${edge.provenance.location}`,
    found: `INSERT into ${mark.table_name}: ${'column' in mark ? `no column ${mark.column}` : `no column for the query's number ${mark.position + 1}`} among ${columns.length} known`,
    expected: 'a column of that table for each of the query',
    suggestion: columns.length === 0 ? 'Ingest its DDL first, or together with this file.' : 'Read its newest DDL as well.',
  })
}

/** A column as the ledger or the incoming facts have it. */
export interface KnownColumn {
  id: string
  name: string
  qualifiedName: string
  properties: Properties
}

/** Properties that a column takes over from the one it is a copy of. */
const copied = ['data_type', 'type_tree', 'canonical_type', 'comment']

/**
 * `SELECT *` spelled out: every source column (in order) flows into the target's column of that name, which is made where the view
 * does not have it yet. Of two sources with one name the first counts.
 */
export function expandStar(
  edge: EdgeFact,
  columns: readonly KnownColumn[],
  targets: ReadonlySet<string>,
  relation: string,
): (NodeFact | EdgeFact)[] {
  const parts = partsOfId(edge.targetId)!
  const { provenance } = edge
  const seen = new Set<string>()
  return columns.flatMap((column, i) => {
    const folded = column.name.toLowerCase()
    if (seen.has(folded)) return []
    seen.add(folded)
    const id = nodeId(parts.projectId, parts.systemId!, 'Column', `${parts.qualifiedName}.${qualify(folded)}`)
    const { unresolved: _, ...properties } = edge.properties as Properties & { unresolved: JsonValue }
    const flow: EdgeFact = { fact: 'edge', sourceId: column.id, label: 'DATA_FLOW', targetId: id, properties, provenance }
    if (targets.has(id)) return [flow]
    const own = Object.fromEntries(copied.flatMap((key) => (column.properties[key] === undefined ? [] : [[key, column.properties[key]]])))
    const node: NodeFact = {
      fact: 'node',
      id,
      kind: 'Column',
      name: column.name,
      qualifiedName: `${relation}.${qualify(column.name)}`,
      properties: { ...own, nullable: true, ordinal: i + 1 } as Properties,
      provenance,
    }
    return [node, { fact: 'edge', sourceId: edge.targetId, label: 'HAS_COLUMN', targetId: id, properties: {}, provenance }, flow]
  })
}

/** A table of a `SELECT *` that nothing is known of. */
export const unknownStar = (edge: EdgeFact, table: string): Problem =>
  problem({
    severity: 'warning',
    code: 'unresolved-column',
    where: `${edge.provenance.file}:${edge.provenance.location}`,
    found: `SELECT * from ${table}, which has no known columns`,
    expected: 'its columns, so that they can be named one by one',
    suggestion: 'Ingest its DDL first, or together with this file.',
  })
