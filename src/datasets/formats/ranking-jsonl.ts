import type { CandidateGraph, RankingList } from '../../models/ranking-list.js'
import { didYouMean } from '../../util/closest.js'
import { type Problem, problem } from '../../util/problem.js'
import { readEdgePairs } from './edge-index.js'
import { readLines, type TextChunks } from './lines.js'

/**
 * Ranking JSONL, one query a line:
 *
 *     {"query_id": "q1", "query"?: [floats], "group"?: "database",
 *      "candidates": [{"id"?: "c1", "node_features": [[...], ...], "edge_index": [[from, to], ...],
 *                      "edge_types"?: [0, ...], "edge_directions"?: [0 | 1, ...], "label": 1}]}
 *
 * `id` and `group` are ours, so that a list survives the round trip whole. A line with an error is left out and reported; nothing is
 * dropped in silence.
 */
export interface RankingJsonlOptions {
  /** for `where` of problems (default `text 1`) */
  file?: string
  /** false while serving, where no label is known (default true) */
  requireLabels?: boolean
}

export interface RankingLine {
  line: number
  /** null when the line has an error */
  list: RankingList | null
  problems: Problem[]
}

type Report = (
  at: string,
  code: string,
  found: unknown,
  expected: string,
  more?: { suggestion?: string; severity?: Problem['severity'] },
) => void

/** What lines of one file must agree on. */
interface FileState {
  featureWidth?: { width: number; line: number }
  queryWidth?: { width: number; line: number }
  queryIds: Map<string, number>
  /** first line where pairs stood in a 2xE layout beyond doubt */
  columnLayoutLine?: number
  /** places where two edges could be read either way */
  ambiguous: { at: string; line: number }[]
}

/** Reads a stream of ranking JSONL line by line, in memory that does not grow with its rows (only their ids are kept). */
export async function* readRankingJsonl(source: TextChunks, options: RankingJsonlOptions = {}): AsyncGenerator<RankingLine> {
  const state: FileState = { queryIds: new Map(), ambiguous: [] }
  for await (const { number, text } of readLines(source)) {
    if (text.trim() === '') continue
    yield readLine(text, number, state, options)
  }
}

/** The whole of a text or stream: its lists and every problem found. Lists that share a line with an error are left out. */
export async function parseRankingJsonl(
  source: TextChunks,
  options: RankingJsonlOptions = {},
): Promise<{ lists: RankingList[]; problems: Problem[] }> {
  const lists: RankingList[] = []
  const problems: Problem[] = []
  for await (const line of readRankingJsonl(source, options)) {
    if (line.list) lists.push(line.list)
    problems.push(...line.problems)
  }
  return { lists, problems }
}

function readLine(text: string, line: number, state: FileState, options: RankingJsonlOptions): RankingLine {
  const file = options.file ?? 'text 1'
  const problems: Problem[] = []
  const report: Report = (at, code, found, expected, more = {}) =>
    problems.push(problem({ code, where: `${file}:${line}${at && `:${at}`}`, found: show(found), expected, ...more }))
  const list = parseObject(text, report, state, line, options)
  reportAmbiguousEdges(problems, state, file)
  return { line, list: problems.some((p) => p.severity === 'error') ? null : list, problems }
}

const show = (value: unknown): string =>
  typeof value === 'number' ? String(value) : typeof value === 'string' ? value : (JSON.stringify(value) ?? 'nothing')

function parseObject(text: string, report: Report, state: FileState, line: number, options: RankingJsonlOptions): RankingList | null {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    const suggestion = /\b(NaN|-?Infinity)\b/.test(text) ? 'NaN and Infinity are not JSON: replace or remove them.' : undefined
    report('', 'not-json', text, 'one JSON object a line', suggestion ? { suggestion } : {})
    return null
  }
  if (!isObject(value)) {
    report('', 'not-an-object', value, 'a JSON object with query_id and candidates')
    return null
  }
  return readList(value, report, state, line, options)
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value)

const listFields = ['query_id', 'query', 'group', 'candidates']
const candidateFields = ['id', 'node_features', 'edge_index', 'edge_types', 'edge_directions', 'label']

function reportUnknownFields(value: Record<string, unknown>, known: readonly string[], at: string, report: Report): void {
  for (const field of Object.keys(value)) {
    if (known.includes(field)) continue
    const suggestion = didYouMean(field, known)
    report(at, 'unknown-field', field, `one of ${known.join(', ')}`, { severity: 'warning', ...(suggestion && { suggestion }) })
  }
}

function readList(
  value: Record<string, unknown>,
  report: Report,
  state: FileState,
  line: number,
  options: RankingJsonlOptions,
): RankingList {
  reportUnknownFields(value, listFields, '', report)
  const queryId = readQueryId(value['query_id'], report, state, line)
  const query = value['query'] === undefined ? undefined : readVector(value['query'], 'query', report)
  if (query) agree('query', 'query-width', query.length, 'queryWidth', state, line, report)
  const group = value['group']
  if (group !== undefined && typeof group !== 'string') report('group', 'not-a-string', group, 'a string')
  const rows = value['candidates']
  if (!Array.isArray(rows) || rows.length === 0) report('candidates', 'no-candidates', rows, 'a list of at least one candidate graph')
  const candidates = (Array.isArray(rows) ? rows : []).map((row, c) => readCandidate(row, `candidates[${c}]`, report, state, line, options))
  reportEqualLabels(candidates, report)
  return { queryId, ...(query && { query }), ...(typeof group === 'string' && { group }), candidates }
}

function readQueryId(value: unknown, report: Report, state: FileState, line: number): string {
  if ((typeof value !== 'string' || value === '') && !Number.isSafeInteger(value)) {
    report('query_id', 'no-query-id', value, 'a string that names the query')
    return ''
  }
  const id = String(value)
  const before = state.queryIds.get(id)
  if (before !== undefined)
    report('query_id', 'repeated-query-id', id, 'an id of its own', {
      severity: 'warning',
      suggestion: `Line ${before} has the same one: they count as two queries.`,
    })
  else state.queryIds.set(id, line)
  return id
}

function reportEqualLabels(candidates: readonly CandidateGraph[], report: Report): void {
  const labels = candidates.map((c) => c.label)
  if (labels.length === 0 || labels.some((l) => l === undefined || l !== labels[0])) return
  report(
    'candidates',
    'equal-labels',
    `label ${labels[0]} for every candidate`,
    'labels that differ: from equal ones nothing can be learned',
    {
      severity: 'warning',
    },
  )
}

function readVector(value: unknown, at: string, report: Report): number[] | undefined {
  if (!Array.isArray(value)) {
    report(at, 'not-a-list', value, 'a list of finite numbers')
    return undefined
  }
  const bad = value.findIndex((x) => !isFiniteNumber(x))
  if (bad < 0) return value
  report(`${at}[${bad}]`, 'not-finite', value[bad], 'a finite number')
  return undefined
}

const isFiniteNumber = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value)

function agree(
  at: string,
  code: string,
  width: number,
  key: 'featureWidth' | 'queryWidth',
  state: FileState,
  line: number,
  report: Report,
): void {
  const first = (state[key] ??= { width, line })
  if (first.width !== width) report(at, code, `${width} numbers`, `${first.width} numbers, as on line ${first.line}`)
}

function readCandidate(
  value: unknown,
  at: string,
  report: Report,
  state: FileState,
  line: number,
  options: RankingJsonlOptions,
): CandidateGraph {
  if (!isObject(value)) {
    report(at, 'not-an-object', value, 'an object with node_features, edge_index and label')
    return { nodeFeatures: [], edges: [] }
  }
  reportUnknownFields(value, candidateFields, at, report)
  const nodeFeatures = readNodeFeatures(value['node_features'], at, report, state, line)
  const { edges, layout } = readEdgePairs(value['edge_index'], nodeFeatures.length, `${at}.edge_index`, report)
  if (layout === 'columns') state.columnLayoutLine ??= line
  if (layout === 'ambiguous') state.ambiguous.push({ at, line })
  const types = readPerEdge(value['edge_types'], edges.length, `${at}.edge_types`, 'an integer, 0 or more', isEdgeType, report)
  const directions = readPerEdge(value['edge_directions'], edges.length, `${at}.edge_directions`, '0 or 1', isDirection, report)
  const { id, label } = value
  if (id !== undefined && typeof id !== 'string') report(`${at}.id`, 'not-a-string', id, 'a string')
  if (label === undefined ? (options.requireLabels ?? true) : !isFiniteNumber(label))
    report(`${at}.label`, 'no-label', label, 'a finite number: how relevant this candidate is')
  return {
    ...(typeof id === 'string' && { id }),
    nodeFeatures,
    edges,
    ...(types && { edgeTypes: types }),
    ...(directions && { edgeDirections: directions }),
    ...(isFiniteNumber(label) && { label }),
  }
}

const isEdgeType = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0
const isDirection = (value: unknown): value is 0 | 1 => value === 0 || value === 1

function readNodeFeatures(value: unknown, at: string, report: Report, state: FileState, line: number): number[][] {
  if (!Array.isArray(value)) {
    report(`${at}.node_features`, 'not-a-list', value, 'a list with one row of numbers a node')
    return []
  }
  if (value.length === 0) report(`${at}.node_features`, 'no-nodes', '[]', 'at least one node', { severity: 'warning' })
  return value.map((row, n) => {
    const place = `${at}.node_features[${n}]`
    const features = readVector(row, place, report) ?? []
    if (features.length > 0 || (Array.isArray(row) && row.length === 0))
      agree(place, 'feature-width', features.length, 'featureWidth', state, line, report)
    return features
  })
}

function readPerEdge<T>(
  value: unknown,
  edges: number,
  at: string,
  expected: string,
  fits: (item: unknown) => item is T,
  report: Report,
): T[] | undefined {
  if (value === undefined) return undefined
  if (!Array.isArray(value)) {
    report(at, 'not-a-list', value, `a list with one item an edge, each ${expected}`)
    return undefined
  }
  if (value.length !== edges) report(at, 'length-mismatch', `${value.length} items`, `${edges}, one an edge`)
  value.forEach((item, e) => {
    if (!fits(item)) report(`${at}[${e}]`, 'bad-item', item, expected)
  })
  return value
}

/** Two edges read the same way in both layouts' files are a guess: said as soon as the file shows the other layout. */
function reportAmbiguousEdges(problems: Problem[], state: FileState, file: string): void {
  if (state.columnLayoutLine === undefined) return
  for (const { at, line } of state.ambiguous)
    problems.push(
      problem({
        code: 'ambiguous-edge-index',
        where: `${file}:${line}:${at}.edge_index`,
        found: `a 2x2 edge_index, in a file that uses the 2xE layout (line ${state.columnLayoutLine})`,
        expected: 'pairs [from, to], which cannot be mistaken',
        suggestion: 'Write every edge_index as a list of pairs.',
      }),
    )
  state.ambiguous = []
}
