import type { ParseTree } from '#dt-sql-parser'
import { closest } from '../../util/closest.js'
import { messageOf } from '../../util/error.js'
import { type Problem, problem } from '../../util/problem.js'
import { type Estate, newEstate } from '../ddl/ddl-estate.js'
import { factsOf } from '../ddl/ddl-facts.js'
import { recordQuery } from '../ddl/ddl-queries.js'
import { dropRelation, suggestion } from '../ddl/ddl-relations.js'
import { alter } from '../ddl/hive-alter.js'
import { commentOf, createTable, createView, type HiveReading, keyValues, reportMissing } from '../ddl/hive-tables.js'
import type { ParsedSource, SourceContext } from '../fact.js'
import { resolveQuery } from '../lineage/hive-lineage.js'
import { type RowSource, readInserts, readQuery, tableName } from '../lineage/hive-query.js'
import { below, child, childrenOf, identifiers, lineOf, literal, parseHive, type Rule, ruleOf } from '../lineage/hive-tree.js'
import { foldHive, qualify } from '../sql/names.js'
import { definitionsWithin, type Filled, fillVariables, isBlank, linesOf, nextStatement, type Statement } from '../sql/sql-text.js'
import { type Source, wholeText } from './source.js'

/**
 * DDL and queries of Hive. A script is cut into statements first, each is parsed for itself (dt-sql-parser), and what they say is
 * gathered in order; facts are written at the end. A statement that does not parse is one problem with its line and column.
 */
export const hiveDdl: Source = {
  name: 'Hive DDL',
  extensions: ['.hql', '.sql', '.ddl', '.hive'],
  looksLike: (head) => /^(?:\s|--[^\n]*\n|\/\*[\s\S]*?\*\/)*(?:create|drop|alter|use|set|insert|with|select|from|analyze)\b/i.test(head),
  parse: async (text, context) => parseHiveDdl(await wholeText(text), context),
}

function parseHiveDdl(script: string, context: SourceContext): ParsedSource {
  const reader = new ScriptReader(script, context)
  reader.read()
  const { facts, problems } = factsOf(reader.estate, context)
  return { facts, problems: [...reader.problems, ...problems] }
}

/** Statements that say nothing about the catalog. */
const ignored =
  /^(?:analyze|msck|grant|revoke|show|describe|desc|explain|add|delete\s+(?:jar|file)|list|dfs|reload|lock|unlock|truncate|load|export|import|reset|source|start|commit|rollback|abort|kill|prepare|execute|compile|quit|exit|create\s+(?:temporary\s+)?(?:function|macro|role|index|resource|pool|scheduled)|drop\s+(?:temporary\s+)?(?:function|macro|role|index|resource|pool|scheduled)|alter\s+(?:database|schema|index|resource|scheduled)|update|delete|merge|!)/i
/** A longer text that holds several definitions is a dump without semicolons: cut up before the parser sees it, which recovers slowly. */
const longestWhole = 200_000
const setting = /^set\s+(?:(?:hivevar|hiveconf):)?([^\s=]+)\s*=\s*([\s\S]*)$/i

class ScriptReader {
  readonly estate: Estate
  readonly problems: Problem[] = []
  private readonly place: (at: number) => { line: number; column: number }
  private readonly variables: Record<string, string>
  /** the FROM of a multi-insert, for the INSERTs that follow it in the same statement */
  private outer: readonly RowSource[] = []

  constructor(
    private readonly script: string,
    private readonly context: SourceContext,
  ) {
    this.estate = newEstate('hive-ddl', foldHive, context.defaultDatabase ?? 'default')
    this.variables = { ...context.variables }
    this.place = linesOf(script)
  }

  read(): void {
    let at = 0
    for (let statement = nextStatement(this.script, at); statement; statement = nextStatement(this.script, at))
      at = this.statement(statement)
  }

  /** Reads one statement; answers where the next one begins. */
  private statement(statement: Statement): number {
    const next = statement.end + 1
    const raw = this.script.slice(statement.start, statement.end)
    if (isBlank(raw)) return next
    const body = withoutLeading(raw)
    const start = statement.start + raw.length - body.length
    const set = setting.exec(body)
    if (set) this.variables[set[1]!] ??= set[2]!.trim()
    if (set || /^set\b/i.test(body)) return next
    if (ignored.test(body)) {
      this.ignore(start, body)
      return next
    }
    const filled = fillVariables(body, this.variables)
    if (filled.unset.length > 0) this.unset(filled, start)
    else if (!this.parse(filled, start, statement)) return statement.resume ?? next
    return next
  }

  /** Reads each definition of a statement that does not parse as one for itself; false where there is only one. */
  private parts(text: string, start: number): boolean {
    const cuts = definitionsWithin(text)
    if (cuts.length === 0) return false
    const bounds = [0, ...cuts, text.length]
    for (const [i, from] of bounds.slice(0, -1).entries()) this.statement({ start: start + from, end: start + bounds[i + 1]! })
    return true
  }

  private report(at: number, found: Omit<Problem, 'where' | 'severity'> & { severity?: Problem['severity'] }): void {
    const { line, column } = this.place(at)
    this.problems.push(problem({ ...found, where: `${this.context.file}:${line}:${column}` }))
  }

  private ignore(at: number, text: string): void {
    this.report(at, {
      severity: 'info',
      code: 'ignored-statement',
      found: text.replace(/\s+/g, ' '),
      expected: 'a statement that defines tables, views or flows (this one was passed over)',
    })
  }

  private unset(filled: Filled, start: number): void {
    for (const { name, at, suggestion: meant } of new Map(filled.unset.map((u) => [u.name, u])).values())
      this.report(start + at, {
        code: 'unset-variable',
        found: `\${${name}} without a value`,
        expected: `a value for the variable "${name}" (the statement was passed over)`,
        suggestion: meant ?? `Give it among the ingest's variables, as ${name.replace(/^\w+:/, '')}=….`,
      })
  }

  /** False where the statement does not parse, and the problem is told. */
  private parse(filled: Filled, start: number, statement: Statement): boolean {
    const original = (at: number) => start + filled.original(at)
    if (filled.text.length > longestWhole && this.parts(this.script.slice(start, statement.end), start)) return true
    const { statements, error } = parseHive(filled.text)
    if (error) {
      if (statement.resume === undefined && this.parts(this.script.slice(start, statement.end), start)) return true
      this.syntax(error.message, original(error.at), filled.text, start, statement)
      return false
    }
    const offsets = pointOffsets(filled.text)
    const at = (node: ParseTree) => original(offsets(node.start?.start ?? 0))
    const reading: HiveReading = {
      estate: this.estate,
      line: (node) => this.place(at(node)).line,
      report: (node, found) => this.report(at(node), found),
    }
    this.outer = []
    for (const one of statements) this.dispatch(one, reading, original(0))
    return true
  }

  private syntax(message: string, at: number, text: string, start: number, { unterminated }: Statement): void {
    const word = /^\w+/.exec(text)?.[0] ?? ''
    const meant = openings.includes(word.toLowerCase()) ? undefined : closest(word, openings)
    if (unterminated)
      this.report(unterminated.opened, {
        code: 'ddl-syntax',
        found: `a ${unterminated.what} that is never closed`,
        expected: 'its end (the statement was passed over)',
      })
    else {
      const near = this.script
        .slice(at, at + 60)
        .replace(/\s+/g, ' ')
        .trim()
      this.report(at, {
        code: 'ddl-syntax',
        found: `${message.replace(/'\s*'/, 'the end')}${near === '' ? '' : `, near: ${near}`}`,
        expected: `Hive SQL (the statement from line ${this.place(start).line} on was passed over)`,
        ...suggestion(meant ? `Did you mean ${meant.toUpperCase()}?` : bareLetters(this.script.slice(at, at + 2))),
      })
    }
  }

  private dispatch(statement: ParseTree, reading: HiveReading, start: number): void {
    const node = innermost(statement)
    const rule = ruleOf(node)
    const handler = rule === null ? undefined : handlers[rule]
    try {
      if (rule === 'queryStatementExpression') this.query(node, reading)
      else if (!handler || handler(node, reading) === false) this.ignore(start, lineOf(statement))
    } catch (thrown) {
      // a shape of the tree that we did not foresee: told as what it is, and the other statements go on
      this.report(start, {
        code: 'ddl-unread',
        found: messageOf(thrown),
        expected: 'a statement that can be read',
        suggestion: 'Please report this statement.',
      })
    }
  }

  /** INSERT … SELECT and bare queries. */
  private query(node: ParseTree, reading: HiveReading): void {
    const text = lineOf(node)
    const line = reading.line(node)
    const { inserts, sources } = readInserts(node, this.outer)
    if (sources.length > 0) this.outer = sources
    for (const insert of inserts) {
      const resolved = resolveQuery(insert.query, this.estate)
      reportMissing(resolved, node, reading)
      recordQuery(this.estate, resolved, { text, line, insert })
    }
    if (inserts.length > 0) return
    const resolved = resolveQuery(readQuery(node), this.estate)
    reportMissing(resolved, node, reading)
    recordQuery(this.estate, resolved, { text, line })
  }
}

const openings = ['create', 'drop', 'alter', 'use', 'insert', 'with', 'select', 'from', 'analyze', 'set', 'grant', 'msck']

/** statement > execStatement > ddlStatement > the statement proper. */
function innermost(node: ParseTree): ParseTree {
  let at = node
  for (let rule = ruleOf(at); rule === 'statement' || rule === 'execStatement' || rule === 'ddlStatement'; rule = ruleOf(at)) {
    const inner = childrenOf(at).find((c) => ruleOf(c) !== null)
    if (!inner) return at
    at = inner
  }
  return at
}

type Handler = (node: ParseTree, reading: HiveReading) => unknown

/** A statement's rule -> what reads it. False: it says nothing about the catalog. */
const handlers: Partial<Record<Rule, Handler>> = {
  createDatabaseStatement: createDatabase,
  switchDatabaseStatement: (node, { estate }) => {
    estate.database = identifiers(child(node, 'dbSchemaName'))[0] ?? estate.database
  },
  createTableStatement: createTable,
  createViewStatement: createView,
  createMaterializedViewStatement: createView,
  alterStatement: alter,
  dropTableStatement: (node, reading) => drop(node, 'Table', reading),
  dropViewStatement: (node, reading) => drop(node, 'View', reading),
  dropMaterializedViewStatement: (node, reading) => drop(node, 'View', reading),
  dropDatabaseStatement: dropDatabase,
}

/** Hive's names without back-ticks know the letters of ASCII alone. */
const bareLetters = (found: string): string | undefined =>
  /^(?![a-z])\p{L}/iu.test(found) ? 'Put names with letters beyond ASCII into back-ticks.' : undefined

function createDatabase(node: ParseTree, { estate, line }: HiveReading): void {
  const name = identifiers(child(node, 'dbSchemaNameCreate'))[0]!
  const location = literal(child(node, 'locationPath'))
  const properties = {
    ...commentOf(node),
    ...(location === undefined ? {} : { location }),
    ...keyValues(child(node, 'keyValueProperties'), 'database_properties'),
  }
  estate.databases.set(foldHive(name), { name, properties, line: line(node) })
  estate.dropped.delete(qualify(foldHive(name)))
}

function drop(node: ParseTree, kind: 'Table' | 'View', reading: HiveReading): void {
  const named = below(node, ['tableName', 'viewName'])[0]
  if (named) dropRelation(tableName(named), kind, node, reading)
}

function dropDatabase(node: ParseTree, { estate, line }: HiveReading): void {
  const name = foldHive(identifiers(child(node, 'dbSchemaName'))[0]!)
  estate.databases.delete(name)
  for (const [key, relation] of estate.relations) if (foldHive(relation.database) === name) estate.relations.delete(key)
  estate.dropped.set(qualify(name), { kind: 'Database', line: line(node) })
}

/** A statement without the white space and comments before it. */
const withoutLeading = (text: string): string => text.replace(/^(?:\s|--[^\n]*(?:\n|$)|\/\*(?!\+)[\s\S]*?\*\/)+/, '')

/** Code point offset -> code unit offset; the same where the text has no character beyond the basic plane. */
function pointOffsets(text: string): (point: number) => number {
  if (!/[\u{10000}-\u{10ffff}]/u.test(text)) return (point) => point
  const units: number[] = []
  let unit = 0
  for (const character of text) {
    units.push(unit)
    unit += character.length
  }
  return (point) => units[point] ?? text.length
}
