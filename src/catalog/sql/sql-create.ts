import type { JsonValue, Properties } from '../../vocabulary.js'
import { addRelation, type Column, findColumn, type Relation, relationKey, type TableName } from '../ddl/ddl-estate.js'
import { addColumns, copyColumns, isMade, newRelation } from '../ddl/ddl-relations.js'
import { fillFromSqlQuery } from '../lineage/sql-query.js'
import { readColumn } from './sql-columns.js'
import { isTableConstraint, readKeyColumns, readTableConstraint } from './sql-keys.js'
import { type TokenReader, Unexpected } from './sql-reader.js'
import { applyDeclared, type Declared, type Definition, readPairs, type SqlReading, tableNameOf } from './sql-reading.js'

/** The words between CREATE and what it makes. */
export type Modifiers = ReadonlySet<string>

/** The columns of another table; `withKeys`: and its keys. */
interface Like {
  table: TableName
  place: number
  withKeys: boolean
}
const isLike = (item: Definition | Like): item is Like => 'table' in item

/** Everything that a column list says. */
interface Body {
  /** columns and LIKE, in their order */
  columns: (Definition | Like)[]
  declared: { constraint: Declared; place: number }[]
  watermarks: Properties[]
}

/** CREATE TABLE, from behind the word TABLE on. */
export function createTable(r: TokenReader, modifiers: Modifiers, reading: SqlReading): void {
  const place = r.place
  const ifNotExists = r.takeWords('if', 'not', 'exists')
  const name = tableNameOf(r.dottedName('the name of the table'))
  const isEarlier = isMade(name, { ifNotExists, replace: modifiers.has('replace') }, place, reading)
  const relation = newRelation('Table', name, place, reading)
  relation.properties = { table_type: tableType(modifiers) }
  const body: Body = { columns: [], declared: [], watermarks: [] }
  if (r.takeWords('partition', 'of')) partitionOf(r, relation, body, reading)
  if (r.isSign('(')) readBody(r.group(), body, reading)
  if (isEarlier) return
  for (const item of body.columns) {
    if (isLike(item)) copyColumns(relation, item.table, item.place, reading, item.withKeys)
    else addColumns(relation, [item.column], item.place, reading)
  }
  if (body.watermarks.length > 0) relation.properties['watermarks'] = body.watermarks
  readOptions(r, relation, reading)
  addRelation(reading.estate, relation)
  const definitions = body.columns.filter((item): item is Definition => !isLike(item))
  for (const { constraints, place: at } of definitions) for (const c of constraints) applyDeclared(relation, c, at, reading)
  for (const { constraint, place: at } of body.declared) applyDeclared(relation, constraint, at, reading)
  for (const { column, place: at } of definitions) if (!relation.lineage) tellUntyped(column, at, reading)
}

function tellUntyped(column: Column, place: number, { report }: SqlReading): void {
  if (column.type !== null || column.more?.['generated'] !== undefined) return
  report(place, {
    severity: 'warning',
    code: 'missing-type',
    found: `column "${column.name}" without a type`,
    expected: 'the type of the column',
  })
}

const tableType = (modifiers: Modifiers): string =>
  ['temporary', 'external', 'foreign', 'unlogged'].find((m) => modifiers.has(m)) ?? (modifiers.has('temp') ? 'temporary' : 'base')

/** PostgreSQL: a partition has its parent's columns. */
function partitionOf(r: TokenReader, relation: Relation, body: Body, reading: SqlReading): void {
  const place = r.place
  const table = tableNameOf(r.dottedName('the partitioned table'))
  relation.properties['partition_of'] = relationKey(reading.estate, table)
  body.columns.push({ table, place, withKeys: false })
}

function readBody(inside: TokenReader, body: Body, reading: SqlReading): void {
  for (const e of inside.elements()) {
    try {
      readElement(e, body, reading)
    } catch (thrown) {
      // one bad element costs itself, not the table
      if (!(thrown instanceof Unexpected)) throw thrown
      reading.report(thrown.at, { code: 'ddl-syntax', found: thrown.found, expected: thrown.expected })
    }
  }
}

function readElement(e: TokenReader, body: Body, reading: SqlReading): void {
  const place = e.place
  if (isTableConstraint(e, reading)) {
    const constraint = readTableConstraint(e, reading)
    if (constraint) body.declared.push({ constraint, place })
  } else if (e.isWords('like') && e.isName(1)) {
    e.next()
    const table = tableNameOf(e.dottedName())
    body.columns.push({ table, place, withKeys: reading.dialect.hasInlineIndexes || /\bincluding (?:all|indexes)\b/i.test(e.rest()) })
  } else if (e.takeWords('watermark', 'for')) {
    const column = e.dottedName().join('.')
    if (!e.takeWords('as')) e.fail('AS')
    body.watermarks.push({ column, expression: e.rest() })
  } else if (!e.isWords('period', 'for')) body.columns.push(readColumn(e, reading))
}

type Option = (r: TokenReader, relation: Relation, reading: SqlReading) => void

const textOption =
  (key: string): Option =>
  (r, relation) => {
    r.takeSign('=')
    relation.properties[key] = r.takeString() ?? r.dottedName('a value').join('.').toLowerCase()
  }
const pairsOption: Option = (r, relation, reading) => {
  if (!r.isSign('(')) return
  const before = relation.properties['table_properties'] as Properties | undefined
  const said = readPairs(r.group())
  relation.properties['table_properties'] = { ...before, ...said }
  partitionedByNames(said['partitioned_by'] ?? said['partitioning'], relation, reading)
}

/** Trino: `partitioned_by = ARRAY['day', 'region']`; `partitioning = ARRAY['day(at)', 'region']`, in which transforms are no columns. */
function partitionedByNames(list: JsonValue | undefined, relation: Relation, { estate: { fold } }: SqlReading): void {
  if (typeof list !== 'string' || !/^array\s*\[/i.test(list)) return
  const names = [...list.matchAll(/'((?:[^']|'')*)'/g)].map(([, name]) => name!.replaceAll("''", "'"))
  for (const name of names) {
    const column = findColumn(relation, name, fold)
    if (column) column.isPartition = true
  }
  if (names.length > 0) relation.properties['partitioned_by'] = names
}
const skipValue: Option = (r) => {
  r.takeSign('=')
  r.next()
}

/** What follows the column list: its first word -> what reads it. */
const options: Readonly<Record<string, Option>> = {
  comment: (r, relation) => {
    r.takeSign('=')
    const comment = r.takeString() ?? r.fail('the text of the comment')
    if (comment !== '') relation.properties['comment'] = comment
  },
  engine: textOption('engine'),
  type: textOption('engine'),
  charset: textOption('character_set'),
  character: (r, relation, reading) => {
    r.takeWords('set')
    textOption('character_set')(r, relation, reading)
  },
  collate: textOption('collation'),
  default: () => undefined,
  // the next value is data, not schema
  auto_increment: skipValue,
  using: textOption('stored_as'),
  stored: (r, relation, reading) => {
    r.takeWords('as')
    textOption('stored_as')(r, relation, reading)
  },
  location: textOption('location'),
  tablespace: textOption('tablespace'),
  server: textOption('server'),
  with: pairsOption,
  options: pairsOption,
  tblproperties: pairsOption,
  without: (r) => {
    r.takeWords('oids')
  },
  inherits: (r, relation, reading) => {
    for (const e of r.group().elements()) {
      const place = e.place
      const parent = tableNameOf(e.dottedName())
      const own = relation.columns
      relation.columns = []
      copyColumns(relation, parent, place, reading)
      const inherited = relation.columns.filter((c) => !findColumn({ ...relation, columns: own }, c.name, reading.estate.fold))
      relation.columns = [...inherited, ...own]
      addColumns(relation, [], place, reading)
      relation.properties['inherits'] = [...((relation.properties['inherits'] as string[] | undefined) ?? []), relation.properties['like']!]
      delete relation.properties['like']
    }
  },
  partition: (r, relation) => {
    r.takeWords('by')
    const from = r.position
    while (r.peek() && !r.isSign('(')) r.next()
    r.skipGroup()
    relation.properties['partition_by'] = r.textFrom(from)
    // the partitions themselves come and go with the data
    while (!r.atEnd && !r.isWords('comment') && !r.isWords('as')) r.skipGroup() || r.next()
  },
  partitioned: (r, relation, reading) => {
    r.takeWords('by')
    partitionedBy(r.group(), relation, reading)
  },
  clustered: (r, relation, reading) => {
    r.takeWords('by')
    relation.properties['clustered_by'] = readKeyColumns(r, reading).columns
  },
  sorted: (r, relation, reading) => {
    r.takeWords('by')
    relation.properties['sorted_by'] = readKeyColumns(r, reading).columns
  },
  into: (r, relation) => {
    const count = Number(r.next().text)
    r.takeOneOf('buckets', 'bucket')
    if (Number.isFinite(count)) relation.properties['bucket_count'] = count
  },
  distributed: (r, relation) => {
    r.takeWords('by')
    const from = r.position
    r.takeOneOf('hash', 'range')
    r.skipGroup()
    relation.properties['distributed_by'] = r.textFrom(from)
  },
  on: (r) => {
    r.takeWords('commit') && r.takeOneOf('preserve', 'delete', 'drop') && r.takeWords('rows')
  },
  for: (r) => {
    // PARTITION OF … FOR VALUES
    r.rest()
  },
  like: (r, relation, reading) => {
    const place = r.place
    copyColumns(relation, tableNameOf(r.dottedName()), place, reading, reading.dialect.hasInlineIndexes)
    r.skipGroup()
    while (r.takeOneOf('including', 'excluding')) r.next()
  },
  as: fillFromRest,
  select: (r, relation, reading) => {
    r.position--
    fillFromRest(r, relation, reading)
  },
}

function fillFromRest(r: TokenReader, relation: Relation, reading: SqlReading): void {
  const own = relation.columns
  relation.columns = []
  fillFromSqlQuery(
    relation,
    r,
    own.filter((c) => c.type === null).map((c) => c.name),
    reading,
  )
  mergeColumns(relation, own)
}

/** CREATE TABLE t (a int) AS SELECT …: what is defined counts, what only the query gives comes after. */
function mergeColumns(relation: Relation, own: readonly Column[]): void {
  const typed = own.filter((c) => c.type !== null)
  if (typed.length === 0) return
  const names = new Set(typed.map((c) => c.name.toLowerCase()))
  relation.columns = [...typed, ...relation.columns.filter((c) => !names.has(c.name.toLowerCase()))]
  relation.columns.forEach((c, i) => {
    c.ordinal = i + 1
  })
}

function readOptions(r: TokenReader, relation: Relation, reading: SqlReading): void {
  const more: Properties = {}
  while (!r.atEnd) {
    const word = r.word()
    if (Object.hasOwn(options, word)) {
      r.next()
      options[word]!(r, relation, reading)
    } else if (word !== '' && r.isSign('=', 1)) {
      r.position += 2
      const value = r.isSign('(') ? r.group().rest() : r.next()
      more[word] = typeof value === 'string' ? value : value.value
    } else if (!r.skipGroup()) r.next()
  }
  if (Object.keys(more).length > 0) relation.properties['table_options'] = more
}

/** `PARTITIONED BY (a, b int, days(ts))`: columns of the table, new ones, and transforms. */
function partitionedBy(inside: TokenReader, relation: Relation, reading: SqlReading): void {
  const partitions: string[] = []
  for (const e of inside.elements()) {
    const place = e.place
    if (e.isName() && e.isName(1)) {
      const { column } = readColumn(e, reading)
      addColumns(relation, [{ ...column, isPartition: true }], place, reading)
      partitions.push(column.name)
      continue
    }
    const known = e.tokens.length === 1 && e.isName() ? findColumn(relation, e.peek()!.value, reading.estate.fold) : undefined
    if (known) known.isPartition = true
    partitions.push(known?.name ?? e.rest())
  }
  if (partitions.length > 0) relation.properties['partitioned_by'] = partitions
}
