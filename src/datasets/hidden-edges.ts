import type { CatalogEdge } from '../vocabulary.js'
import type { EstateIndex } from './estate.js'

/** The name of the constraint that an edge was read from, where the source gave one. */
export function constraintOf(edge: CatalogEdge): string {
  const name = edge.properties['constraint'] ?? edge.properties['constraint_name']
  return typeof name === 'string' && name !== '' ? name : edge.discriminator
}

/**
 * The edges that would give a foreign key of `sourceId` away: every key of this column, its mirror, the other column pairs of the same
 * (composite) constraint, and the tables' own edge of it. What is known of other keys stays visible. The same edges are hidden when a
 * model is asked as when it was taught, whether the column has a known key or not.
 */
export function hiddenReferences(index: EstateIndex, sourceId: string): Set<CatalogEdge> {
  const own = index.incident(sourceId).filter((e) => e.label === 'REFERENCES' && e.sourceId === sourceId)
  const hidden = new Set<CatalogEdge>(own)
  for (const edge of own) {
    for (const mirror of index.incident(sourceId))
      if (mirror.label === 'REFERENCES' && mirror.sourceId === edge.targetId && mirror.targetId === sourceId) hidden.add(mirror)
    hideConstraint(index, edge, hidden)
  }
  return hidden
}

function hideConstraint(index: EstateIndex, edge: CatalogEdge, hidden: Set<CatalogEdge>): void {
  const [from, to] = [index.tableOf(edge.sourceId)?.id, index.tableOf(edge.targetId)?.id]
  if (from === undefined || to === undefined) return
  const between = referencesBetween(index, from, to)
  const constraint = constraintOf(edge)
  const siblings = constraint === '' ? [edge] : between.columns.filter((e) => constraintOf(e) === constraint)
  for (const sibling of siblings) hidden.add(sibling)
  // A table edge that names no constraint of its own stands for all of them: it goes with the last one that is visible.
  const others = between.columns.some((e) => !hidden.has(e))
  for (const e of between.tables) if (!others || (constraint !== '' && constraintOf(e) === constraint)) hidden.add(e)
}

function referencesBetween(index: EstateIndex, from: string, to: string): { columns: CatalogEdge[]; tables: CatalogEdge[] } {
  const columns = index
    .columnsOf(from)
    .flatMap((c) => index.incident(c.id))
    .filter((e) => e.label === 'REFERENCES' && index.tableOf(e.sourceId)?.id === from && index.tableOf(e.targetId)?.id === to)
  const tables = index
    .incident(from)
    .filter((e) => e.label === 'REFERENCES' && ((e.sourceId === from && e.targetId === to) || (e.sourceId === to && e.targetId === from)))
  return { columns, tables }
}

/** Every foreign key whose source lies in the group: what is unknown in a schema that declares none. */
function allReferences(index: EstateIndex, group: string): Set<CatalogEdge> {
  const hidden = new Set<CatalogEdge>()
  for (const column of index.columnsIn(group)) {
    const table = index.tableOf(column.id)
    for (const id of table ? [column.id, table.id] : [column.id])
      for (const edge of index.incident(id)) if (edge.label === 'REFERENCES') hidden.add(edge)
  }
  return hidden
}

/** All that is hidden when `sourceId` is asked for, by what the feature spec lets a model know. */
export function hiddenFrom(index: EstateIndex, sourceId: string, knownReferences: 'others' | 'none'): Set<CatalogEdge> {
  const hidden = hiddenReferences(index, sourceId)
  if (knownReferences === 'none') for (const edge of allReferences(index, index.groupOf(sourceId))) hidden.add(edge)
  return hidden
}
