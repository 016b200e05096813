import { EspalierError } from '../../util/error.js'
import { type Problem, problem } from '../../util/problem.js'
import { setMember } from '../../util/record.js'
import type { JsonValue, Properties } from '../../vocabulary.js'
import { coerce } from '../formats/columns.js'
import type { ByteSource, DatasetFormat, ReadItem, SpanUnit } from '../formats/format.js'
import { show } from '../formats/graph-fields.js'
import { readGraphJsonl } from '../formats/graph-jsonl.js'
import { graphRow } from '../formats/graph-row.js'
import { assertCarries } from '../formats/index.js'
import { readRankingJsonl } from '../formats/ranking-jsonl.js'
import { rankingRow } from '../formats/ranking-row.js'
import { convertSpans } from '../formats/spans.js'
import { decodeText } from '../formats/text.js'
import { type DatasetKind, isExampleKind, recordKind } from '../records/index.js'
import { parseRow } from '../records/parse-row.js'

export interface RowReading {
  kind: DatasetKind
  format: DatasetFormat
  /** for `where` of problems */
  file: string
  /** field of the file -> field of the row, `{ intent: 'expected_intent' }`; what it does not name keeps its name */
  mapping?: Readonly<Record<string, string>>
  /** how the file counts spans (default: as its format says, else UTF-16 code units) */
  spans?: SpanUnit
  /** put fields that the kind does not have into `metadata` instead of leaving them out (default false; only labeled text has a place) */
  keepUnknown?: boolean
}

export interface ReadRow {
  /** null where there is an error */
  row: Properties | null
  problems: Problem[]
}

/** What other tools call the fields of labeled text: taken where the own name is absent, and said. */
const synonyms: Readonly<Record<string, string>> = {
  intent: 'expected_intent',
  label: 'expected_intent',
  labels: 'expected_intent',
  sentiment: 'expected_sentiment',
  entities: 'expected_entities',
  persona: 'expected_persona',
}

/** What a file turned out to have, known once it was read. */
export interface FileFacts {
  /** fields of rows that at least one row has */
  fields: Set<string>
  /** field of the file -> field of the row, as it was done */
  mapped: Map<string, string>
}

export const noFacts = (): FileFacts => ({ fields: new Set(), mapped: new Map() })

/** Throws BAD_INPUT when a mapping leads to a field that the kind does not have. */
function assertMapping(mapping: Readonly<Record<string, string>>, kind: DatasetKind): void {
  const known = Object.keys(recordKind(kind).schema.shape)
  const targets = Object.values(mapping)
  const bad = kind === 'tabular' ? undefined : targets.find((field) => !known.includes(field))
  const twice = targets.find((field, i) => targets.indexOf(field) < i)
  if (bad === undefined && twice === undefined) return
  throw new EspalierError('BAD_INPUT', `mapping: ${bad === undefined ? `two fields become ${twice}` : `"${bad}" is no field of ${kind}`}`, {
    remedy: `Map fields of the file to ${known.join(', ') || 'names of columns'}, each once.`,
  })
}

/**
 * The rows of a file of any format, checked by their kind; memory is that of one row. `facts` is filled on the way. A problem that every
 * row has (a field that is not known) is told once.
 */
export async function* readRows(source: ByteSource, reading: RowReading, facts: FileFacts = noFacts()): AsyncGenerator<ReadRow> {
  const { kind, format } = reading
  assertCarries(format, kind)
  assertMapping(reading.mapping ?? {}, kind)
  const once = tellOnce()
  for await (const { row, problems } of isExampleKind(kind) ? readExamples(source, reading) : readRecords(source, reading, facts)) {
    if (row) for (const field in row) facts.fields.add(field)
    yield { row, problems: problems.filter(once) }
  }
}

/** Warnings that only repeat another one of the same code and field are left out. */
function tellOnce(): (p: Problem) => boolean {
  const told = new Set<string>()
  return ({ severity, code, where }) => {
    if (severity === 'error' || code !== 'unknown-field') return true
    const key = where.slice(where.lastIndexOf(':') + 1)
    if (told.has(key)) return false
    told.add(key)
    return true
  }
}

/** A value of a file under the names of its kind, which it may not fit; undefined where its line is none, and `problems` say why. */
export interface ReadValue {
  where: string
  value: unknown
  problems: Problem[]
}

/** The values of a file of any format, for whoever judges them himself; memory is that of one. */
export async function* readValues(source: ByteSource, reading: RowReading, facts: FileFacts): AsyncGenerator<ReadValue> {
  const { kind, format, file } = reading
  if (isExampleKind(kind)) {
    for await (const { row, problems } of readExamples(source, reading))
      yield { where: problems[0]?.where.split(':').slice(0, 2).join(':') ?? file, value: row ?? undefined, problems }
    return
  }
  for await (const { where, value, problems = [] } of format.read(source, { kind, file }))
    yield { where, value: value && shaped(value, reading, facts), problems: [...problems] }
}

async function* readRecords(source: ByteSource, reading: RowReading, facts: FileFacts): AsyncGenerator<ReadRow> {
  const { kind } = reading
  for await (const { where, value, problems } of readValues(source, reading, facts)) {
    if (!value) {
      yield { row: null, problems }
      continue
    }
    const row = parseRow(kind, value, (at, code, found, expected, more = {}) =>
      problems.push(problem({ code, where: at ? `${where}:${at}` : where, found: show(found), expected, ...more })),
    )
    yield { row: problems.some((p) => p.severity === 'error') ? null : row, problems }
  }
}

/** A value under the names of its kind, its texts and spans as rows have them. */
function shaped(
  value: Record<string, unknown>,
  { kind, format, mapping = {}, spans, keepUnknown = false }: RowReading,
  facts: FileFacts,
): unknown {
  const renamed: Record<string, unknown> = {}
  for (const name in value) {
    const own = Object.hasOwn(mapping, name) ? mapping[name]! : kind === 'labeled-text' ? synonymOf(name, value, mapping) : name
    if (own !== name) facts.mapped.set(name, own)
    if (own === name && Object.hasOwn(renamed, name)) continue
    setMember(renamed, own, value[name])
  }
  const typed = format.untyped ? coerce(renamed, kind) : renamed
  const kept = keepUnknown && kind === 'labeled-text' ? withExtras(typed) : typed
  return kind === 'labeled-text' ? inUtf16(kept, spans ?? format.spans ?? 'utf16', format) : kept
}

function synonymOf(name: string, value: Record<string, unknown>, mapping: Readonly<Record<string, string>>): string {
  const own = Object.hasOwn(synonyms, name) ? synonyms[name]! : name
  return own !== name && (Object.hasOwn(value, own) || Object.values(mapping).includes(own)) ? name : own
}

function withExtras(value: Record<string, unknown>): Record<string, unknown> {
  const known = recordKind('labeled-text').schema.shape
  const extras = Object.entries(value).filter(([name]) => !Object.hasOwn(known, name))
  if (extras.length === 0) return value
  const metadata = typeof value['metadata'] === 'object' && value['metadata'] !== null ? value['metadata'] : {}
  const own = Object.entries(value).filter(([name]) => Object.hasOwn(known, name))
  return { ...Object.fromEntries(own), metadata: { ...Object.fromEntries(extras), ...metadata } }
}

/** Formats of which the unit is known convert spans as they read; the others are told. */
function inUtf16(value: Record<string, unknown>, unit: SpanUnit, format: DatasetFormat): Record<string, unknown> {
  const { text, expected_entities: entities } = value
  if (unit === 'utf16' || format.convertsSpans || typeof text !== 'string' || !Array.isArray(entities)) return value
  return { ...value, expected_entities: convertSpans(text, entities, 'code-points', 'utf16') }
}

/** Ranking lists and graphs have readers of their own that also check what lines must agree on: other formats come to them as lines. */
async function* readExamples(source: ByteSource, reading: RowReading): AsyncGenerator<ReadRow> {
  const { kind, format, file } = reading
  const broken: Problem[] = []
  const lines = format.name === 'jsonl' ? decodeText(source, file) : linesOf(format.read(source, { kind, file }), reading, broken)
  if (kind === 'ranking')
    for await (const { list, problems } of readRankingJsonl(lines, { file }))
      yield { row: list && (rankingRow(list) as Properties), problems: [...broken.splice(0), ...problems] }
  else
    for await (const { example, problems } of readGraphJsonl(lines, { file, kind: kind as 'node' | 'graph' | 'sequence' }))
      yield { row: example && (graphRow(example) as Properties), problems: [...broken.splice(0), ...problems] }
  if (broken.length > 0) yield { row: null, problems: broken }
}

async function* linesOf(items: AsyncIterable<ReadItem>, { kind, format }: RowReading, broken: Problem[]): AsyncGenerator<string> {
  for await (const { value, problems = [] } of items) {
    broken.push(...problems)
    if (value) yield `${JSON.stringify(withoutNulls(format.untyped ? coerce(value, kind) : value) as JsonValue)}\n`
  }
}

/** Formats with columns write null for what is absent. */
const withoutNulls = (value: Record<string, unknown>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(value).filter(([, member]) => member !== null))
