import { messageOf } from '../../util/error.js'
import { type Problem, problem } from '../../util/problem.js'
import { applyConstraint } from '../ddl/ddl-constraints.js'
import { addRelation, type Column, type Estate, newEstate, type Relation } from '../ddl/ddl-estate.js'
import { factsOf } from '../ddl/ddl-facts.js'
import { addColumns, newRelation, type Reading } from '../ddl/ddl-relations.js'
import type { ParsedSource, SourceContext } from '../fact.js'
import { foldHive } from '../sql/names.js'
import { linesOf } from '../sql/sql-text.js'
import { parseType, printType } from '../sql/type-tree.js'
import { type Source, wholeText } from './source.js'

/**
 * Schemas as JSON: a list of databases, each with its tables, its columns (`[table, name]`, and their types beside), its primary keys and
 * its foreign keys as numbers of columns: the layout of Spider's `tables.json` (Yu et al. 2018). A bad database costs itself alone.
 */
export const schemaJson: Source = {
  name: 'Schema JSON',
  extensions: ['.json'],
  looksLike: (head) => /^\s*\[?\s*\{/.test(head) && /"(?:column_names(?:_original)?|table_names(?:_original)?|db_id)"\s*:/.test(head),
  parse: async (text, context) => parseSchemaJson(await wholeText(text), context),
  byContentOnly: true,
}

/** One database, as far as it is well-formed. */
interface Schema {
  name: string
  tables: string[]
  columns: { table: number; name: string; type: string | null }[]
  /** numbers of columns; those of one table make one key */
  primaryKeys: number[]
  foreignKeys: [number, number][]
}

function parseSchemaJson(text: string, context: SourceContext): ParsedSource {
  const estate = newEstate('schema-json', foldHive, context.defaultDatabase ?? 'default')
  const problems: Problem[] = []
  let list: unknown
  try {
    list = JSON.parse(text)
  } catch (thrown) {
    return { facts: [], problems: [problem({ code: 'schema-json', where: context.file, found: messageOf(thrown), expected: 'JSON' })] }
  }
  const lines = linesOf(text)
  let at = 0
  for (const [i, entry] of (Array.isArray(list) ? list : [list]).entries()) {
    const named = text.indexOf('"db_id"', at)
    at = named < 0 ? at : named + 1
    const line = lines(Math.max(0, named)).line
    const report = (found: string, expected: string) =>
      problems.push(problem({ code: 'schema-json', where: `${context.file}:${line}:1`, found: `database ${i + 1}: ${found}`, expected }))
    const schema = readSchema(entry, report)
    if (schema) addSchema(estate, schema, line, context.file, problems)
  }
  const written = factsOf(estate, context)
  return { facts: written.facts, problems: [...problems, ...written.problems] }
}

type Report = (found: string, expected: string) => unknown

function readSchema(entry: unknown, report: Report): Schema | null {
  const of = (...keys: string[]): unknown =>
    keys.map((key) => (entry as Record<string, unknown> | null)?.[key]).find((v) => v !== undefined)
  const name = of('db_id', 'database', 'name')
  const tables = of('table_names_original', 'table_names')
  const pairs = of('column_names_original', 'column_names')
  if (typeof name !== 'string' || !isListOf(tables, isText) || !isListOf(pairs, isColumn)) {
    report(
      JSON.stringify(entry)?.slice(0, 120) ?? 'nothing',
      '{ db_id, table_names_original: [name], column_names_original: [[table, name]] }',
    )
    return null
  }
  const types = of('column_types')
  const columns = pairs.map(([table, column], i) => ({ table, name: column, type: isListOf(types, isText) ? (types[i] ?? null) : null }))
  for (const { table, name: column } of columns)
    if (table >= tables.length) report(`column "${column}" of table number ${table}`, `a number below ${tables.length}`)
  const isKnown = (c: unknown): c is number => typeof c === 'number' && columns[c] !== undefined && tables[columns[c].table] !== undefined
  const known = (keys: unknown, isKey: (key: unknown) => boolean, what: string): unknown[] => {
    const all = Array.isArray(keys) ? keys : []
    for (const key of all) if (!isKey(key)) report(`${what} ${JSON.stringify(key)}`, 'numbers of columns')
    return all.filter(isKey)
  }
  return {
    name,
    tables,
    columns,
    primaryKeys: known(of('primary_keys'), (k) => [k].flat().every(isKnown), 'primary key').flat() as number[],
    foreignKeys: known(of('foreign_keys'), (k) => Array.isArray(k) && k.length === 2 && k.every(isKnown), 'foreign key') as [
      number,
      number,
    ][],
  }
}

const isText = (value: unknown): value is string => typeof value === 'string'
const isColumn = (value: unknown): value is [number, string] =>
  Array.isArray(value) && value.length === 2 && Number.isInteger(value[0]) && typeof value[1] === 'string'
const isListOf = <T>(value: unknown, is: (element: unknown) => element is T): value is T[] => Array.isArray(value) && value.every(is)

function addSchema(estate: Estate, schema: Schema, line: number, file: string, problems: Problem[]): void {
  const reading: Reading<number> = {
    estate,
    line: () => line,
    report: (_, found) => problems.push(problem({ ...found, where: `${file}:${line}:1` })),
  }
  estate.databases.set(foldHive(schema.name), { name: schema.name, properties: {}, line })
  const relations = schema.tables.map((name, table) => {
    const relation = newRelation('Table', { database: schema.name, name }, line, reading)
    const columns = schema.columns.filter((c) => c.table === table)
    addColumns(
      relation,
      columns.map((c) => columnOf(c.name, c.type, line)),
      line,
      reading,
    )
    addRelation(estate, relation)
    return relation
  })
  applyKeys(relations, schema, line, reading)
}

/** A primary key per table, and every foreign key of one column. */
function applyKeys(
  relations: readonly Relation[],
  { tables, columns, primaryKeys, foreignKeys, name }: Schema,
  line: number,
  reading: Reading<number>,
): void {
  relations.forEach((relation, table) => {
    const key = primaryKeys.filter((c) => columns[c]!.table === table).map((c) => columns[c]!.name)
    if (key.length > 0) applyConstraint(relation, { kind: 'primary-key', name: null, columns: key }, line, reading)
  })
  for (const [from, to] of foreignKeys) {
    const [own, other] = [columns[from]!, columns[to]!]
    const key = {
      name: null,
      columns: [own.name],
      database: name,
      table: tables[other.table]!,
      referenced: [other.name],
      enforced: true,
      line,
    }
    applyConstraint(relations[own.table]!, { kind: 'foreign-key', key }, line, reading)
  }
}

function columnOf(name: string, written: string | null, line: number): Column {
  const type = written === null ? null : parseType(written)
  return {
    ...{ name, type, nullable: true, isPartition: null, ordinal: null, line },
    written: type ? printType(type) : written,
  }
}
