import type { GraphExample, GraphTarget } from '../../models/graphs/graph-example.js'
import type { ExampleKind } from '../../models/model.js'
import type { Problem } from '../../util/problem.js'
import {
  agree,
  type GraphFileState,
  type Report,
  readEdges,
  readNodeFeatures,
  readObjectLine,
  readVector,
  reportUnknownFields,
} from './graph-fields.js'
import { readLines, type TextChunks } from './lines.js'

/** What is asked of the graphs of a file. */
export type GraphKind = Exclude<ExampleKind, 'ranking'>

/**
 * Graph JSONL, one graph and what is asked of it a line:
 *
 *     {"id"?: "q1", "group"?: "project", "query"?: [floats], "node_features": [[...], ...] or "nodes": 5,
 *      "edge_index": [[from, to], ...], "edge_types"?: [0, ...], "edge_directions"?: [0 | 1, ...],
 *      "target": 3, "annotations"?: [[[...], ...], ...]}
 *
 * `nodes` stands for that many nodes with the one feature 1. `target` is, for the read-out `node`, the index of a node; for `graph` a
 * label (a string; numbers and booleans are taken as text); for `sequence` a list of node indices, or of labels (strings), the same
 * throughout a file. `annotations` (only `sequence`): the node features that each output after the first starts from, where known.
 * A line with an error is left out and reported; nothing is dropped in silence.
 */
export interface GraphJsonlOptions {
  kind: GraphKind
  /** for `where` of problems (default `text 1`) */
  file?: string
  /** false where the answers are asked for (default true) */
  requireTargets?: boolean
}

export interface GraphLine {
  line: number
  /** null when the line has an error */
  example: GraphExample | null
  problems: Problem[]
}

interface FileState extends GraphFileState {
  ids: Map<string, number>
  /** what sequences are made of, and the line that showed it */
  outputs?: { of: 'labels' | 'nodes'; line: number }
}

/** Reads a stream of graph JSONL line by line, in memory that does not grow with its graphs (only their ids are kept). */
export async function* readGraphJsonl(source: TextChunks, options: GraphJsonlOptions): AsyncGenerator<GraphLine> {
  const state: FileState = { ids: new Map(), ambiguous: [] }
  for await (const { number, text } of readLines(source)) if (text.trim() !== '') yield readLine(text, number, state, options)
}

/** The whole of a text or stream: its examples and every problem found. */
export async function parseGraphJsonl(
  source: TextChunks,
  options: GraphJsonlOptions,
): Promise<{ examples: GraphExample[]; problems: Problem[] }> {
  const examples: GraphExample[] = []
  const problems: Problem[] = []
  for await (const line of readGraphJsonl(source, options)) {
    if (line.example) examples.push(line.example)
    problems.push(...line.problems)
  }
  return { examples, problems }
}

function readLine(text: string, line: number, state: FileState, options: GraphJsonlOptions): GraphLine {
  const place = { line, text, file: options.file }
  const { value, problems } = readObjectLine(place, 'node_features, edge_index and target', state, (object, report) =>
    readExample(object, report, state, line, options),
  )
  return { line, example: value, problems }
}

const fields = ['id', 'group', 'query', 'nodes', 'node_features', 'edge_index', 'edge_types', 'edge_directions', 'target', 'annotations']

function readExample(
  value: Record<string, unknown>,
  report: Report,
  state: FileState,
  line: number,
  { kind, requireTargets = true }: GraphJsonlOptions,
): GraphExample {
  reportUnknownFields(value, fields, '', report)
  const id = readId(value['id'], report, state, line)
  const query = value['query'] === undefined ? undefined : readVector(value['query'], 'query', report)
  if (query) agree('query', 'query-width', query.length, 'queryWidth', state, line, report)
  const { group, target } = value
  if (group !== undefined && typeof group !== 'string') report('group', 'not-a-string', group, 'a string')
  const nodeFeatures = readNodes(value, report, state, line)
  const edges = readEdges(value, nodeFeatures.length, '', report, state, line)
  if (target === undefined && requireTargets) report('target', 'no-target', target, targetOf[kind])
  const answer = target === undefined ? undefined : readTarget(target, kind, nodeFeatures.length, report, state, line)
  const annotations = value['annotations'] === undefined ? undefined : readAnnotations(value['annotations'], kind, nodeFeatures, report)
  return {
    id,
    ...(typeof group === 'string' && { group }),
    ...(query && { query }),
    nodeFeatures,
    ...edges,
    ...(answer !== undefined && { target: answer }),
    ...(annotations && { annotations }),
  }
}

function readId(value: unknown, report: Report, state: FileState, line: number): string {
  if (value === undefined) return `line ${line}`
  if ((typeof value !== 'string' || value === '') && !Number.isSafeInteger(value)) {
    report('id', 'no-id', value, 'a string that names the example')
    return ''
  }
  const id = String(value)
  const before = state.ids.get(id)
  if (before === undefined) state.ids.set(id, line)
  else
    report('id', 'repeated-id', id, 'an id of its own', {
      severity: 'warning',
      suggestion: `Line ${before} has the same one: they count as two examples.`,
    })
  return id
}

function readNodes(value: Record<string, unknown>, report: Report, state: FileState, line: number): number[][] {
  const { nodes, node_features: rows } = value
  if (nodes === undefined) return readNodeFeatures(rows, 'node_features', report, state, line)
  if (rows !== undefined) report('nodes', 'nodes-twice', nodes, 'either nodes or node_features')
  if (!Number.isSafeInteger(nodes) || (nodes as number) < 1 || (nodes as number) > 1e7) {
    report('nodes', 'not-a-count', nodes, 'how many nodes there are, 1 or more')
    return []
  }
  agree('nodes', 'feature-width', 1, 'featureWidth', state, line, report)
  return Array.from({ length: nodes as number }, () => [1])
}

const targetOf: Record<GraphKind, string> = {
  node: 'the index of a node',
  graph: 'a label: a string, a number or a boolean',
  sequence: 'a list of node indices, or of labels (strings)',
}

function readTarget(
  target: unknown,
  kind: GraphKind,
  nodes: number,
  report: Report,
  state: FileState,
  line: number,
): GraphTarget | undefined {
  const isNode = (value: unknown) => Number.isSafeInteger(value) && (value as number) >= 0 && (value as number) < nodes
  const refuse = (at: string, found: unknown, expected: string) => {
    report(at, 'target', found, expected)
    return undefined
  }
  if (kind === 'node') return isNode(target) ? (target as number) : refuse('target', target, `${targetOf.node}, 0 to ${nodes - 1}`)
  if (kind === 'graph')
    return ['string', 'number', 'boolean'].includes(typeof target) ? String(target) : refuse('target', target, targetOf.graph)
  if (!Array.isArray(target)) return refuse('target', target, targetOf.sequence)
  if (target.length === 0) return []
  const of = typeof target[0] === 'string' ? 'labels' : 'nodes'
  const before = (state.outputs ??= { of, line })
  if (before.of !== of) return refuse('target', target, `${before.of}, as on line ${before.line}`)
  const bad = target.findIndex((output) => (of === 'labels' ? typeof output !== 'string' : !isNode(output)))
  if (bad < 0) return target
  return refuse(
    `target[${bad}]`,
    target[bad],
    of === 'labels' ? 'a label (a string), as the others are' : `indices of nodes, 0 to ${nodes - 1}`,
  )
}

function readAnnotations(value: unknown, kind: GraphKind, nodeFeatures: readonly number[][], report: Report): number[][][] | undefined {
  if (kind !== 'sequence') {
    report('annotations', 'annotations', 'annotations', `none: only sequences have them, and this is a file of the kind ${kind}`)
    return undefined
  }
  const expected = `a list of ${nodeFeatures.length} rows of ${nodeFeatures[0]?.length ?? 0} numbers from 0 to 1 for each output after the first`
  const fits = (rows: unknown) =>
    Array.isArray(rows) &&
    rows.length === nodeFeatures.length &&
    rows.every((row, v) => Array.isArray(row) && row.length === nodeFeatures[v]!.length && row.every(isShare))
  if (!Array.isArray(value)) report('annotations', 'not-a-list', value, expected)
  const bad = Array.isArray(value) ? value.findIndex((rows) => !fits(rows)) : -1
  if (bad >= 0) report(`annotations[${bad}]`, 'annotations', (value as unknown[])[bad], expected)
  return Array.isArray(value) && bad < 0 ? value : undefined
}

const isShare = (x: unknown): boolean => typeof x === 'number' && x >= 0 && x <= 1
