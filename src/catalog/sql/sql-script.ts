import { closest } from '../../util/closest.js'
import { messageOf } from '../../util/error.js'
import { type Problem, problem } from '../../util/problem.js'
import type { TypeTree } from '../../vocabulary.js'
import { type Estate, newEstate, relationKey } from '../ddl/ddl-estate.js'
import { factsOf } from '../ddl/ddl-facts.js'
import type { ParsedSource, SourceContext } from '../fact.js'
import type { SqlDialect } from './sql-dialect.js'
import { TokenReader, Unexpected } from './sql-reader.js'
import type { SqlReading } from './sql-reading.js'
import { creations, otherVerbs, statements, verbs } from './sql-statements.js'
import { fillVariables, linesOf } from './sql-text.js'
import { type Lexed, lexStatement } from './sql-tokens.js'

/**
 * Reads a script of a dialect, statement by statement: what it understands is gathered in order, facts are written at the end, and what
 * says nothing about the catalog (rows, rights, routines) is counted in one note per kind. A bad statement is a problem with its place.
 */
export function parseSqlScript(script: string, dialect: SqlDialect, context: SourceContext): ParsedSource {
  const reader = new SqlScript(script.replace(/^\uFEFF/, ''), dialect, context)
  reader.read()
  closeOpenKeys(reader.estate)
  const { facts, problems } = factsOf(reader.estate, context)
  return { facts, problems: [...reader.problems, ...reader.ignoredNotes(), ...problems] }
}

/** REFERENCES without columns means the primary key of the other table. */
function closeOpenKeys(estate: Estate): void {
  for (const relation of estate.relations.values())
    for (const key of relation.foreignKeys) {
      const target = estate.relations.get(relationKey(estate, { database: key.database, name: key.table }))
      const primary = target?.properties['primary_key']
      if (key.referenced.length === 0 && Array.isArray(primary)) key.referenced = primary as string[]
    }
}

class SqlScript {
  readonly estate: Estate
  readonly problems: Problem[] = []
  private readonly script: string
  private readonly unset: readonly { name: string; at: number; suggestion?: string }[]
  private readonly original: (at: number) => number
  private readonly place: (at: number) => { line: number; column: number }
  private readonly ignored = new Map<string, { count: number; at: number }>()
  private readonly userTypes = new Map<string, TypeTree>()
  private delimiter = ';'
  private readonly reading: SqlReading

  constructor(
    source: string,
    private readonly dialect: SqlDialect,
    private readonly context: SourceContext,
  ) {
    const filled = fillVariables(source, context.variables ?? {})
    this.script = filled.text
    this.unset = filled.unset
    this.original = filled.original
    this.place = linesOf(source)
    this.estate = newEstate(dialect.dialect, dialect.fold, context.defaultDatabase ?? dialect.defaultDatabase)
    this.reading = {
      estate: this.estate,
      dialect,
      userTypes: this.userTypes,
      line: (at) => this.place(this.original(at)).line,
      report: (at, found) => this.report(at, found),
    }
  }

  read(): void {
    for (let at = 0; at < this.script.length; ) {
      const lexed = lexStatement(this.script, at, this.dialect, this.delimiter)
      if (!lexed) break
      this.delimiter = lexed.delimiter ?? this.delimiter
      at = lexed.tokens.length === 0 && !lexed.unterminated ? lexed.next : this.statement(lexed)
    }
  }

  /** One info for every kind of statement that was passed over. */
  ignoredNotes(): Problem[] {
    return [...this.ignored].map(([verb, { count, at }]) =>
      problem({
        severity: 'info',
        code: 'ignored-statement',
        where: this.where(at),
        found: count === 1 ? verb : `${verb}, ${count.toLocaleString('en')} times`,
        expected: 'statements that define tables, views or flows (these were passed over)',
      }),
    )
  }

  private where(at: number): string {
    const { line, column } = this.place(this.original(at))
    return `${this.context.file}:${line}:${column}`
  }

  private report(at: number, found: Omit<Problem, 'where' | 'severity'> & { severity?: Problem['severity'] }): void {
    this.problems.push(problem({ ...found, where: this.where(at) }))
  }

  /** Reads one statement; answers where the next one begins. */
  private statement(lexed: Lexed): number {
    const { tokens, start, end, next, unterminated, swallowed } = lexed
    const isUnset = this.unset.filter(({ at }) => at >= this.original(start) && at < this.original(end))
    const before = this.problems.length
    const r = new TokenReader(tokens, end)
    try {
      if (unterminated) throw new Unexpected(unterminated.at, `a ${unterminated.what} that is never closed`, 'its end')
      const isRead = isUnset.length > 0 ? this.tellUnset(isUnset) : this.dispatch(r)
      if (!isRead) this.ignore(r, start)
      if (swallowed && this.problems.length > before)
        throw new Unexpected(swallowed.at, 'a text that holds statements', 'its end before them')
    } catch (thrown) {
      this.problems.length = before
      this.refuse(thrown, start, tokens[0]?.text ?? '')
      return swallowed?.resume ?? next
    }
    return this.dialect.hasDollarQuotes && isCopy(tokens) ? this.skipRows(next) : next
  }

  private tellUnset(unset: SqlScript['unset']): true {
    for (const { name, at, suggestion } of new Map(unset.map((u) => [u.name, u])).values()) {
      const { line, column } = this.place(at)
      this.problems.push(
        problem({
          where: `${this.context.file}:${line}:${column}`,
          code: 'unset-variable',
          found: `\${${name}} without a value`,
          expected: `a value for the variable "${name}" (the statement was passed over)`,
          suggestion: suggestion ?? `Give it among the ingest's variables, as ${name.replace(/^\w+:/, '')}=….`,
        }),
      )
    }
    return true
  }

  private refuse(thrown: unknown, start: number, word: string): void {
    if (!(thrown instanceof Unexpected)) {
      // a shape that we did not foresee: told as what it is, and the other statements go on
      this.report(start, {
        code: 'ddl-unread',
        found: messageOf(thrown),
        expected: 'a statement that can be read',
        suggestion: 'Please report this statement.',
      })
      return
    }
    const meant = verbs.includes(word.toLowerCase()) ? undefined : closest(word, verbs)
    this.report(thrown.at, {
      code: 'ddl-syntax',
      found: thrown.found,
      expected: `${thrown.expected} (the statement from line ${this.reading.line(start)} on was passed over)`,
      ...(meant ? { suggestion: `Did you mean ${meant.toUpperCase()}?` } : {}),
    })
  }

  private ignore(r: TokenReader, at: number): void {
    const verb = r.tokens[0]?.text ?? ''
    const isKnown = r.tokens[0]?.kind === 'word' && (verbs.includes(verb.toLowerCase()) || otherVerbs.has(verb.toLowerCase()))
    if (!isKnown) throw new Unexpected(at, `"${verb}"`, `a statement of ${this.dialect.title}`)
    const words = r.tokens.slice(
      0,
      verb.toLowerCase() === 'create' || verb.toLowerCase() === 'drop' || verb.toLowerCase() === 'alter' ? 2 : 1,
    )
    const kind = words.map((t) => t.text.toLowerCase()).join(' ')
    const known = this.ignored.get(kind)
    if (known) known.count++
    else this.ignored.set(kind, { count: 1, at })
  }

  /** False: the statement says nothing about the catalog. */
  private dispatch(r: TokenReader): boolean {
    // Flink: EXECUTE STATEMENT SET BEGIN INSERT …; INSERT …; END
    if (r.takeWords('execute', 'statement', 'set') || r.takeWords('begin', 'statement', 'set')) r.takeWords('begin')
    if (r.atEnd) return false
    const verb = this.verb(r)
    const handler = Object.hasOwn(statements, verb) ? statements[verb] : undefined
    if (!handler) return false
    r.next()
    return handler(r, this.reading, this.userTypes) !== false
  }

  /** The statement's first word. `REATE TABLE t (` can only mean one thing: it is read so, with a warning. */
  private verb(r: TokenReader): string {
    const written = r.word()
    const isKnown = verbs.includes(written) || otherVerbs.has(written)
    if (isKnown || !Object.hasOwn(creations, r.word(1)) || closest(written, ['create']) === undefined) return written
    this.report(r.place, {
      severity: 'warning',
      code: 'misspelled-verb',
      found: `"${r.peek()!.text} ${r.peek(1)!.text}"`,
      expected: 'CREATE (it was read as such)',
    })
    return 'create'
  }

  private skipRows(at: number): number {
    const close = /^\\\.[ \t]*\r?$/gm
    close.lastIndex = at
    return close.test(this.script) ? close.lastIndex : at
  }
}

const isCopy = (tokens: Lexed['tokens']): boolean =>
  /^copy$/i.test(tokens[0]?.text ?? '') && tokens.some((t) => t.kind === 'word' && t.text.toLowerCase() === 'stdin')
