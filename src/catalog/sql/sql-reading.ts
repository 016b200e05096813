import type { Properties } from '../../vocabulary.js'
import { append, applyConstraint, type Constraint, named } from '../ddl/ddl-constraints.js'
import { type Column, findColumn, type Relation, type TableName } from '../ddl/ddl-estate.js'
import type { Reading } from '../ddl/ddl-relations.js'
import type { SqlDialect } from './sql-dialect.js'
import type { TokenReader } from './sql-reader.js'
import type { UserTypes } from './sql-types.js'

/** A place in a script is an offset. */
export type SqlReading = Reading<number> & { dialect: SqlDialect; userTypes: UserTypes }

/** A key that only makes reading faster: KEY, INDEX, FULLTEXT … */
export type Index = { kind: 'index'; name: string | null; columns: string[]; properties: Properties }

export type Declared = Constraint | Index

/** A column as defined, and what it declares beside itself. */
export interface Definition {
  column: Column
  constraints: Declared[]
  place: number
}

/** Two parts: database and table; three: the catalog is part of the database's name. */
export function tableNameOf(parts: readonly string[]): TableName {
  if (parts.length === 1) return { database: null, name: parts[0]! }
  return { database: parts.slice(0, -1).join('.'), name: parts.at(-1)! }
}

/** Writes what was declared into its table. */
export function applyDeclared(relation: Relation, declared: Declared, place: number, reading: SqlReading): void {
  if (declared.kind === 'index') {
    append(relation.properties, 'indexes', named(declared.name, { columns: declared.columns, ...declared.properties }))
    return
  }
  applyConstraint(relation, declared, place, reading)
  if (declared.kind !== 'primary-key') return
  for (const name of declared.columns) {
    const column = findColumn(relation, name, reading.estate.fold)
    if (column) column.nullable = false
  }
}

/** `'a' = 'b', c = 1, d.e 'f'`: options of tables and columns. */
export function readPairs(r: TokenReader): Properties {
  const pairs: Properties = {}
  for (const e of r.elements()) {
    const isText = e.peek()?.kind === 'string'
    const key = isText ? e.takeString()! : e.isName() ? e.dottedName().join('.') : e.rest()
    e.takeSign('=')
    const single = e.tokens.length - e.position === 1 ? e.takeString() : undefined
    Object.defineProperty(pairs, key, { value: single ?? e.rest(), enumerable: true, writable: true, configurable: true })
  }
  return pairs
}
