import { type Problem, problem } from '../../util/problem.js'
import type { JsonValue } from '../../vocabulary.js'
import type { EntitySpan } from '../records/labeled-text.js'
import type { DatasetFormat, ReadItem, RowSource } from './format.js'
import { readJsonParts } from './json-elements.js'
import { collectLabels, type LabeledRow, labeledRow } from './rows.js'
import { convertSpans, isSpan } from './spans.js'
import { decodeText, encodeText } from './text.js'

/** Labels of a text are categories of spaCy's text classifier, told apart by these prefixes. */
const prefixes = { expected_intent: 'intent:', expected_sentiment: 'sentiment:' } as const
type LabelField = keyof typeof prefixes
const labelFields = Object.keys(prefixes) as LabelField[]

/** Every label that the data has, true or not: spaCy learns from the negatives too. */
function catsOf(row: LabeledRow, labels: ReadonlyMap<string, readonly string[]>): Record<string, number> {
  return Object.fromEntries(
    labelFields.flatMap((field) => (labels.get(field) ?? []).map((label) => [prefixes[field] + label, row[field] === label ? 1 : 0])),
  )
}

interface Example {
  text: string
  entities: [start: number, end: number, label: string][]
  cats: Record<string, number>
  meta?: Record<string, unknown>
}

/** Spans that spaCy's offsets cannot say go into `meta` whole. */
function exampleOf(row: LabeledRow, labels: ReadonlyMap<string, readonly string[]>): Example {
  const { text, expected_entities, expected_intent, expected_sentiment, ...rest } = row
  const entities = expected_entities ?? []
  const sayable = entities.every(
    (span) => isSpan(span) && text.slice(span[2], span[3]) === span[0] && span[2] >= 0 && span[3] <= text.length,
  )
  const spans = sayable ? convertSpans(text, entities, 'utf16', 'code-points') : []
  const meta = { ...rest, ...(sayable ? (expected_entities ? {} : { expected_entities: null }) : { expected_entities: entities }) }
  return {
    text,
    entities: spans.map(([, label, start, end]) => [start, end, label]),
    cats: catsOf(row, labels),
    ...(Object.keys(meta).length > 0 ? { meta } : {}),
  }
}

async function* printed(rows: RowSource, shape: (example: Example) => unknown): AsyncGenerator<string> {
  const labels = await collectLabels(rows(), labelFields)
  let separator = '[\n'
  for await (const row of rows()) {
    yield separator + JSON.stringify(shape(exampleOf(labeledRow(row), labels)))
    separator = ',\n'
  }
  yield separator === '[\n' ? '[]\n' : '\n]\n'
}

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value)

/** `[start, end, label]` or `{start, end, label}` as a span of `text`; null when it is neither. */
function spanOf(text: string, points: readonly string[] | null, entity: unknown): EntitySpan | null {
  const [start, end, label] = Array.isArray(entity) ? entity : isRecord(entity) ? [entity['start'], entity['end'], entity['label']] : []
  if (!Number.isInteger(start) || !Number.isInteger(end) || typeof label !== 'string') return null
  const words = points ? points.slice(start, end).join('') : text.slice(start, end)
  return [words, label, start, end]
}

/** The label of a field that has the highest score of at least one half; labels without a prefix are intents. */
function labelOf(cats: Record<string, unknown>, field: LabelField): string | null {
  let best: { label: string; score: number } | null = null
  for (const [name, value] of Object.entries(cats)) {
    const own = labelFields.find((other) => name.startsWith(prefixes[other])) ?? 'expected_intent'
    const score = Number(value)
    if (own !== field || !(score >= 0.5) || (best && best.score >= score)) continue
    best = { label: name.startsWith(prefixes[field]) ? name.slice(prefixes[field].length) : name, score }
  }
  return best?.label ?? null
}

function rowOf(value: unknown, where: string): ReadItem {
  const [text, annotations] = Array.isArray(value) ? value : isRecord(value) ? [value['text'], value] : []
  const bad = (found: unknown, expected: string): ReadItem => ({
    where,
    problems: [problem({ code: 'not-spacy', where, found: JSON.stringify(found) ?? 'nothing', expected })],
  })
  if (typeof text !== 'string' || !isRecord(annotations)) return bad(value, '{text, entities, cats} or [text, {entities, cats}]')
  const problems: Problem[] = []
  const entities = annotations['entities'] ?? annotations['spans'] ?? []
  const cats = annotations['cats'] ?? {}
  if (!Array.isArray(entities)) return bad(entities, 'entities as a list of [start, end, label]')
  if (!isRecord(cats)) return bad(cats, 'cats as an object of labels and scores')
  const points = /[\uD800-\uDBFF]/.test(text) ? [...text] : null
  const spans: EntitySpan[] = []
  for (const entity of entities) {
    const span = spanOf(text, points, entity)
    if (!span) return bad(entity, '[start, end, label] or {start, end, label}')
    spans.push(span)
  }
  const labels = Object.fromEntries(labelFields.flatMap((field) => (labelOf(cats, field) === null ? [] : [[field, labelOf(cats, field)]])))
  const meta = isRecord(annotations['meta']) ? annotations['meta'] : {}
  const row = { text, ...labels, expected_entities: convertSpans(text, spans, 'code-points', 'utf16'), ...meta } as Record<string, unknown>
  return { where, value: Object.fromEntries(Object.entries(row).filter(([, member]) => member !== null)), problems }
}

async function* readSpacy(texts: AsyncIterable<string>, file: string): AsyncGenerator<ReadItem> {
  for await (const part of readJsonParts(texts, ['examples', 'data'])) {
    const where = `${file}:${part.line}`
    if (part.type === 'broken')
      yield { where, problems: [problem({ code: 'not-json', where, found: part.found, expected: part.expected })] }
    if (part.type !== 'element') continue
    let value: JsonValue
    try {
      value = JSON.parse(part.text) as JsonValue
    } catch {
      yield { where, problems: [problem({ code: 'not-json', where, found: part.text, expected: 'one JSON value' })] }
      continue
    }
    yield rowOf(value, where)
  }
}

const about = {
  mediaType: 'application/json',
  kinds: ['labeled-text'],
  spans: 'code-points',
  convertsSpans: true,
  loses: null,
  read: (source, { file }) => readSpacy(decodeText(source, file), file),
} satisfies Partial<DatasetFormat>

/**
 * spaCy v3 as JSON: `{text, entities: [[start, end, label]], cats: {label: 0 | 1}}`, offsets in code points as Python counts, every label
 * of the data in every `cats` (https://spacy.io/api/data-formats#dict-input). Fields that spaCy has no place for lie in `meta`.
 */
export const spacy: DatasetFormat = {
  name: 'spacy',
  title: 'spaCy v3 JSON: text, entities, cats',
  extensions: ['.spacy.json'],
  ...about,
  write: (rows) => encodeText(printed(rows, (example) => example)),
}

/** The older list of `[text, {entities, cats}]`, as spaCy v2 trained on; both readers take either form. */
export const spacyList: DatasetFormat = {
  name: 'spacy-list',
  title: 'spaCy, the older list of [text, annotations]',
  extensions: ['.spacy-list.json'],
  ...about,
  write: (rows) => encodeText(printed(rows, ({ text, ...annotations }) => [text, annotations])),
}
