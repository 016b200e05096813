import { isStar, lineageOf, lineageProperties, type Resolved } from '../lineage/hive-lineage.js'
import { type Estate, type QueryRecord, relationKey, type TableName } from './ddl-estate.js'

/** A query that stands for itself, or (with `insert`) writes a table. */
export interface RecordedQuery {
  text: string
  line: number
  insert?: { table: TableName; columns: readonly string[] | null; fixedPartitions: readonly string[]; overwrite: boolean }
}

/** Keeps an INSERT … SELECT or a bare SELECT with its lineage; one that reads nothing is left out. */
export function recordQuery(estate: Estate, resolved: Resolved, { text, line, insert }: RecordedQuery): void {
  if (!insert) {
    if (resolved.relations.size === 0) return
    estate.queries.push({
      text,
      kind: 'select',
      target: null,
      lineage: lineageOf(resolved),
      properties: lineageProperties(resolved),
      line,
    })
    return
  }
  const target = relationKey(estate, insert.table)
  const known = estate.relations.get(target)
  const fixed = new Set(insert.fixedPartitions.map(estate.fold))
  const names = insert.columns ?? (known?.complete ? known.columns.map((c) => c.name).filter((c) => !fixed.has(estate.fold(c))) : null)
  const isOpen = !known?.complete && !known?.lineage
  // where `*` stands for columns that are not known here, what follows has no place
  const lineage = lineageOf(resolved, resolved.outputs.some(isStar) ? [] : (names ?? (isOpen ? undefined : [])))
  const properties = { ...lineageProperties(resolved), overwrite: insert.overwrite }
  const openColumns: QueryRecord['openColumns'] = insert.columns ? { by: 'name' } : { by: 'position', except: [...fixed] }
  const open = isOpen ? { openColumns } : {}
  estate.queries.push({ text, kind: 'insert', target, lineage: { ...lineage, stars: [] }, ...open, properties, line })
}
