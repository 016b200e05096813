import type { ParseTree } from '#dt-sql-parser'
import type { Properties } from '../../vocabulary.js'
import { type Column, type Estate, type ForeignKey, findColumn, type Relation } from './hive-estate.js'
import { columnNames, tableName } from './hive-query.js'
import { below, child, children, hasWord, identifier, lineOf, literal, path, ruleOf, textOf } from './hive-tree.js'
import { decodeString, parseType, printType } from './type-tree.js'

/** A key or a rule that a table declares, at column or at table level. */
export type Constraint =
  | { kind: 'primary-key' | 'unique'; name: string | null; columns: string[] }
  | { kind: 'check'; name: string | null; expression: string }
  | { kind: 'foreign-key'; key: ForeignKey }

type LineOf = (node: ParseTree) => number

/** `columnNameTypeConstraint`, `columnNameType` or the words of CHANGE COLUMN -> a column, and what it declares beside itself. */
export function readColumn(node: ParseTree, estate: Estate, line: LineOf): { column: Column; constraints: Constraint[] } {
  const name = columnName(child(node, 'columnNameCreate')!)
  const written = typeText(child(node, 'columnType'))
  const type = written === null ? null : parseType(written)
  const column: Column = { name, type, written, nullable: true, isPartition: false, ordinal: null, line: line(node) }
  // the comment is the first quoted word of CHANGE COLUMN and of a column alike
  const comment = hasWord(node, 'comment') ? literal(node) : undefined
  if (comment !== undefined) column.comment = comment
  const holder = child(node, 'columnConstraint') ?? child(node, 'alterColumnConstraint')
  const constraints = holder ? columnConstraint(holder, column, estate, line) : []
  return { column, constraints }
}

const columnName = (node: ParseTree): string => identifier(below(node, ['id_'])[0] ?? node)

/** The type as written, on one line and without spaces around its signs. */
function typeText(node: ParseTree | undefined): string | null {
  if (!node) return null
  const text = textOf(node)
    .replace(/--[^\n]*/g, ' ')
    .replace(/\s+/g, ' ')
    .trim()
  const tree = parseType(text)
  return tree?.fields || !tree ? text : printType(tree)
}

function columnConstraint(holder: ParseTree, column: Column, estate: Estate, line: LineOf): Constraint[] {
  const foreign = child(holder, 'foreignKeyConstraint')
  if (foreign) {
    const referenced = children(foreign, 'columnName').map((c) => below(c, ['id_']).map(identifier).join('.'))
    return [{ kind: 'foreign-key', key: foreignKey(foreign, [column.name], referenced, estate, line) }]
  }
  const own = child(holder, 'colConstraint') ?? child(holder, 'alterColConstraint')
  const what = child(own, 'columnConstraintType')
  if (!what) return []
  const name = constraintName(own!)
  const value = child(what, 'defaultVal')
  const check = child(what, 'checkConstraint')
  const kind = child(what, 'tableConstraintType')
  if (value) column.defaultValue = unquoted(lineOf(value))
  else if (check) column.check = checkText(check)
  else if (kind) return [{ kind: keyKind(kind), name, columns: [column.name] }]
  else if (hasWord(what, 'not')) column.nullable = false
  return []
}

const unquoted = (text: string): string => (/^(['"])[\s\S]*\1$/.test(text) ? decodeString(text) : text)
const keyKind = (node: ParseTree): 'primary-key' | 'unique' =>
  hasWord(node, 'unique') || /^unique/i.test(node.getText()) ? 'unique' : 'primary-key'
const checkText = (node: ParseTree): string => lineOf(child(node, 'expression') ?? node)
const constraintName = (node: ParseTree): string | null => (child(node, 'id_') ? identifier(child(node, 'id_')!) : null)

function foreignKey(node: ParseTree, columns: string[], referenced: string[], estate: Estate, line: LineOf): ForeignKey {
  const target = tableName(child(node, 'tableName')!)
  const options = lineOf(child(node, 'constraintOptsCreate') ?? child(node, 'constraintOptsAlter') ?? node).toLowerCase()
  return {
    name: constraintName(node),
    columns,
    database: target.database ?? estate.database,
    table: target.name,
    referenced,
    enforced: /\benable\b/.test(options),
    rely: /(?<!no)\brely\b/.test(options) && !/\bnorely\b/.test(options),
    line: line(node),
  }
}

/** `createForeignKey`, `createConstraint` and their ALTER twins -> the constraint. */
export function readConstraint(node: ParseTree, estate: Estate, line: LineOf): Constraint | null {
  const rule = ruleOf(node)
  if (rule === 'createForeignKey' || rule === 'alterForeignKeyWithName') {
    const [own = [], referenced = []] = children(node, 'columnParenthesesList').map((list) => columnNames(child(list, 'columnNameList')!))
    return { kind: 'foreign-key', key: foreignKey(node, own, referenced, estate, line) }
  }
  const name = constraintName(node)
  const level = child(node, 'tableLevelConstraint')
  const check = child(level, 'checkConstraint')
  if (check) return { kind: 'check', name, expression: checkText(check) }
  const key = child(level, 'pkUkConstraint')
  const list = path(key, 'columnParenthesesList', 'columnNameList')
  return key && list ? { kind: keyKind(child(key, 'tableConstraintType')!), name, columns: columnNames(list) } : null
}

/** Writes a constraint into its table. `unknown` hears of columns that a complete table does not have. */
export function applyConstraint(relation: Relation, constraint: Constraint, line: number, unknown: (column: string) => void): void {
  if (constraint.kind === 'foreign-key') {
    const missing = relation.complete ? constraint.key.columns.filter((c) => !findColumn(relation, c)) : []
    missing.forEach(unknown)
    if (missing.length === 0) relation.foreignKeys.push(constraint.key)
    return
  }
  if (constraint.kind === 'check') {
    append(relation.properties, 'checks', named(constraint.name, { expression: constraint.expression }))
    return
  }
  const columns = constraint.columns.flatMap((name) => {
    const column = findColumn(relation, name) ?? (relation.complete ? undefined : addPartial(relation, name, line))
    if (!column) unknown(name)
    return column ? [column] : []
  })
  if (constraint.kind === 'unique') {
    append(relation.properties, 'uniques', named(constraint.name, { columns: constraint.columns }))
    if (columns.length === 1) columns[0]!.isUnique = true
    return
  }
  for (const column of columns) column.isPrimaryKey = true
  relation.properties['primary_key'] = constraint.columns
  if (constraint.name) relation.properties['primary_key_name'] = constraint.name
}

const named = (name: string | null, rest: Properties): Properties => (name === null ? rest : { name, ...rest })

function append(properties: Properties, key: string, value: Properties): void {
  const list = properties[key]
  properties[key] = Array.isArray(list) ? [...list, value] : [value]
}

/** A column of a table from another file, of which only a constraint is known. */
function addPartial(relation: Relation, name: string, line: number): Column {
  const column: Column = { name, type: null, written: null, nullable: true, isPartition: false, ordinal: null, line, partial: true }
  relation.columns.push(column)
  return column
}
