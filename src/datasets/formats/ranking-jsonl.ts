import type { CandidateGraph, RankingList } from '../../models/rankings/ranking-list.js'
import type { Problem } from '../../util/problem.js'
import {
  agree,
  type GraphFileState,
  isFiniteNumber,
  isObject,
  type Report,
  readEdges,
  readNodeFeatures,
  readObjectLine,
  readVector,
  reportUnknownFields,
} from './graph-fields.js'
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

/** What lines of one file must agree on. */
interface FileState extends GraphFileState {
  queryIds: Map<string, number>
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
  const place = { line, text, file: options.file }
  const { value, problems } = readObjectLine(place, 'query_id and candidates', state, (object, report) =>
    readList(object, report, state, line, options),
  )
  return { line, list: value, problems }
}

const listFields = ['query_id', 'query', 'group', 'candidates']
const candidateFields = ['id', 'node_features', 'edge_index', 'edge_types', 'edge_directions', 'label']

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
  const nodeFeatures = readNodeFeatures(value['node_features'], `${at}.node_features`, report, state, line)
  const edges = readEdges(value, nodeFeatures.length, at, report, state, line)
  const { id, label } = value
  if (id !== undefined && typeof id !== 'string') report(`${at}.id`, 'not-a-string', id, 'a string')
  if (label === undefined ? (options.requireLabels ?? true) : !isFiniteNumber(label))
    report(`${at}.label`, 'no-label', label, 'a finite number: how relevant this candidate is')
  return {
    ...(typeof id === 'string' && { id }),
    nodeFeatures,
    ...edges,
    ...(isFiniteNumber(label) && { label }),
  }
}
