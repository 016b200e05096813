import type { CandidateGraph, RankingList } from '../models/ranking-list.js'
import { kendallTau } from '../statistics/rank-correlation.js'
import type { Environment } from './environment.js'
import type { ParityReport } from './manifest.js'
import { refuseProblems, type Scorer } from './scorer.js'

/** The gate of fp32: no score of the exported file may differ more from the trainer's. */
export const tolerance = 1e-5

/** What the trainer says of lists: the same model and weights, through the graphs of training and the layout that training chooses. */
export type ReferenceScores = (lists: readonly RankingList[]) => Promise<number[][]>

/** The file of inputs with the scores that they must have: whoever runs the model elsewhere checks himself by it. */
export const samplesPath = 'parity-samples.json'
export interface ParitySamples {
  tolerance: number
  lists: RankingList[]
  scores: number[][]
}

type Edge = readonly [number, number]
const ring: readonly Edge[] = [
  [0, 1],
  [1, 2],
  [2, 0],
]

/** Graphs of every kind that a file must get right, one candidate each. */
const cases: readonly { case: string; nodes: number; edges: readonly Edge[]; directions?: readonly (0 | 1)[] }[] = [
  { case: 'forward', nodes: 3, edges: ring, directions: [0, 0, 0] },
  { case: 'backward', nodes: 3, edges: ring, directions: [1, 1, 1] },
  { case: 'mixed', nodes: 3, edges: ring, directions: [0, 1, 0] },
  { case: 'both ways', nodes: 3, edges: ring },
  { case: 'no edges', nodes: 3, edges: [] },
  { case: 'self-loop', nodes: 2, edges: [[1, 1]] },
  { case: 'one node', nodes: 1, edges: [] },
  { case: 'no nodes', nodes: 0, edges: [] },
]

/** The grid as lists: each graph alone, and all of them as one list (padding beside graphs of other sizes). */
export function parityGrid(features: number, queryWidth: number): { case: string; list: RankingList }[] {
  const row = (node: number) => Array.from({ length: features }, (_, k) => Math.sin(1 + 3 * node + k))
  const graphs: CandidateGraph[] = cases.map(({ nodes, edges, directions }) => ({
    nodeFeatures: Array.from({ length: nodes }, (_, node) => row(node)),
    edges,
    ...(directions ? { edgeDirections: directions } : {}),
    label: 0,
  }))
  const query =
    queryWidth > 0
      ? {
          query: row(7)
            .slice(0, queryWidth)
            .concat(new Array(Math.max(0, queryWidth - features)).fill(0.5)),
        }
      : {}
  const list = (queryId: string, candidates: CandidateGraph[]): RankingList => ({ queryId, ...query, candidates })
  return [
    ...cases.map((c, i) => ({ case: c.case, list: list(`grid: ${c.case}`, [graphs[i]!]) })),
    { case: 'all together', list: list('grid: all together', graphs) },
  ]
}

/** Largest |a - b| over all scores; null when one is not finite or the shapes differ. */
export function largestDifference(a: readonly (readonly number[])[], b: readonly (readonly number[])[]): number | null {
  if (a.length !== b.length) return null
  let largest = 0
  for (const [i, row] of a.entries()) {
    if (row.length !== b[i]!.length) return null
    for (const [j, value] of row.entries()) {
      const difference = Math.abs(value - b[i]![j]!)
      if (!Number.isFinite(difference)) return null
      largest = Math.max(largest, difference)
    }
  }
  return largest
}

/** How alike two sets of scores rank: mean Kendall tau and the share of lists with the same best candidate (first of equals). */
export function rankAgreement(a: readonly (readonly number[])[], b: readonly (readonly number[])[]) {
  const taus: number[] = []
  let [same, counted] = [0, 0]
  const best = (row: readonly number[]) => row.indexOf(Math.max(...row))
  for (const [i, row] of a.entries()) {
    if (row.length === 0) continue
    counted++
    if (best(row) === best(b[i]!)) same++
    const tau = kendallTau(row, b[i]!)
    if (tau !== null) taus.push(tau)
  }
  return {
    kendall_tau: taus.length > 0 ? taus.reduce((s, t) => s + t, 0) / taus.length : null,
    top1_agreement: counted > 0 ? same / counted : null,
  }
}

export interface ParityRequest {
  lists: readonly RankingList[]
  grid: readonly { case: string; list: RankingList }[]
  scorer: Omit<Scorer, 'close'>
  reference: ReferenceScores
  environment: Environment
}

/** Compares exported files with the trainer over the validation lists and the grid; passes when every difference is within 1e-5. */
export async function measureParity({ lists, grid, scorer, reference, environment }: ParityRequest): Promise<ParityReport> {
  const exported: number[][] = []
  const expected: number[][] = []
  for (let start = 0; start < lists.length; start += chunk) {
    const part = lists.slice(start, start + chunk)
    const { batch, problems } = scorer.encode(part)
    refuseProblems('parity', problems)
    exported.push(...(await scorer.score(batch)))
    expected.push(...(await reference(part)))
  }
  const gridResults: ParityReport['grid'] = []
  for (const layout of scorer.layouts)
    for (const { case: name, list } of grid) {
      const { batch } = scorer.encode([list], layout)
      const difference = largestDifference(await scorer.score(batch), await reference([list]))
      const passed = difference !== null && difference <= tolerance
      gridResults.push({ case: `${layout}: ${name}`, max_abs_diff: difference, passed })
    }
  const difference = largestDifference(exported, expected)
  const isComparable = difference !== null
  return {
    precision: 'fp32',
    lists: lists.length,
    candidates: exported.reduce((sum, row) => sum + row.length, 0),
    max_abs_diff: difference,
    tolerance,
    ...(isComparable ? rankAgreement(exported, expected) : { kendall_tau: null, top1_agreement: null }),
    grid: gridResults,
    passed: isComparable && difference <= tolerance && gridResults.every((g) => g.passed),
    onnxruntime: environment.producer['onnxruntime-node'] ?? 'unknown',
    cpu: environment.cpu,
    cpu_flags: environment.cpuFlags,
  }
}

/** Lists scored at once: enough for the threads, little enough for memory. */
const chunk = 16
