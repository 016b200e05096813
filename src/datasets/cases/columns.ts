import { columnOrdinal, columnTypeText } from '../../catalog/column.js'
import { parseTypeName } from '../../patterns/type-name.js'
import type { Rng } from '../../util/random.js'
import type { CatalogNode } from '../../vocabulary.js'
import { type Estate, indexEstate } from '../links/estate.js'
import type { Level, TestCase } from './case.js'

/** The base type of a column, as learners name it; null where it is not known. */
export function baseTypeOf({ properties }: CatalogNode): string | null {
  const text = columnTypeText(properties)
  return text === '' ? null : parseTypeName(text).base
}

/** The same estate, of these columns nothing but name and place. */
export function withoutTypes({ nodes, edges }: Estate, columnIds: ReadonlySet<string>): Estate {
  const masked = nodes.map((node) => {
    if (!columnIds.has(node.id)) return node
    const ordinal = node.properties['ordinal']
    return { ...node, properties: ordinal === undefined ? {} : { ordinal } }
  })
  return { nodes: masked, edges }
}

/** Tables with their columns whose types are known, in the order of their ids. */
export function typedTables(estate: Estate): { tableId: string; columns: CatalogNode[] }[] {
  const index = indexEstate(estate)
  return estate.nodes
    .filter(({ kind }) => kind === 'Table')
    .map(({ id }) => ({ tableId: id, columns: index.partsOf(id).filter((part) => part.kind === 'Column' && baseTypeOf(part) !== null) }))
    .filter(({ columns }) => columns.length > 0)
    .sort((a, b) => (a.tableId < b.tableId ? -1 : 1))
}

/** The commonest type of what is visible, and how many there are. */
export function commonestType(
  nodes: readonly CatalogNode[],
  hidden: ReadonlySet<string> = new Set(),
): { type: string; types: number } | null {
  const counts = new Map<string, number>()
  for (const node of nodes) {
    const type = node.kind === 'Column' && !hidden.has(node.id) ? baseTypeOf(node) : null
    if (type) counts.set(type, (counts.get(type) ?? 0) + 1)
  }
  const [first] = [...counts].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1))
  return first ? { type: first[0], types: counts.size } : null
}

/** Asks columns for their types. */
export function columnCases(
  asked: readonly { tableId: string; column: CatalogNode }[],
  { level, from, group, common }: { level: Level; from: string; group?: string; common: { type: string; types: number } },
): TestCase[] {
  return asked.map(({ tableId, column }) => ({
    ...{ id: `L${level} ${from} ${column.id}`, level, from, group: group ?? tableId },
    question: {
      ...{ ask: 'column-type' as const, columnId: column.id, column: column.name, tableId },
      ordinal: columnOrdinal(column.properties),
    },
    expected: baseTypeOf(column)!,
    majority: common.type,
    choices: common.types,
  }))
}

interface Held {
  cases: TestCase[]
  visible: Estate
}

/** Level 1: the type of single columns is held out, that of the others of their table is not. */
export function maskedColumns(estate: Estate, limit: number, rng: Rng): Held {
  const tables = typedTables(estate).filter(({ columns }) => columns.length >= 3)
  const pool = tables.flatMap(({ tableId, columns }) =>
    rng.sample(columns, Math.max(1, Math.floor(columns.length / 5))).map((column) => ({ tableId, column })),
  )
  const asked = rng.sample(pool, limit)
  const hidden = new Set(asked.map(({ column }) => column.id))
  const common = commonestType(estate.nodes, hidden)
  return { cases: common ? columnCases(asked, { level: 1, from: 'L1', common }) : [], visible: withoutTypes(estate, hidden) }
}

/** Level 2: the types of whole tables are held out, a fifth of all tables. */
export function maskedTables(estate: Estate, limit: number, rng: Rng): Held {
  const tables = typedTables(estate)
  const unseen = tables.length < 2 ? [] : rng.sample(tables, Math.max(1, Math.floor(tables.length / 5)))
  const hidden = new Set(unseen.flatMap(({ columns }) => columns.map(({ id }) => id)))
  const common = commonestType(estate.nodes, hidden)
  const pool = unseen.flatMap(({ tableId, columns }) => columns.map((column) => ({ tableId, column })))
  const cases = common ? columnCases(rng.sample(pool, limit), { level: 2, from: 'L2', common }) : []
  return { cases, visible: withoutTypes(estate, hidden) }
}

/** A project, or a part of one that stands for it. */
export interface Domain {
  name: string
  estate: Estate
}

/** Level 4: learned in one domain, asked in another; every domain is asked once. */
export function transferred(domains: readonly Domain[], limit: number, rng: Rng): TestCase[] {
  const targets = rng.shuffle(domains)
  const share = Math.ceil(limit / Math.max(1, targets.length))
  const cases = targets.flatMap((target, i) => {
    const source = targets[(i + 1) % targets.length]!
    const common = commonestType(source.estate.nodes)
    if (source === target || !common) return []
    const pool = typedTables(target.estate).flatMap(({ tableId, columns }) => columns.map((column) => ({ tableId, column })))
    const group = `${source.name} -> ${target.name}`
    return columnCases(rng.sample(pool, share), { level: 4, from: source.name, group, common })
  })
  return rng.sample(cases, limit)
}
