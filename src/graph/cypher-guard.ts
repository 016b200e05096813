import { didYouMean } from '../util/closest.js'
import { type Problem, problem } from '../util/problem.js'
import { findUnboundedHops, isUnboundedQuantifier, mostHops } from './cypher-bounds.js'
import { Edits } from './cypher-edits.js'
import { type Branch, type Clause, columnsOf, cutRows, quoteKeyword } from './cypher-rows.js'
import { closing, printTokens, Refusal, type Token, tokenize } from './cypher-tokenizer.js'
import { enclosing, hideOwnNode, type Sightings } from './cypher-visible.js'
import {
  allowedFunctions,
  allowedProcedures,
  type ClauseWord,
  clauseWords,
  hiddenLabel,
  isClauseWord,
  type OperatorRole,
  operatorWords,
  pathFunctions,
  refusedClauses,
  refusedWords,
  subqueryWords,
} from './cypher-words.js'
import { type GapName, grafeoGaps, missingFunctions, sameFunctions } from './grafeo-gaps.js'

/** A query that only reads, as it may be run. */
export interface GuardedCypher {
  ok: true
  /** the text to run: printed from the tokens, cut at the row limit where Cypher allows it */
  text: string
  /** names of the result's columns as the text spells them; null where it says `*` or calls a procedure */
  columns: string[] | null
}

export interface GuardOptions {
  /** which engine will run it (default `neo4j`): what Grafeo lacks (grafeo-gaps.ts) is refused with a hint, or rewritten */
  engine?: 'neo4j' | 'grafeo'
  /** rows at most: `LIMIT rows + 1` is added, or replaces a larger one, so that a cut can be told from an end (default: nothing added) */
  rows?: number
}

const longest = 100_000
const deepest = 60

/**
 * Lets through what is plainly a read and nothing else: every clause, procedure and function must be in the tables of cypher-words.ts,
 * every word must stand where an operand or an operator may stand. Answers the text to run, or the Problem with its place. Bracket by
 * bracket it follows the text twice as strictly as needed: a word that could begin a clause it does not know is refused, so a newer
 * server's clauses are refused too.
 */
export function guardCypher(text: string, options: GuardOptions = {}): GuardedCypher | Problem {
  try {
    if (text.length > longest)
      throw new Refusal(0, `${text.length} characters`, `at most ${longest} characters`, 'Pass values as parameters')
    const tokens = tokenize(text)
    while (tokens.at(-1)?.text === ';') tokens.pop()
    if (tokens.length === 0) throw new Refusal(0, '', 'a query', 'Begin with MATCH … RETURN …')
    const reader = new QueryReader(tokens, options.engine ?? 'neo4j')
    const branches = reader.query(tokens.length, 0)
    hideOwnNode(tokens, reader.sightings, reader.edits)
    const columns = columnsOf(tokens, branches[0]!)
    const printable = options.engine === 'grafeo' ? tokens.map((t, i) => quoteKeyword(t, reader.names.has(i))) : tokens
    return { ok: true, text: printTokens(reader.edits.apply(cutRows(printable, branches, options.rows))), columns }
  } catch (thrown) {
    if (!(thrown instanceof Refusal)) throw thrown
    return problem({
      code: 'cypher-refused',
      where: `cypher:${lineAndColumn(text, thrown.at)}`,
      found: thrown.found,
      expected: thrown.expected,
      ...(thrown.suggestion === undefined ? {} : { suggestion: thrown.suggestion }),
    })
  }
}

function lineAndColumn(text: string, at: number): string {
  const lines = text.slice(0, at).split('\n')
  return `${lines.length}:${lines.at(-1)!.length + 1}`
}

interface ExpressionState {
  /** an operand stands before the cursor */
  afterOperand: boolean
  /** CASEs that wait for their END */
  cases: number
  /** in the pattern of a MATCH, before its WHERE */
  pattern: boolean
  /** depth of brackets */
  inside: number
}

class QueryReader {
  /** indices of the words that are properties, labels, types, keys or aliases */
  readonly names = new Set<number>()
  readonly edits = new Edits()
  readonly sightings: Sightings = { nodes: [], relationships: [], labels: [] }
  private at = 0
  constructor(
    private readonly tokens: readonly Token[],
    private readonly engine: 'neo4j' | 'grafeo',
  ) {}

  /** Refuses what the embedded engine lacks, and lets it pass on Neo4j. */
  private gap(name: GapName, at = this.at): void {
    if (this.engine === 'grafeo') this.refuse(`what the embedded graph can do (${grafeoGaps[name].reason})`, grafeoGaps[name].hint, at)
  }

  private text = (offset = 0) => this.tokens[this.at + offset]?.text ?? ''
  private upper = (offset = 0) => this.tokens[this.at + offset]?.upper ?? ''

  private refuse(expected: string, suggestion?: string, at = this.at): never {
    const token = this.tokens[at]
    throw new Refusal(
      token?.at ?? (this.tokens.at(-1)?.at ?? 0) + (this.tokens.at(-1)?.text.length ?? 0),
      token?.text ?? '',
      expected,
      suggestion,
    )
  }

  /** Reads clauses up to token `end`; `inside`: the depth of brackets (0 is the whole text). */
  query(end: number, inside: number): Branch[] {
    const branches: Branch[] = [[]]
    while (this.at < end) {
      const clause = this.clause(end, inside)
      if (clause.word === 'UNION') {
        this.checkBranch(branches.at(-1)!, inside)
        branches.push([])
      } else {
        this.checkOrder(branches.at(-1)!, clause)
        branches.at(-1)!.push(clause)
      }
    }
    this.checkBranch(branches.at(-1)!, inside)
    return branches
  }

  /** A branch ends with RETURN (and its ORDER BY, SKIP, LIMIT), or is one call of a listing procedure. */
  private checkBranch(branch: Branch, inside: number): void {
    const alone = branch.length === 1 && branch[0]!.word === 'CALL' && inside === 0 && this.tokens[branch[0]!.from + 1]?.kind === 'word'
    if (!alone && !branch.some((c) => c.word === 'RETURN')) this.refuse('RETURN at the end', 'A query must return something')
  }

  private checkOrder(branch: Branch, clause: Clause): void {
    const before = branch.at(-1)?.word
    const allowed: Partial<Record<ClauseWord, readonly (ClauseWord | undefined)[]>> = {
      WHERE: ['MATCH', 'OPTIONAL', 'WITH', 'ORDER', 'SKIP', 'LIMIT', 'CALL'],
      ORDER: ['RETURN', 'WITH'],
      SKIP: ['RETURN', 'WITH', 'ORDER'],
      LIMIT: ['RETURN', 'WITH', 'ORDER', 'SKIP'],
    }
    const places = allowed[clause.word]
    if (places && !places.includes(before)) this.refuse(`${clause.word} after ${places.join(', ')}`, undefined, clause.from)
    const returned = branch.some((c) => c.word === 'RETURN')
    if (returned && !['ORDER', 'SKIP', 'LIMIT'].includes(clause.word))
      this.refuse('the end of the query after RETURN', 'One statement at a time', clause.from)
  }

  private clause(end: number, inside: number): Clause {
    const from = this.at
    const word = this.clauseWord()
    this.at++
    if (word === 'OPTIONAL') this.keyword('MATCH')
    if (word === 'ORDER') this.keyword('BY')
    if (word === 'UNION' && ['ALL', 'DISTINCT'].includes(this.upper())) {
      if (this.upper() === 'DISTINCT' && this.engine === 'grafeo') this.edits.drop(this.at)
      this.at++
    }
    if (word === 'CALL') this.call(end, inside)
    else if (word !== 'UNION') {
      const start = this.at
      this.expression(end, inside, word === 'MATCH' || word === 'OPTIONAL')
      if (this.at === start) this.refuse(`something after ${word}`, 'A name that is a keyword must stand in back-ticks')
    }
    return { word, from, to: this.at }
  }

  private clauseWord(): ClauseWord {
    const { kind, text, upper } = this.tokens[this.at]!
    if (isClauseWord(upper)) return upper
    if (text === ';') this.refuse('one statement', 'Send statements one at a time')
    const known = refusedWords[upper] ?? refusedClauses[upper]
    if (known) this.refuse('a clause that reads', known)
    if (kind !== 'word') this.refuse(`a clause: ${clauseWords.join(', ')}`)
    this.refuse(`a clause: ${clauseWords.join(', ')} (unknown clause ${text})`, didYouMean(text, clauseWords))
  }

  private keyword(word: string): void {
    if (this.upper() !== word) this.refuse(word)
    this.at++
  }

  private call(end: number, inside: number): void {
    if (this.text() === '(') {
      const close = this.matching(this.at)
      this.at++
      this.expression(close, inside + 1, false, true)
      this.at = close + 1
      if (this.text() !== '{') this.refuse('{ after CALL (…)')
    }
    if (this.text() === '{') {
      this.subquery(inside, false)
      return
    }
    let name = ''
    const from = this.at
    while (this.tokens[this.at]?.kind === 'word' || this.text() === '.') {
      if (this.tokens[this.at]!.kind === 'word' && name !== '' && !name.endsWith('.')) break
      name += this.text()
      this.at++
    }
    if (!allowedProcedures.includes(name))
      this.refuse(
        `one of the procedures ${allowedProcedures.join(', ')}, not ${name || this.text()}`,
        didYouMean(name || this.text(), allowedProcedures),
        from,
      )
    if (this.text() === '(') {
      if (this.text(1) !== ')') this.refuse(`no arguments for ${name}`)
      this.at += 2
    } else this.edits.insert(this.at - 1, '()')
    const called = this.at - 1
    if (this.upper() === 'YIELD') {
      this.at++
      this.expression(end, inside, false)
    }
    if (name === 'db.labels') this.sightings.labels.push({ call: from - 1, called, end: this.at - 1 })
  }

  /** `{ … }` at the cursor: a query, or inside an expression also a bare pattern. */
  private subquery(inside: number, patternAllowed: boolean): void {
    if (inside >= deepest) this.refuse(`at most ${deepest} brackets deep`)
    const end = this.matching(this.at)
    this.at++
    if (patternAllowed && !isClauseWord(this.upper())) this.expression(end, inside + 1, true, true)
    else if (patternAllowed && !this.returns(end)) this.patternQuery(end, inside + 1)
    else this.query(end, inside + 1)
    if (this.at !== end) this.refuse('}')
    this.at = end + 1
  }

  /** `EXISTS { MATCH … WHERE … }`: RETURN may be left out. */
  private patternQuery(end: number, inside: number): void {
    while (this.at < end) {
      const clause = this.clause(end, inside)
      if (clause.word === 'UNION' || clause.word === 'RETURN') this.refuse('RETURN in every branch', undefined, clause.from)
    }
  }

  private returns(end: number): boolean {
    let depth = 0
    for (let i = this.at; i < end; i++) {
      const { text, upper } = this.tokens[i]!
      if (text in closing) depth++
      else if (')]}'.includes(text)) depth--
      else if (depth === 0 && (upper === 'RETURN' || upper === 'UNION')) return true
    }
    return false
  }

  /** Index of the bracket that closes the one at `open`. */
  private matching(open: number): number {
    const stack: string[] = []
    for (let i = open; i < this.tokens.length; i++) {
      const { text, kind } = this.tokens[i]!
      if (kind !== 'mark') continue
      if (text in closing) stack.push(closing[text]!)
      else if (')]}'.includes(text)) {
        if (stack.pop() !== text) this.refuse('brackets that match', undefined, i)
        if (stack.length === 0) return i
      }
      if (stack.length > deepest) this.refuse(`at most ${deepest} brackets deep`, undefined, i)
    }
    this.refuse(`${closing[this.tokens[open]!.text]}`, 'Close the bracket', open)
  }

  /**
   * Operands and operators up to `end` or, where clauses may follow (`nested` false), to the next clause's keyword. A word after an
   * operand must be an operator, else it begins a clause that is not known.
   */
  private expression(end: number, inside: number, pattern: boolean, nested = false): void {
    const state: ExpressionState = { afterOperand: false, cases: 0, pattern, inside }
    while (this.at < end) {
      const { kind, upper } = this.tokens[this.at]!
      if (kind === 'word' && !nested && isClauseWord(upper) && !this.isName()) return
      if (kind === 'word') this.word(state)
      else if (kind === 'mark') this.mark(state)
      else this.value(state)
      if (upper === 'WHERE') state.pattern = false
    }
  }

  /** A number, string, parameter or back-ticked name. */
  private value(state: ExpressionState): void {
    const { kind } = this.tokens[this.at]!
    if (state.afterOperand && this.text(-1) !== '*') this.refuse('an operator or a clause')
    this.refuseHidden()
    if (kind === 'quoted' && this.text(1) === '(') this.refuse('a plain function name', 'Function names cannot stand in back-ticks')
    state.afterOperand = true
    this.at++
  }

  private refuseHidden(): void {
    if (this.text().replaceAll('`', '') === hiddenLabel)
      this.refuse('a label of the graph', `${hiddenLabel} is the platform's own: CALL db.labels() lists yours`)
  }

  /** Is the word at the cursor a property, a label or type, or a map's key, and so no keyword? */
  private isName(): boolean {
    const before = this.tokens[this.at - 1]
    if (before?.kind !== 'mark') return false
    if (before.text === '.') return this.text(-2) !== '.'
    return this.isLabelMark(this.at - 1) || (this.text(1) === ':' && this.isKey(this.at))
  }

  /** `:` before a label or type, or `|`, `&`, `!` in a row of them (and not a map's colon, nor a comprehension's bar). */
  private isLabelMark(at: number): boolean {
    const { text } = this.tokens[at]!
    if (text === ':') return !this.isKey(at - 1)
    if (text === '!') return at > 0 && this.isLabelMark(at - 1)
    if (text !== '|' && text !== '&') return false
    const isLabel = ['word', 'quoted'].includes(this.tokens[at - 1]?.kind ?? '')
    return isLabel && at > 1 && this.isLabelMark(at - 2)
  }

  /** Is the token at `at`, which a colon follows, a key of a map? */
  private isKey(at: number): boolean {
    const before = this.tokens[at - 1]?.text
    return (before === '{' || before === ',') && this.inBraces(at)
  }

  private inBraces(at: number): boolean {
    return this.tokens[enclosing(this.tokens, at)]?.text === '{'
  }

  /** One word and what belongs to it. */
  private word(state: ExpressionState): void {
    const { upper } = this.tokens[this.at]!
    const isName = this.isName()
    const refused = refusedWords[upper]
    if (refused && !isName) this.refuse('a query that only reads', `${refused}. If it is a name, put it in back-ticks`)
    const role = isName || this.upper(-1) === 'AS' ? undefined : operatorWords[upper]
    if (role !== undefined) this.operator(role, state)
    else {
      if (isName || this.upper(-1) === 'AS') this.names.add(this.at)
      this.operand(state, isName)
    }
  }

  private operand(state: ExpressionState, isName: boolean): void {
    const { text, upper } = this.tokens[this.at]!
    this.refuseHidden()
    if (!isName) {
      if (state.afterOperand) this.refuseClause(text, upper)
      if (isClauseWord(upper)) this.refuse('a name', 'A name that is a keyword must stand in back-ticks')
      if (this.text(1) === '{' && subqueryWords.includes(upper)) {
        if (upper === 'COLLECT') this.gap('collect')
        this.at++
        this.subquery(state.inside, true)
        state.afterOperand = true
        return
      }
    }
    if (this.text(1) === '(') this.functionCall()
    state.afterOperand = true
    this.at++
  }

  private operator(role: OperatorRole, state: ExpressionState): void {
    const { text, upper } = this.tokens[this.at]!
    const inCase = ['WHEN', 'THEN', 'ELSE', 'END'].includes(upper)
    if ((inCase && state.cases === 0) || (state.afterOperand && (role === 'prefix' || role === 'operand'))) this.refuseClause(text, upper)
    state.cases += upper === 'CASE' ? 1 : upper === 'END' ? -1 : 0
    this.at++
    if (upper === 'STARTS' || upper === 'ENDS') this.keyword('WITH')
    state.afterOperand = role === 'operand' || role === 'postfix'
  }

  private refuseClause(text: string, upper: string): never {
    this.refuse(`an operator or a clause (unknown clause ${text})`, refusedClauses[upper] ?? didYouMean(text, clauseWords))
  }

  private functionCall(): void {
    let from = this.at
    while (this.text(from - 1 - this.at) === '.' && from >= 2) from -= 2
    const name = this.tokens
      .slice(from, this.at + 1)
      .map((t) => t.text)
      .join('')
    if (pathFunctions.some((f) => f.toLowerCase() === name.toLowerCase())) {
      this.gap('pathFunction', from)
      return
    }
    if (!allowedFunctions.has(name.toLowerCase()))
      this.refuse(`a function that is allowed, not ${name}`, didYouMean(name, allowedFunctions), from)
    if (this.engine !== 'grafeo') return
    const missing = missingFunctions[name.toLowerCase()]
    if (missing) this.refuse(`a function that the embedded graph has, not ${name}`, missing.hint, from)
    const same = sameFunctions[name.toLowerCase()]
    if (same) {
      this.edits.drop(this.at)
      this.edits.insert(this.at, ` ${same}`)
    }
  }

  private mark(state: ExpressionState): void {
    const { text } = this.tokens[this.at]!
    if (text === ';') this.refuse('one statement', 'Send statements one at a time')
    if (')]}'.includes(text)) this.refuse('brackets that match')
    if (text in closing) {
      this.bracket(text, state)
      state.afterOperand = true
      return
    }
    if (this.isLabelExpression(state)) this.gap('labelExpression')
    if ((text === '+' || text === '*') && this.isQuantifier(state))
      this.refuse('a bounded pattern', `Write how often at most: {1,5}, or -[:TYPE*1..5]->`)
    this.at++
    state.afterOperand = text === '*' && !state.afterOperand
  }

  /** `->+(b)`, `((a)-->(b))* (c)` */
  private isQuantifier({ afterOperand, pattern }: ExpressionState): boolean {
    const before = this.text(-1)
    return pattern && ((['>', '-'].includes(before) && this.text(1) === '(') || (afterOperand && before === ')'))
  }

  /** `&`, `!`, `%`, and between labels of a node also `|`. */
  private isLabelExpression({ afterOperand }: ExpressionState): boolean {
    const text = this.text()
    if (text === '&' || text === '!') return true
    if (text === '%') return !afterOperand
    return text === '|' && this.isLabelMark(this.at) && this.text(enclosing(this.tokens, this.at) - this.at) !== '['
  }

  /** Are the braces at the cursor the properties of a node or a relationship? */
  private isOfPattern(pattern: boolean): boolean {
    const outer = this.tokens[enclosing(this.tokens, this.at)]
    const before = this.tokens[enclosing(this.tokens, this.at) - 1]
    return pattern || (outer?.text === '[' ? before?.text === '-' : outer?.text === '(' && before?.kind !== 'word')
  }

  private bracket(open: string, { inside, pattern, afterOperand }: ExpressionState): void {
    if (inside >= deepest) this.refuse(`at most ${deepest} brackets deep`)
    const end = this.matching(this.at)
    const inner = this.tokens.slice(this.at + 1, end)
    const isRelationship = open === '[' && this.text(-1) === '-'
    const hops = isRelationship ? findUnboundedHops(inner) : -1
    if (hops >= 0) this.refuse(`an upper bound of at most ${mostHops} hops`, 'Write it: *1..5', this.at + 1 + hops)
    if (open === '{' && pattern && isUnboundedQuantifier(inner)) this.refuse(`an upper bound of at most ${mostHops}`, 'Write it: {1,5}')
    if (open === '(' && pattern && isNode(inner)) this.node(inner, end)
    if (open === '(' && pattern && inner[0]?.text === '(' && this.tokens[this.at - 1]?.kind !== 'word') this.gap('quantifiedPattern')
    if (open === '{' && pattern && ['>', '-', ')'].includes(this.text(-1))) this.gap('quantifiedPattern')
    if (open === '{' && afterOperand && inner.length > 0 && inner[0]!.text !== '.' && !this.isOfPattern(pattern))
      this.gap('projectionOfValues')
    if (open === '[' && afterOperand && !isRelationship && isNegativeSlice(inner)) this.gap('negativeSlice')
    if (open === '[' && !afterOperand && inner[1]?.text === '=' && inner[2]?.text === '(' && inner.some((t) => t.text === '|'))
      this.gap('pathInComprehension')
    if (isRelationship && !pattern) this.sightings.relationships.push(this.at)
    this.at++
    this.expression(end, inside + 1, pattern && open === '(', true)
    this.at = end + 1
  }

  /** A node of a MATCH. */
  private node(inner: readonly Token[], end: number): void {
    if (inner.some((t, i) => t.upper === 'WHERE' && !this.isLabelMark(this.at + i))) this.gap('whereInNode')
    if (this.text(-1) === '=' && !['-', '<'].includes(this.tokens[end + 1]?.text ?? '')) this.gap('pathOfOneNode')
    this.sightings.nodes.push(this.at)
  }
}

/** What stands between the parentheses of a node: nothing, a name, a label, properties; not a path. */
function isNode(inner: readonly Token[]): boolean {
  const [first, second] = inner
  return first === undefined || (first.text !== '(' && second?.text !== '=')
}

function isNegativeSlice(inner: readonly Token[]): boolean {
  const dots = inner.findIndex((t, i) => t.text === '.' && inner[i + 1]?.text === '.')
  return dots >= 0 && (inner[0]?.text === '-' || inner[dots + 2]?.text === '-')
}
