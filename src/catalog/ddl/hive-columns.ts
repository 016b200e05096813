import type { ParseTree } from '#dt-sql-parser'
import { columnNames, tableName } from '../lineage/hive-query.js'
import { below, child, children, hasWord, identifier, lineOf, literal, path, ruleOf, textOf } from '../lineage/hive-tree.js'
import { decodeString, parseType, printType } from '../sql/type-tree.js'
import type { Constraint } from './ddl-constraints.js'
import type { Column, Estate, ForeignKey } from './ddl-estate.js'

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
