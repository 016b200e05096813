import { EspalierError } from '../util/error.js'
import { edgeLabels, type GraphChange, nodeKinds } from '../vocabulary.js'
import { hiddenLabel } from './cypher-words.js'
import { encodeProperties, type StoredProperties } from './properties.js'

export interface Statement {
  text: string
  parameters: Record<string, unknown>
}

/** The node that remembers how far the outbox was applied. It has no `:Node` label, so typed reads never see it; the guard hides it from others. */
export const positionId = 'espalier:projection'
export const readPosition: Statement = {
  text: `MATCH (m:${hiddenLabel} {id: $id}) RETURN m.position AS position`,
  parameters: { id: positionId },
}

/** Rows of one UNWIND: large enough to be fast, small enough for one message. */
const batchRows = 5_000

type NodeUpsert = Extract<GraphChange, { op: 'upsert-node' }>
type EdgeChange = Extract<GraphChange, { op: 'upsert-edge' | 'delete-edge' }>

/**
 * Changes as Cypher that both engines run: one transaction's statements, grouped by label. The effect is that of applying the changes
 * one by one in order: a later change of the same node or edge wins, and deleting a node takes along the edges named before it. An edge
 * whose ends are not there is left out.
 */
export function planStatements(changes: readonly GraphChange[], position: number): Statement[] {
  const { nodes, deleted, edges } = settle(changes)
  const kept = [...edges.values()]
  return [
    ...chunks([...deleted]).map((ids) => ({ text: 'UNWIND $ids AS id MATCH (n:Node {id: id}) DETACH DELETE n', parameters: { ids } })),
    ...groups([...nodes.values()], nodeGroup).flatMap(upsertNodes),
    ...groups(
      kept.filter((e) => e.op === 'delete-edge'),
      (e) => e.label,
    ).flatMap(deleteEdges),
    ...groups(kept.filter((e) => e.op === 'upsert-edge').map(encodeEdge), edgeGroup).flatMap(upsertEdges),
    { text: `MERGE (m:${hiddenLabel} {id: $id}) SET m.position = $position`, parameters: { id: positionId, position } },
  ]
}

const edgeKey = (e: EdgeChange) => JSON.stringify([e.sourceId, e.label, e.targetId, e.discriminator])

/** What is left of the changes when later ones have won. */
function settle(changes: readonly GraphChange[]) {
  const nodes = new Map<string, EncodedNode>()
  const deleted = new Set<string>()
  /** deleted, and not made again yet */
  const absent = new Set<string>()
  const edges = new Map<string, EdgeChange>()
  const keysOf = new Map<string, Set<string>>()
  const remember = (id: string, key: string) => (keysOf.get(id) ?? keysOf.set(id, new Set()).get(id)!).add(key)
  for (const change of changes) {
    if (change.op === 'upsert-node') {
      nodes.set(change.id, encodeNode(change))
      absent.delete(change.id)
    } else if (change.op === 'delete-node') {
      nodes.delete(change.id)
      deleted.add(change.id)
      absent.add(change.id)
      for (const key of keysOf.get(change.id) ?? []) edges.delete(key)
    } else {
      assertLabel(change.label, edgeLabels)
      if (absent.has(change.sourceId) || absent.has(change.targetId)) continue
      const key = edgeKey(change)
      edges.set(key, change)
      remember(change.sourceId, key)
      remember(change.targetId, key)
    }
  }
  return { nodes, deleted, edges }
}

/** Labels go into the text of a statement: only those of the vocabulary may. */
function assertLabel(label: string, known: readonly string[]): void {
  if (!known.includes(label))
    throw new EspalierError('BAD_INPUT', `graph change with label ${JSON.stringify(label)}; expected one of ${known.join(', ')}`)
}

interface EncodedNode extends StoredProperties {
  id: string
  kind: string
}

function encodeNode(change: NodeUpsert): EncodedNode {
  assertLabel(change.kind, nodeKinds)
  const { values, times } = encodeProperties(change.properties)
  return { id: change.id, kind: change.kind, values: { ...values, id: change.id }, times }
}

interface EncodedEdge extends StoredProperties {
  source: string
  target: string
  label: string
  discriminator: string
}

function encodeEdge(change: EdgeChange): EncodedEdge {
  const { values, times } = encodeProperties(change.op === 'upsert-edge' ? change.properties : {})
  const { sourceId: source, targetId: target, label, discriminator } = change
  return { source, target, label, discriminator, values: { ...values, discriminator }, times }
}

const timeNames = ({ times }: StoredProperties) => Object.keys(times).sort()
const nodeGroup = (n: EncodedNode) => [n.kind, ...timeNames(n)].join()
const edgeGroup = (e: EncodedEdge) => [e.label, ...timeNames(e)].join()

/** `, n.updated_at = datetime(row.times.updated_at)` for each moment of the group. */
const setTimes = (variable: string, names: readonly string[]) => names.map((t) => `, ${variable}.${t} = datetime(row.times.${t})`).join('')

function upsertNodes(rows: EncodedNode[]): Statement[] {
  const { kind } = rows[0]!
  const others = nodeKinds.filter((k) => k !== kind).map((k) => `:${k}`)
  const text =
    `UNWIND $rows AS row MERGE (n:Node {id: row.id}) SET n = row.values${setTimes('n', timeNames(rows[0]!))}, n:${kind} ` +
    `REMOVE n${others.join('')}`
  return chunks(rows).map((some) => ({ text, parameters: { rows: some.map(({ id, values, times }) => ({ id, values, times })) } }))
}

/**
 * The pattern is walked from the end with more different nodes: MERGE looks through all the edges of the node it begins at, so
 * 5,000 edges of one hub take 1.5 s from the hub's end and 0.07 s from the other (measured on Grafeo).
 */
function pattern(rows: readonly { source: string; target: string }[], relationship: string): string {
  const fromTarget = new Set(rows.map((r) => r.target)).size > new Set(rows.map((r) => r.source)).size
  return fromTarget ? `(b)<-[${relationship}]-(a)` : `(a)-[${relationship}]->(b)`
}

function upsertEdges(rows: EncodedEdge[]): Statement[] {
  const { label } = rows[0]!
  const set = `SET r = row.values${setTimes('r', timeNames(rows[0]!))}`
  return chunks(rows).map((some) => ({
    text:
      'UNWIND $rows AS row MATCH (a:Node {id: row.source}) MATCH (b:Node {id: row.target}) ' +
      `MERGE ${pattern(some, `r:${label} {discriminator: row.discriminator}`)} ${set}`,
    parameters: {
      rows: some.map(({ source, target, discriminator, values, times }) => ({ source, target, discriminator, values, times })),
    },
  }))
}

function deleteEdges(changes: EdgeChange[]): Statement[] {
  const rows = changes.map(({ sourceId: source, targetId: target, discriminator }) => ({ source, target, discriminator }))
  return chunks(rows).map((some) => {
    const path = pattern(some, `r:${changes[0]!.label}`)
    const [first, far, id] = path.startsWith('(b)')
      ? ['b:Node {id: row.target}', 'a', 'source']
      : ['a:Node {id: row.source}', 'b', 'target']
    return {
      text: `UNWIND $rows AS row MATCH (${first}) MATCH ${path} WHERE ${far}.id = row.${id} AND r.discriminator = row.discriminator DELETE r`,
      parameters: { rows: some },
    }
  })
}

function groups<T>(items: readonly T[], keyOf: (item: T) => string): T[][] {
  const byKey = new Map<string, T[]>()
  for (const item of items) {
    const key = keyOf(item)
    const group = byKey.get(key)
    if (group) group.push(item)
    else byKey.set(key, [item])
  }
  return [...byKey.values()]
}

function chunks<T>(items: readonly T[]): T[][] {
  return Array.from({ length: Math.ceil(items.length / batchRows) }, (_, i) => items.slice(i * batchRows, (i + 1) * batchRows))
}
