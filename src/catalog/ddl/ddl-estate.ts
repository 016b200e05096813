import type { Properties, TypeTree } from '../../vocabulary.js'
import { type Fold, qualify } from '../sql/names.js'

/** A table as a statement names it, unquoted, spelled as written. */
export interface TableName {
  database: string | null
  name: string
}

/** What a script has said so far: the tables and views that its statements made and changed. Facts are written from it at the end. */
export interface Estate {
  /** a key of the table of sources, stamped on every fact */
  dialect: string
  /** what makes two spellings one name */
  fold: Fold
  /** where tables lie that name no database */
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
  /** the type in full, where the tree does not say all of it: `int unsigned`, the members of an enum */
  typeText?: string
  /** what only some dialects say: auto_increment, collation, generated, … */
  more?: Properties
  comment?: string
  nullable: boolean
  /** null where the dialect has no partition columns */
  isPartition: boolean | null
  defaultValue?: string
  check?: string
  isUnique?: true
  isPrimaryKey?: true
  /** how a view or CTAS makes it */
  transformation?: string
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
  rely?: boolean
  /** what happens to the row when the other one goes or changes: `on_delete`, `on_update` */
  actions?: Properties
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
  /** columns that only steer the value (conditions of CASE, partition and order of windows, …) */
  indirect: ColumnSource[]
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
  /** the target is not in this script: its columns by the names of the flows, or by their place among those not in `except` */
  openColumns?: { by: 'name' } | { by: 'position'; except: string[] }
  properties: Properties
  line: number
}

export const newEstate = (dialect: string, fold: Fold, database: string): Estate => ({
  dialect,
  fold,
  database,
  databases: new Map(),
  relations: new Map(),
  dropped: new Map(),
  droppedColumns: [],
  queries: [],
})

/** The folded qualified name of a table as a statement names it, in the current database where it names none. */
export const relationKey = ({ database, fold }: Estate, table: TableName): string =>
  qualify(fold(table.database ?? database), fold(table.name))

export const findColumn = (relation: Relation, name: string, fold: Fold): Column | undefined => {
  const folded = fold(name)
  return relation.columns.find((c) => fold(c.name) === folded)
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
  const key = estate.fold(name)
  if (!estate.databases.has(key)) estate.databases.set(key, { name, properties: null, line })
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
