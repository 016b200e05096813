import type { TypedGraph } from '../../models/graphs/typed-graph.js'
import { didYouMean } from '../../util/closest.js'
import { type Problem, problem } from '../../util/problem.js'
import type { RowReport } from '../records/parse-row.js'
import { readEdgePairs } from './edge-index.js'

/** `at` is '' for the line itself. */
export type Report = RowReport

/** What lines of one file must agree on. */
export interface GraphFileState {
  featureWidth?: { width: number; line: number }
  queryWidth?: { width: number; line: number }
  /** first line where pairs stood in a 2xE layout beyond doubt */
  columnLayoutLine?: number
  /** places where two edges could be read either way */
  ambiguous: { at: string; line: number }[]
}

export const show = (value: unknown): string =>
  typeof value === 'number' ? String(value) : typeof value === 'string' ? value : (JSON.stringify(value) ?? 'nothing')

/** The object that a line holds, or null and a problem. */
export function parseJsonObject(text: string, fields: string, report: Report): Record<string, unknown> | null {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    const suggestion = /\b(NaN|-?Infinity)\b/.test(text) ? 'NaN and Infinity are not JSON: replace or remove them.' : undefined
    report('', 'not-json', text, 'one JSON object a line', suggestion ? { suggestion } : {})
    return null
  }
  if (!isObject(value)) {
    report('', 'not-an-object', value, `a JSON object with ${fields}`)
    return null
  }
  return value
}

/**
 * One line of JSONL as what `read` makes of its object (`fields` says what is expected there); null where anything in it is an error.
 */
export function readObjectLine<T>(
  { line, text, file = 'text 1' }: { line: number; text: string; file?: string | undefined },
  fields: string,
  state: GraphFileState,
  read: (value: Record<string, unknown>, report: Report) => T | null,
): { value: T | null; problems: Problem[] } {
  const problems: Problem[] = []
  const report: Report = (at, code, found, expected, more = {}) =>
    problems.push(problem({ code, where: `${file}:${line}${at && `:${at}`}`, found: show(found), expected, ...more }))
  const object = parseJsonObject(text, fields, report)
  const value = object && read(object, report)
  reportAmbiguousEdges(problems, state, file)
  return { value: problems.some((p) => p.severity === 'error') ? null : value, problems }
}

export const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

export function reportUnknownFields(value: Record<string, unknown>, known: readonly string[], at: string, report: Report): void {
  for (const field of Object.keys(value)) {
    if (known.includes(field)) continue
    const suggestion = didYouMean(field, known)
    report(at, 'unknown-field', field, `one of ${known.join(', ')}`, { severity: 'warning', ...(suggestion && { suggestion }) })
  }
}

export function readVector(value: unknown, at: string, report: Report): number[] | undefined {
  if (!Array.isArray(value)) {
    report(at, 'not-a-list', value, 'a list of finite numbers')
    return undefined
  }
  const bad = value.findIndex((x) => !isFiniteNumber(x))
  if (bad < 0) return value
  report(`${at}[${bad}]`, 'not-finite', value[bad], 'a finite number')
  return undefined
}

/** Numbers are float32 to every model: one beyond it would be Infinity there. */
export const isFiniteNumber = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(Math.fround(value))

/** Widths must be those of the first line that has any. */
export function agree(
  at: string,
  code: string,
  width: number,
  key: 'featureWidth' | 'queryWidth',
  state: GraphFileState,
  line: number,
  report: Report,
): void {
  const first = (state[key] ??= { width, line })
  if (first.width !== width) report(at, code, `${width} numbers`, `${first.width} numbers, as on line ${first.line}`)
}

const isEdgeType = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0
const isDirection = (value: unknown): value is 0 | 1 => value === 0 || value === 1

/** Rows of features, one a node; `at` is the field. */
export function readNodeFeatures(value: unknown, at: string, report: Report, state: GraphFileState, line: number): number[][] {
  if (!Array.isArray(value)) {
    report(at, 'not-a-list', value, 'a list with one row of numbers a node')
    return []
  }
  if (value.length === 0) report(at, 'no-nodes', '[]', 'at least one node', { severity: 'warning' })
  return value.map((row, n) => {
    const place = `${at}[${n}]`
    const features = readVector(row, place, report) ?? []
    if (features.length > 0 || (Array.isArray(row) && row.length === 0))
      agree(place, 'feature-width', features.length, 'featureWidth', state, line, report)
    return features
  })
}

/** The edges of a graph with their types and directions; `at` is where the graph is, '' for the line itself. */
export function readEdges(
  value: Record<string, unknown>,
  nodes: number,
  at: string,
  report: Report,
  state: GraphFileState,
  line: number,
): Pick<TypedGraph, 'edges' | 'edgeTypes' | 'edgeDirections'> {
  const field = (name: string) => (at ? `${at}.${name}` : name)
  const { edges, layout } = readEdgePairs(value['edge_index'], nodes, field('edge_index'), report)
  if (layout === 'columns') state.columnLayoutLine ??= line
  if (layout === 'ambiguous') state.ambiguous.push({ at: field('edge_index'), line })
  const edgeTypes = readPerEdge(value['edge_types'], edges.length, field('edge_types'), 'an integer, 0 or more', isEdgeType, report)
  const edgeDirections = readPerEdge(value['edge_directions'], edges.length, field('edge_directions'), '0 or 1', isDirection, report)
  return { edges, ...(edgeTypes && { edgeTypes }), ...(edgeDirections && { edgeDirections }) }
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
export function reportAmbiguousEdges(problems: Problem[], state: GraphFileState, file: string): void {
  if (state.columnLayoutLine === undefined) return
  for (const { at, line } of state.ambiguous)
    problems.push(
      problem({
        code: 'ambiguous-edge-index',
        where: `${file}:${line}:${at}`,
        found: `a 2x2 edge_index, in a file that uses the 2xE layout (line ${state.columnLayoutLine})`,
        expected: 'pairs [from, to], which cannot be mistaken',
        suggestion: 'Write every edge_index as a list of pairs.',
      }),
    )
  state.ambiguous = []
}
