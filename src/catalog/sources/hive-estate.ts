import type { Properties, TypeTree } from '../../vocabulary.js'
import type { TableName } from './hive-query.js'
import { foldHive, qualify } from './names.js'

/** What a script has said so far: the tables and views that its statements made and changed. Facts are written from it at the end. */
export interface Estate {
  database: string
  databases: Map<string, Database>
  /** by folded qualified name, in order of appearance */
  relations: Map<string, Relation>
  /** dropped (or renamed away) and not made again: folded qualified name -> line */
  dropped: Map<string, { kind: 'Table' | 'View' | 'Database'; line: number }>
  /** single columns taken from tables that this script did not make */
  droppedColumns: { relation: string; column: string; line: number }[]
  queries: QueryRecord[]
}

export interface Database {
  name: string
  /** null: only named in passing */
  properties: Properties | null
  line: number
}

export interface Column {
  name: string
  type: TypeTree | null
  /** as written, on one line; differs from the printed tree only where the tree could not be read */
  written: string | null
  comment?: string
  nullable: boolean
  isPartition: boolean
  defaultValue?: string
  check?: string
  isUnique?: true
  isPrimaryKey?: true
  /** from 1 in the table; null where the rest of the table is not in this script */
  ordinal: number | null
  line: number
  /** changed by an ALTER without having been seen made */
  partial?: true
}

export interface ForeignKey {
  name: string | null
  columns: string[]
  database: string
  table: string
  referenced: string[]
  enforced: boolean
  rely: boolean
  line: number
}

export interface Relation {
  kind: 'Table' | 'View'
  database: string
  name: string
  columns: Column[]
  /** made by this script, so that its columns are all there */
  complete: boolean
  properties: Properties
  foreignKeys: ForeignKey[]
  lineage: Lineage | null
  line: number
  observedAt?: Date
}

/** One end of a flow: a column of a table, by folded qualified names, or one that several tables may have. */
export type ColumnSource = { relation: string; column: string } | { column: string; candidates: string[] }

export interface Flow {
  sources: ColumnSource[]
  /** the target column */
  column: string
  transformation: string
  expression: string
}

export interface Lineage {
  /** folded qualified names of all tables that are read */
  relations: string[]
  flows: Flow[]
  /** `SELECT *` over tables that are not in this script */
  stars: string[][]
}

/** An INSERT … SELECT or a bare SELECT. */
export interface QueryRecord {
  text: string
  kind: 'insert' | 'select'
  /** folded qualified name of the table it writes */
  target: string | null
  lineage: Lineage
  properties: Properties
  line: number
}

export const newEstate = (database: string): Estate => ({
  database,
  databases: new Map(),
  relations: new Map(),
  dropped: new Map(),
  droppedColumns: [],
  queries: [],
})

/** The folded qualified name of a table as a statement names it, in the current database where it names none. */
export const relationKey = (estate: Estate, table: TableName): string =>
  qualify(foldHive(table.database ?? estate.database), foldHive(table.name))

export const findColumn = (relation: Relation, name: string): Column | undefined => {
  const folded = foldHive(name)
  return relation.columns.find((c) => foldHive(c.name) === folded)
}

/** Puts a relation into the estate, in place of what had its name, and its database with it. */
export function addRelation(estate: Estate, relation: Relation): void {
  const key = relationKey(estate, relation)
  estate.relations.delete(key)
  estate.relations.set(key, relation)
  estate.dropped.delete(key)
  touchDatabase(estate, relation.database, relation.line)
}

export function touchDatabase(estate: Estate, name: string, line: number): void {
  if (!estate.databases.has(foldHive(name))) estate.databases.set(foldHive(name), { name, properties: null, line })
}

/** The relation of that name: the one this script made, or a stand-in for one that another file made. */
export function relationFor(estate: Estate, table: TableName, line: number): Relation {
  const found = estate.relations.get(relationKey(estate, table))
  if (found) return found
  const relation: Relation = {
    kind: 'Table',
    database: table.database ?? estate.database,
    name: table.name,
    columns: [],
    complete: false,
    properties: {},
    foreignKeys: [],
    lineage: null,
    line,
  }
  estate.relations.set(relationKey(estate, table), relation)
  return relation
}
