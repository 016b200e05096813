type Pair = [number, number]

export interface EdgePairs {
  edges: Pair[]
  /** `columns` = the 2xE layout beyond doubt; `ambiguous` = two edges that both layouts read, differently; read as pairs */
  layout: 'pairs' | 'columns' | 'ambiguous'
}

type Report = (at: string, code: string, found: unknown, expected: string, more?: { suggestion?: string }) => void

/**
 * Reads `edge_index` as pairs [from, to], the canonical layout; two rows of E numbers (E other than 2) can only be the 2xE layout, which
 * is turned into pairs. Indices must be those of `nodes` nodes.
 */
export function readEdgePairs(value: unknown, nodes: number, at: string, report: Report): EdgePairs {
  if (!Array.isArray(value) || value.some((row) => !Array.isArray(row))) {
    report(at, 'not-a-list', value, 'a list of pairs [from, to]')
    return { edges: [], layout: 'pairs' }
  }
  const rows = value as unknown[][]
  const layout = layoutOf(rows)
  const edges = layout === 'columns' ? rows[0]!.map((from, e) => [from, rows[1]![e]]) : rows
  edges.forEach((edge, e) => {
    reportEdge(edge, nodes, `${at}[${e}]`, report)
  })
  return { edges: edges as Pair[], layout }
}

function layoutOf(rows: readonly unknown[][]): EdgePairs['layout'] {
  const [first, second] = rows
  if (rows.length !== 2 || first!.length !== second!.length) return 'pairs'
  if (first!.length !== 2) return 'columns'
  // [[a, b], [b, c]] means the same edges in both layouts.
  return first![1] === second![0] ? 'pairs' : 'ambiguous'
}

function reportEdge(edge: readonly unknown[], nodes: number, at: string, report: Report): void {
  if (edge.length !== 2) {
    report(at, 'not-a-pair', edge, 'a pair [from, to]')
    return
  }
  for (const end of edge) {
    if (!Number.isSafeInteger(end)) report(at, 'not-an-index', end, 'the index of a node, from 0')
    else if ((end as number) < 0 || (end as number) >= nodes)
      report(at, 'edge-out-of-bounds', edge, nodes === 0 ? 'no edge, as there is no node' : `indices of nodes, 0 to ${nodes - 1}`)
  }
}
