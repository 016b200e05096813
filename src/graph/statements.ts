import { EspalierError } from '../util/error.js'
import { edgeLabels, type GraphChange, nodeKinds } from '../vocabulary.js'
import { hiddenLabel } from './cypher/words.js'
import { encodeProperties } from './properties.js'
import { deleteEdges, deleteNodes, type EncodedEdge, type EncodedNode, type Statement, upsertEdges, upsertNodes } from './upserts.js'

export type { Statement } from './upserts.js'

/**
 * The node that remembers how far which ledger's outbox was applied. It has no `:Node` label, so typed reads never see it; the guard hides
 * it from others.
 */
export const positionId = 'espalier:projection'
export const readPosition: Statement = {
  text: `MATCH (m:${hiddenLabel} {id: $id}) RETURN m.position AS position, m.ledger AS ledger`,
  parameters: { id: positionId },
}

/** Notes the position, and whose it is where that is given. */
export const writePosition = (position: number, ledger?: string): Statement => ({
  text: `MERGE (m:${hiddenLabel} {id: $id}) SET m.position = $position${ledger === undefined ? '' : ', m.ledger = $ledger'}`,
  parameters: { id: positionId, position, ...(ledger === undefined ? {} : { ledger }) },
})

type NodeUpsert = Extract<GraphChange, { op: 'upsert-node' }>
type EdgeChange = Extract<GraphChange, { op: 'upsert-edge' | 'delete-edge' }>

/**
 * Changes as Cypher that both engines run: one transaction's statements, grouped by label. The effect is that of applying the changes
 * one by one in order: a later change of the same node or edge wins, and deleting a node takes along the edges named before it. An edge
 * whose ends are not there is left out.
 */
export function planStatements(changes: readonly GraphChange[], position: number, ledger?: string): Statement[] {
  const { nodes, deleted, edges } = settle(changes)
  const gone = new Map<string, EncodedEdge[]>()
  const kept: EncodedEdge[] = []
  for (const change of edges.values()) {
    const edge = encodeEdge(change)
    if (change.op === 'upsert-edge') kept.push(edge)
    else (gone.get(edge.label) ?? gone.set(edge.label, []).get(edge.label)!).push(edge)
  }
  return [
    ...deleteNodes([...deleted]),
    ...upsertNodes([...nodes.values()]),
    ...[...gone].flatMap(([label, some]) => deleteEdges(label, some)),
    ...upsertEdges(kept),
    writePosition(position, ledger),
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

function encodeNode(change: NodeUpsert): EncodedNode {
  assertLabel(change.kind, nodeKinds)
  const { values, times } = encodeProperties(change.properties)
  return { id: change.id, kind: change.kind, values: { ...values, id: change.id }, times }
}

function encodeEdge(change: EdgeChange): EncodedEdge {
  const { values, times } = encodeProperties(change.op === 'upsert-edge' ? change.properties : {})
  const { sourceId: source, targetId: target, label, discriminator } = change
  return { source, target, label, discriminator, values: { ...values, discriminator }, times }
}
