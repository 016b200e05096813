import { columnNullable } from '../../catalog/column.js'
import { canonicalTypeOf, type Estate, type EstateIndex, indexEstate, isPrimaryKey } from '../links/estate.js'
import type { AnonymousRole, AnonymousTable } from './case.js'

/** Tables that the keys of a table's columns lead to, and those whose keys lead to it; itself left out. */
function neighboursOf(index: EstateIndex, tableId: string): { out: string[]; in: string[] } {
  const [out, into] = [new Set<string>(), new Set<string>()]
  for (const column of index.partsOf(tableId))
    for (const { sourceId, targetId } of index.incident(column.id, ['REFERENCES'])) {
      const other = index.ownerOf(sourceId === column.id ? targetId : sourceId)?.id
      if (!other || other === tableId) continue
      if (sourceId === column.id) out.add(other)
      else into.add(other)
    }
  return { out: [...out].sort(), in: [...into].sort() }
}

function anonymize(index: EstateIndex, tableId: string): AnonymousTable {
  const around = neighboursOf(index, tableId)
  const columns = index.partsOf(tableId).map((column) => ({
    type: canonicalTypeOf(column),
    isKey: isPrimaryKey(column),
    isReference: index.incident(column.id, ['REFERENCES']).some((edge) => edge.sourceId === column.id),
    nullable: columnNullable(column.properties),
  }))
  return { columns, references: around.out.length, referencedBy: around.in.length }
}

/** Reads tables without their names. */
export function anonymousRoles(estate: Estate): (tableId: string) => AnonymousRole {
  const index = indexEstate(estate)
  const known = new Map<string, AnonymousTable>()
  const table = (id: string) => {
    if (!known.has(id)) known.set(id, anonymize(index, id))
    return known.get(id)!
  }
  return (tableId) => {
    const around = neighboursOf(index, tableId)
    // in an order that tells nothing of their names
    const sorted = (ids: string[]) => ids.map(table).sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1))
    return { table: table(tableId), references: sorted(around.out), referencedBy: sorted(around.in) }
  }
}
