/**
 * A small reader of Angle, written from its public reference (glean.software/docs/angle/reference, /docs/schema/syntax) and grammar, and
 * from nothing of ours: queries of one predicate with patterns, choice and comparisons; schemas with types and predicates. It refuses
 * what Glean refuses: unknown fields, comparisons of what is no nat, reserved words.
 */

const reserved = new Set(
  (
    'binary bool byte const cpp_include double enum exception extends false float hash_map hash_set hs_include i16 i32 i64 include list map ' +
    'namespace oneway optional required senum service set stream string struct throws true typedef union view void abstract and args as ' +
    'assert auto break case char class continue declare def default del do elif else elseif except exec extern finally for foreach function ' +
    'global goto if implements import in int inline instanceof interface is lambda long native new not or pass public print private ' +
    'protected raise register return short signed sizeof static switch synchronized template this throw transient try unsigned var virtual ' +
    'volatile while with yield Object Client IFace Processor None operator _tmp_'
  ).split(' '),
)

const token =
  /(\s+|#[^\n]*\n)|("(?:\\[\s\S]|[^"\\])*")|([a-z][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)*(?:\.(?:\d+|[A-Za-z_][A-Za-z0-9_]*)))|([A-Za-z_][A-Za-z0-9_]*)|(\d+)|(!==|!=|>=|<=|->|\.\.|[{}()[\],;:|=<>!_$])/y

function lex(text) {
  const tokens = []
  token.lastIndex = 0
  while (token.lastIndex < text.length) {
    const at = token.lastIndex
    const match = token.exec(text)
    if (!match) throw new SyntaxError(`lexical error at ${at}: ${JSON.stringify(text.slice(at, at + 20))}`)
    const [, space, string, qualified, word, number, sign] = match
    if (space !== undefined) continue
    if (string !== undefined) tokens.push({ kind: 'string', value: JSON.parse(string) })
    else if (qualified !== undefined) tokens.push({ kind: 'name', value: qualified })
    else if (word === '_') tokens.push({ kind: 'sign', value: '_' })
    else if (word !== undefined) tokens.push({ kind: 'word', value: word })
    else if (number !== undefined) tokens.push({ kind: 'nat', value: Number(number) })
    else tokens.push({ kind: 'sign', value: sign })
  }
  return tokens
}

class Tokens {
  constructor(text) {
    this.list = lex(text)
    this.at = 0
  }
  peek(value) {
    const next = this.list[this.at]
    return next !== undefined && next.kind !== 'string' && (value === undefined || next.value === value)
  }
  next() {
    const next = this.list[this.at++]
    if (!next) throw new SyntaxError('parse error at end of string')
    return next
  }
  take(value) {
    if (!this.peek(value)) throw new SyntaxError(`parse error: expected ${value}, found ${JSON.stringify(this.list[this.at])}`)
    return this.next()
  }
  maybe(value) {
    if (!this.peek(value)) return false
    this.at++
    return true
  }
  get done() {
    return this.at >= this.list.length
  }
}

function parsePattern(t) {
  const first = parseOne(t)
  if (!t.maybe('|')) return first
  const rest = parsePattern(t)
  return { choice: [first, ...('choice' in rest ? rest.choice : [rest])] }
}

function parseOne(t) {
  const next = t.next()
  if (next.kind === 'string') return { string: next.value }
  if (next.kind === 'nat') return { nat: next.value }
  if (next.kind === 'name') return { fact: next.value, key: parseOne(t) }
  if (next.value === '_') return { any: true }
  if (next.value === 'never') return { choice: [] }
  if (next.value === '(') {
    const inner = parsePattern(t)
    t.take(')')
    return inner
  }
  if (next.value === '{') {
    const fields = {}
    while (!t.maybe('}')) {
      const name = t.next()
      if (name.kind !== 'word' || !/^[a-z]/.test(name.value)) throw new SyntaxError(`parse error: ${name.value} is no field`)
      t.take('=')
      fields[name.value] = parsePattern(t)
      if (!t.maybe(',')) {
        t.take('}')
        break
      }
    }
    return { fields }
  }
  if (next.kind === 'word' && /^[A-Z]/.test(next.value)) return { variable: next.value }
  throw new SyntaxError(`parse error at: ${next.value}`)
}

const comparisons = { '>': (a, b) => a > b, '>=': (a, b) => a >= b, '<': (a, b) => a < b, '<=': (a, b) => a <= b, '!==': (a, b) => a !== b }

function parseStatement(t) {
  const left = parsePattern(t)
  if (t.maybe('=')) return { left, right: parsePattern(t) }
  for (const sign of Object.keys(comparisons)) if (t.maybe(sign)) return { left, sign, right: parsePattern(t) }
  return { right: left }
}

/** `[term where] statement; …` */
export function parseQuery(text) {
  const t = new Tokens(text)
  const head = parseStatement(t)
  const hasTerm = t.maybe('where')
  const statements = hasTerm ? [] : [head]
  if (hasTerm) statements.push(parseStatement(t))
  while (t.maybe(';')) if (!t.done) statements.push(parseStatement(t))
  if (!t.done) throw new SyntaxError(`parse error at: ${JSON.stringify(t.next())}`)
  return { term: hasTerm ? head.right : null, statements }
}

function matchPattern(pattern, value, bound) {
  if (pattern.any) return true
  if ('string' in pattern) return value === pattern.string
  if ('nat' in pattern) return value === pattern.nat
  if ('choice' in pattern) return pattern.choice.some((one) => matchPattern(one, value, bound))
  if ('variable' in pattern) {
    if (pattern.variable in bound) return bound[pattern.variable] === value
    bound[pattern.variable] = value
    return true
  }
  return Object.entries(pattern.fields).every(([name, inner]) => matchPattern(inner, value[name], bound))
}

function typecheck(pattern, type, predicate) {
  if ('choice' in pattern) for (const one of pattern.choice) typecheck(one, type, predicate)
  if ('string' in pattern && type !== 'string') throw new TypeError(`type error: a string where ${JSON.stringify(type)} is`)
  if ('nat' in pattern && type !== 'nat') throw new TypeError(`type error: a number where ${JSON.stringify(type)} is`)
  if ('fields' in pattern)
    for (const [name, inner] of Object.entries(pattern.fields)) {
      if (!type.record || !(name in type.record)) throw new TypeError(`type error: ${predicate} has no field ${name}`)
      typecheck(inner, type.record[name], predicate)
    }
}

/** The facts `{ id, key }` that a query answers, of facts `{ id, predicate, key }` under a schema, in their order. */
export function runQuery(text, facts, schema, limit = Number.POSITIVE_INFINITY) {
  const { term, statements } = parseQuery(text)
  const generator = statements.find(({ right }) => right && 'fact' in right)
  if (!generator) throw new TypeError('no predicate in the query')
  const { fact: predicate, key } = generator.right
  const type = schema.predicates[predicate]
  if (!type) throw new TypeError(`unknown predicate ${predicate}`)
  typecheck(key, type, predicate)
  if (term && !(term.variable && generator.left?.variable === term.variable)) throw new TypeError('the term is not the fact')
  const tests = statements.filter((statement) => statement !== generator)
  const natFields = Object.entries(key.fields ?? {}).flatMap(([name, p]) => (p.variable && type.record[name] === 'nat' ? [p.variable] : []))
  for (const { sign, left, right } of tests) {
    if (!sign || !('nat' in right)) throw new TypeError('only comparisons with numbers are read')
    if (!natFields.includes(left.variable)) throw new TypeError(`type error: ${left.variable} is no nat`)
  }
  const found = []
  for (const fact of facts) {
    if (found.length >= limit) break
    const bound = {}
    if (fact.predicate !== predicate || !matchPattern(key, fact.key, bound)) continue
    if (tests.every(({ sign, left, right }) => comparisons[sign](bound[left.variable], right.nat)))
      found.push({ id: fact.id, key: fact.key })
  }
  return found
}

function parseType(t, types) {
  if (t.maybe('[')) {
    const array = parseType(t, types)
    t.take(']')
    return { array }
  }
  if (t.maybe('{')) {
    const record = {}
    while (!t.maybe('}')) {
      const { kind, value } = t.next()
      if (kind !== 'word' || !/^[a-z]/.test(value)) throw new SyntaxError(`field names must begin with a lowercase letter: ${value}`)
      if (reserved.has(value)) throw new SyntaxError(`${value} is a reserved word, it cannot be used`)
      if (value in record) throw new SyntaxError(`duplicate field: ${value}`)
      t.take(':')
      record[value] = parseType(t, types)
      if (!t.maybe(',')) {
        t.take('}')
        break
      }
    }
    return { record }
  }
  const { value } = t.next()
  if (value === 'string' || value === 'nat' || value === 'bool') return value
  if (!(value in types)) throw new TypeError(`unknown type ${value}`)
  return types[value]
}

/** A schema file: full predicate name -> key type (`string`, `nat`, `bool`, `{ array }`, `{ record }`). */
export function parseSchema(text) {
  const t = new Tokens(text)
  const predicates = {}
  while (!t.done) {
    t.take('schema')
    const [, namespace, version] = /^(.+)\.(\d+)$/.exec(t.next().value) ?? []
    if (!namespace) throw new SyntaxError('a schema needs a name with a version')
    const types = {}
    t.take('{')
    while (!t.maybe('}')) {
      const isType = t.maybe('type')
      if (!isType) t.take('predicate')
      const { value: name } = t.next()
      if (reserved.has(name)) throw new SyntaxError(`${name} is a reserved word, it cannot be used`)
      t.take(isType ? '=' : ':')
      const type = parseType(t, types)
      if (isType) types[name] = type
      else predicates[`${namespace}.${name}.${version}`] = type
    }
  }
  return { predicates }
}

/** Throws where a JSON value is not of a type. */
export function checkValue(value, type, where) {
  if (type === 'string' && typeof value === 'string') return
  if (type === 'nat' && Number.isSafeInteger(value) && value >= 0) return
  if (type === 'bool' && typeof value === 'boolean') return
  if (type.array && Array.isArray(value)) return value.forEach((one, i) => void checkValue(one, type.array, `${where}[${i}]`))
  if (type.record && typeof value === 'object' && value !== null && !Array.isArray(value)) {
    for (const name of Object.keys(value)) if (!(name in type.record)) throw new TypeError(`${where}: unknown field ${name}`)
    for (const [name, inner] of Object.entries(type.record)) checkValue(value[name], inner, `${where}.${name}`)
    return
  }
  throw new TypeError(`${where}: found ${JSON.stringify(value)}, expected ${JSON.stringify(type)}`)
}
