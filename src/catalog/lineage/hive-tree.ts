import { HiveSQL, type ParseTree } from '#dt-sql-parser'
import { decodeString } from '../sql/type-tree.js'

/** The rules of dt-sql-parser's Hive grammar that we read (a test checks that the bundle has each). */
export const rules = [
  'alterColConstraint',
  'alterColumnConstraint',
  'alterConstraintWithName',
  'alterForeignKeyWithName',
  'alterStatement',
  'alterTableStatementSuffix',
  'alterTblPartitionStatementSuffix',
  'alterViewStatementSuffix',
  'atomExpression',
  'atomSelectStatement',
  'atomjoinSource',
  'caseExpression',
  'castExpression',
  'checkConstraint',
  'colConstraint',
  'columnConstraint',
  'columnConstraintType',
  'columnName',
  'columnNameComment',
  'columnNameCommentList',
  'columnNameCreate',
  'columnNameList',
  'columnNameOrder',
  'columnNameOrderList',
  'columnNamePath',
  'columnNameType',
  'columnNameTypeConstraint',
  'columnNameTypeList',
  'columnNameTypeOrConstraint',
  'columnNameTypeOrConstraintList',
  'columnParenthesesList',
  'columnType',
  'constant',
  'constraintOptsAlter',
  'constraintOptsCreate',
  'createConstraint',
  'createDatabaseStatement',
  'createForeignKey',
  'createMaterializedViewStatement',
  'createTablePartitionColumnTypeSpec',
  'createTablePartitionSpec',
  'createTableStatement',
  'createViewStatement',
  'cteStatement',
  'databaseComment',
  'dbSchemaName',
  'dbSchemaNameCreate',
  'ddlStatement',
  'defaultVal',
  'destination',
  'dropDatabaseStatement',
  'dropMaterializedViewStatement',
  'dropTableStatement',
  'dropViewStatement',
  'enableSpecification',
  'enableValidateSpecification',
  'execStatement',
  'explainStatement',
  'expression',
  'expressionOrDefault',
  'expressions',
  'expressionsInParenthesis',
  'expressionsNotInParenthesis',
  'firstExpressionsWithAlias',
  'floorExpression',
  'extractExpression',
  'foreignKeyConstraint',
  'fromClause',
  'fromSource',
  'fromStatement',
  'function_',
  'functionNameForInvoke',
  'havingClause',
  'id_',
  'ifExists',
  'ifNotExists',
  'insertClause',
  'joinSource',
  'joinSourcePart',
  'joinToken',
  'keyValueProperties',
  'keyValueProperty',
  'keyValuePropertyList',
  'lateralView',
  'likeTableOrFile',
  'locationPath',
  'partitionSpec',
  'partitionVal',
  'partitionTransformSpec',
  'pkUkConstraint',
  'poolPath',
  'poolPathAllowEmpty',
  'primitiveType',
  'qualifyClause',
  'queryStatementExpression',
  'queryStatementExpressionBody',
  'regularBody',
  'relySpecification',
  'restrictOrCascade',
  'rowFormatSerde',
  'selectClause',
  'selectExpression',
  'selectExpressionColumnName',
  'selectItem',
  'selectList',
  'selectLiteralColumnName',
  'selectStatement',
  'selectStatementWithCTE',
  'setOpSelectStatement',
  'setOperator',
  'singleFromStatement',
  'statement',
  'subQueryExpression',
  'subQuerySource',
  'switchDatabaseStatement',
  'tableAlias',
  'tableAllColumns',
  'tableBuckets',
  'tableComment',
  'tableConstraint',
  'tableConstraintType',
  'tableFileFormat',
  'tableLevelConstraint',
  'tableName',
  'tableNameCreate',
  'tableOrPartition',
  'tableOrView',
  'tableProperties',
  'tablePropertiesPrefixed',
  'tableRowFormat',
  'tableSkewed',
  'tableSource',
  'trfmClause',
  'type',
  'valuesClause',
  'viewName',
  'viewNameCreate',
  'whenExpression',
  'whereClause',
  'window_clause',
  'window_specification',
  'withClause',
] as const
export type Rule = (typeof rules)[number]

const hive = new HiveSQL()
const ruleNames = hive.createParser('').ruleNames as readonly Rule[]

export interface SyntaxError {
  message: string
  /** offset in the text, in code units */
  at: number
}

/** The statements of one text and the first thing that is wrong with it, if anything is. */
export function parseHive(text: string): { statements: ParseTree[]; error: SyntaxError | null } {
  let error: SyntaxError | null = null
  try {
    const program = hive.parse(text, (e) => {
      error ??= { message: e.message, at: offsetOf(text, e.startLine, e.startColumn) }
    })
    return { statements: children(program, 'statement'), error }
  } catch (thrown) {
    // the parser goes down one call per level and grammar rule: some 300 parentheses in one another are too many
    if (!(thrown instanceof RangeError)) throw thrown
    return { statements: [], error: { message: 'an expression nested too deeply to be read', at: 0 } }
  }
}

/** Code units before a line and column (both from 1; columns count code points). */
function offsetOf(text: string, line: number, column: number): number {
  let start = 0
  for (let i = 1; i < line; i++) start = text.indexOf('\n', start) + 1
  const newline = text.indexOf('\n', start)
  const points = [...text.slice(start, newline < 0 ? text.length : newline)].slice(0, column - 1)
  return start + points.join('').length
}

/** The rule of a node; null for a terminal. */
export const ruleOf = (node: ParseTree): Rule | null =>
  node.ruleIndex === undefined || node.ruleIndex < 0 ? null : ruleNames[node.ruleIndex]!

export const childrenOf = (node: ParseTree): readonly ParseTree[] => node.children ?? []

/** The first direct child of a rule. */
export const child = (node: ParseTree | null | undefined, rule: Rule): ParseTree | undefined =>
  node ? childrenOf(node).find((c) => ruleOf(c) === rule) : undefined

/** The direct children of a rule. */
export const children = (node: ParseTree | null | undefined, rule: Rule): ParseTree[] =>
  node ? childrenOf(node).filter((c) => ruleOf(c) === rule) : []

/** Follows direct children, rule by rule. */
export const path = (node: ParseTree | undefined, ...steps: readonly Rule[]): ParseTree | undefined =>
  steps.reduce<ParseTree | undefined>((n, step) => child(n, step), node)

/** The nearest nodes of one of the rules below a node, in order; does not look inside those found nor inside `closed`. */
export function below(node: ParseTree | undefined, wanted: readonly Rule[], closed: readonly Rule[] = []): ParseTree[] {
  const found: ParseTree[] = []
  const visit = (n: ParseTree) => {
    for (const c of childrenOf(n)) {
      const rule = ruleOf(c)
      if (rule && wanted.includes(rule)) found.push(c)
      else if (rule && !closed.includes(rule)) visit(c)
    }
  }
  if (node) visit(node)
  return found
}

/** Is this key word a direct child? */
export const hasWord = (node: ParseTree | undefined, word: string): boolean =>
  node !== undefined && childrenOf(node).some((c) => ruleOf(c) === null && c.getText().toLowerCase() === word)

/** The text of a node as it stands in the source, spaces and comments included. */
export function textOf(node: ParseTree): string {
  const start = node.start ?? node.symbol
  const stop = node.stop ?? node.symbol
  if (!start || !stop || stop.stop < start.start) return ''
  return start.inputStream?.getText(start.start, stop.stop) ?? node.getText()
}

const quotedOrSpace = /('(?:[^'\\]|\\[\s\S])*'|"(?:[^"\\]|\\[\s\S])*"|`[^`]*`)|(?:\s|--[^\n]*|\/\*(?!\+)[\s\S]*?\*\/)+/g

/** The text of a node on one line: comments dropped, white space outside quotes collapsed. */
export const lineOf = (node: ParseTree): string =>
  textOf(node)
    .replace(quotedOrSpace, (_, quoted) => quoted ?? ' ')
    .trim()

/** An identifier without its back-ticks. */
export function identifier(node: ParseTree): string {
  const text = node.getText()
  return text.startsWith('`') ? text.slice(1, -1).replaceAll('``', '`') : text
}

/** The identifiers that are direct children of a node: the parts of a dotted name. */
export const identifiers = (node: ParseTree | undefined): string[] => children(node, 'id_').map(identifier)

/** The value of the first quoted literal among the direct children. */
export function literal(node: ParseTree | undefined, nth = 0): string | undefined {
  if (!node) return undefined
  const quoted = childrenOf(node).filter((c) => ruleOf(c) === null && /^['"]/.test(c.getText()))
  return quoted[nth] === undefined ? undefined : decodeString(quoted[nth].getText())
}

/** Goes down through nodes of an expression that do nothing: single children and parentheses around one expression. */
export function unwrap(node: ParseTree): ParseTree {
  let at = node
  for (;;) {
    const rule = ruleOf(at)
    const parts = childrenOf(at)
    if (rule === 'expressionsInParenthesis') {
      const list = children(child(at, 'expressionsNotInParenthesis'), 'expressionOrDefault')
      if (list.length !== 1) return at
      at = list[0]!
    } else if (parts.length === 1 && ruleOf(parts[0]!) !== null && rule !== 'poolPath' && rule !== 'poolPathAllowEmpty') at = parts[0]!
    else return at
  }
}

/** The parts of a name, where a node is nothing else. */
export function dottedName(node: ParseTree): string[] | null {
  const rule = ruleOf(node)
  return rule === 'poolPath' || rule === 'poolPathAllowEmpty' ? identifiers(node) : null
}
