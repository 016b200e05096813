import { type Column, findColumn, type Relation } from '../ddl/ddl-estate.js'
import { moveColumn, unknownColumn } from '../ddl/ddl-relations.js'
import { readAttributes, readDefault, readTypeInto } from './sql-columns.js'
import type { TokenReader } from './sql-reader.js'
import type { SqlReading } from './sql-reading.js'

/** ALTER COLUMN: one thing about it. */
export function alterColumn(relation: Relation, r: TokenReader, reading: SqlReading): boolean {
  const place = r.place
  r.takeWords('if', 'exists')
  const name = r.name('a column')
  const known = findColumn(relation, name, reading.estate.fold)
  if (relation.complete && !known) {
    unknownColumn(relation, place, reading)(name)
    return true
  }
  const column: Column = known ?? {
    ...{ name, type: null, written: null, nullable: true, isPartition: null, ordinal: null, line: reading.line(place), partial: true },
  }
  const step = columnSteps.find(({ words }) => r.takeWords(...words))
  if (!step) return false
  if (!known) relation.columns.push(column)
  step.apply(column, r, reading, relation)
  return true
}

type ColumnStep = (column: Column, r: TokenReader, reading: SqlReading, relation: Relation) => void

const setType: ColumnStep = (column, r, reading) => {
  delete column.typeText
  readTypeInto(column, r, reading)
  readAttributes({ column, constraints: [], place: r.place }, r.takeWords('using') ? emptied(r) : r, reading)
}

/** USING an expression says how rows are converted, not what the column is. */
const emptied = (r: TokenReader): TokenReader => {
  r.rest()
  return r
}

const columnSteps: readonly { words: readonly string[]; apply: ColumnStep }[] = [
  { words: ['set', 'default'], apply: (column, r) => setDefault(column, readDefault(r)) },
  { words: ['drop', 'default'], apply: (column) => setDefault(column, null) },
  { words: ['set', 'not', 'null'], apply: (column) => void (column.nullable = false) },
  { words: ['drop', 'not', 'null'], apply: (column) => void (column.nullable = true) },
  { words: ['set', 'data', 'type'], apply: setType },
  { words: ['type'], apply: setType },
  { words: ['comment'], apply: (column, r) => void (column.comment = r.takeString() ?? '') },
  {
    words: ['add', 'generated'],
    apply: (column, r) => void (column.more = { ...column.more, identity: r.takeWords('always') ? 'always' : 'by default' }),
  },
  { words: ['drop', 'identity'], apply: (column) => void delete column.more?.['identity'] },
  { words: ['drop', 'expression'], apply: (column) => void delete column.more?.['generated'] },
  { words: ['first'], apply: (column, _, reading, relation) => moveColumn(relation, column, '', reading) },
  { words: ['after'], apply: (column, r, reading, relation) => moveColumn(relation, column, r.name(), reading) },
]

function setDefault(column: Column, value: string | null): void {
  if (value === null) delete column.defaultValue
  else column.defaultValue = value
}
