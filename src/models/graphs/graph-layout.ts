import type { GraphBuilder } from '../../tensor/builder.js'
import { multiplyDimensions } from '../../tensor/dimension.js'
import type { Value } from '../../tensor/graph.js'
import type { RowMap } from '../../tensor/ops/indexed.js'

/** A batch of B graphs as a model sees it: rows of nodes (padding included), and the three ways in which rows meet. */
export interface GraphLayout {
  /** [R, F] */
  features: Value
  /** ways in which a node hears another: edge types and directions */
  readonly channels: number
  /** [R, channels H] -> [R, H]: every node's sum over its incoming messages, each in its own channel's block of columns */
  messages(outgoing: Value): Value
  /** [R, 1]: 1 / number of incoming messages (1 without any) */
  inverseDegree(): Value
  /** [R, H] -> [B, H]: over each graph's own nodes; 0 for a graph without nodes */
  pool(rows: Value, how: 'sum' | 'max'): Value
  /** [B, H] -> [R, H] */
  spread(graphs: Value): Value
}

/**
 * Small graphs, each padded to n nodes: adjacency [B, n, channels n] with column j channels + c for messages from node j over channel c,
 * so that one product covers every edge type in both directions.
 */
export function denseLayout(b: GraphBuilder, features: number, channels: number): GraphLayout {
  const rows = multiplyDimensions('B', 'n')
  const x = b.input('node_features', b.float, ['B', 'n', features])
  const adjacency = b.input('adjacency', b.float, ['B', 'n', multiplyDimensions(channels, 'n')])
  const mask = () => b.input('node_mask', b.float, ['B', 1, 'n'])
  const flat = (v: Value) => b.reshape(v, [rows, v.shape.at(-1)!])
  const batched = (v: Value) => b.reshape(v, ['B', 'n', v.shape[1]!])
  const column = (v: Value) => b.reshape(v, ['B', 'n', 1])
  return {
    features: flat(x),
    channels,
    messages: (outgoing) => {
      const hidden = (outgoing.shape[1] as number) / channels
      return flat(b.matmul(adjacency, b.reshape(outgoing, ['B', multiplyDimensions(channels, 'n'), hidden])))
    },
    inverseDegree: () => b.reshape(b.input('inverse_degree', b.float, ['B', 'n']), [rows, 1]),
    pool: (v, how) => {
      const width = v.shape[1]!
      if (how === 'sum') return b.reshape(b.matmul(mask(), batched(v)), ['B', width])
      const there = b.greater(column(mask()), b.scalar(0))
      const highest = b.reduceMax(b.where(there, batched(v), b.scalar(-1e30)), [1])
      return b.where(b.greater(highest, b.scalar(-1e29)), highest, b.scalar(0))
    },
    spread: (v) => flat(b.expand(b.reshape(v, ['B', 1, v.shape[1]!]), ['B', 'n', v.shape[1]!])),
  }
}

/**
 * How many source rows a group's tables hold; a destination row with more than the last gets a group doubled in width. Up to `exactWidth`
 * there is a group for every number of rows, so that these need no padding.
 */
export const exactWidth = 16
export const groupWidths: readonly number[] = [...Array.from({ length: exactWidth }, (_, i) => i + 1), 24, 32, 48, 64, 96, 128]

/** Names of the tables of one map: `<map>_<width>` and `<map>_order`. */
export const tableName = (map: string, width: number) => `${map}_${width}`
export const orderName = (map: string) => `${map}_order`

/** Widths of the four maps, in the layout's name, each the widest group of a map: `sparse:<messages>/<replies>/<pool>`. */
export const sparseName = (messages: number, replies: number, pool: number) => `sparse:${messages}/${replies}/${pool}`

/** The widest group of each map of a sparse layout. */
export interface SparseWidths {
  messages: number
  replies: number
  pool: number
}

/** The widths that a name of `sparseName` says. */
export function sparseWidths(name: string): SparseWidths {
  const [messages, replies, pool] = name
    .slice(name.indexOf(':') + 1)
    .split('/')
    .map(Number) as [number, number, number]
  return { messages, replies, pool }
}

/**
 * The sparse layout of an exported file: groups up to a million neighbours a node and four million nodes a graph, so that one file takes
 * (nearly) any batch; groups that stay empty cost a microsecond or two each.
 */
export const exportedSparse = sparseName(1_048_576, 1_048_576, 4_194_304)

/** The groups up to `widest`, which is a width of `groupWidths` or one of their doublings. */
export function widthsUpTo(widest: number): number[] {
  const widths: number[] = groupWidths.filter((w) => w <= widest)
  while (widths.at(-1)! < widest) widths.push(widths.at(-1)! * 2)
  return widths
}

/** The narrowest group that holds `degree` source rows. */
export function groupFor(degree: number): number {
  const fixed = groupWidths.find((w) => w >= degree)
  if (fixed) return fixed
  let width: number = groupWidths.at(-1)!
  while (width < degree) width *= 2
  return width
}

/** How wide a layout's groups go: few answers, so that few graphs are compiled; groups that stay empty cost next to nothing. */
export function widestFor(degree: number): number {
  let widest = 4
  while (widest < degree) widest *= 4
  return widest
}

/** Large graphs: all nodes in one list of R rows, and sums by groups of equal degree (see `RowMap`), forwards and backwards. */
export function sparseLayout(b: GraphBuilder, name: string, features: number, channels: number): GraphLayout {
  const { messages, replies, pool } = sparseWidths(name)
  const x = b.input('node_features', b.float, ['R', features])
  const outgoing = multiplyDimensions(channels, 'R')
  const map = (title: string, widest: number, rows: string | number): RowMap => ({
    tables: widthsUpTo(widest).map((w) => b.input(tableName(title, w), 'int32', [tableName(title, w), w])),
    order: b.input(orderName(title), 'int32', [rows]),
    exact: Math.min(widest, exactWidth),
  })
  const toNodes = () => map('message', messages, 'R')
  const fromNodes = () => map('reply', replies, outgoing)
  const toGraphs = () => map('pool', pool, 'B')
  const toMembers = (): RowMap => ({ tables: [b.input('node_graph', 'int32', ['R', 1])], order: null })
  return {
    features: x,
    channels,
    messages: (v) => b.gatherSum(b.reshape(v, [outgoing, (v.shape[1] as number) / channels]), toNodes(), fromNodes()),
    inverseDegree: () => b.input('inverse_degree', b.float, ['R', 1]),
    pool: (v, how) => (how === 'sum' ? b.gatherSum(v, toGraphs(), toMembers()) : b.segmentMax(v, toGraphs(), toMembers())),
    spread: (v) => b.gatherSum(v, toMembers(), toGraphs()),
  }
}

export const layoutFor = (b: GraphBuilder, name: string, features: number, channels: number): GraphLayout =>
  name === 'dense' ? denseLayout(b, features, channels) : sparseLayout(b, name, features, channels)
