import type { Problem } from '../util/problem.js'
import { problem } from '../util/problem.js'
import type { CandidateGraph, RankingList } from './ranking-list.js'

/** What a model reads of ranking lists: widths that every list must have. */
export interface RankingWidths {
  features: number
  queryFeatures: number
  edgeTypes: number
}

const finite = (values: ArrayLike<number>) => {
  for (let i = 0; i < values.length; i++) if (!Number.isFinite(values[i]!)) return false
  return true
}

function validateCandidate(candidate: CandidateGraph, where: string, { features, edgeTypes }: RankingWidths): Problem[] {
  const problems: Problem[] = []
  const add = (code: string, found: string, expected: string) => problems.push(problem({ code, where, found, expected }))
  const n = candidate.nodeFeatures.length
  const odd = candidate.nodeFeatures.findIndex((row) => row.length !== features)
  if (odd >= 0) add('feature-width', `${candidate.nodeFeatures[odd]!.length} features at node ${odd}`, `${features} features per node`)
  const infinite = candidate.nodeFeatures.findIndex((row) => !finite(row))
  if (infinite >= 0) add('not-finite', `NaN or Infinity in the features of node ${infinite}`, 'finite numbers')
  const out = candidate.edges.find((edge) => edge.some((v) => !Number.isInteger(v) || v < 0 || v >= n))
  if (out) add('edge-bounds', `edge [${out}]`, `node indices from 0 to ${n - 1}`)
  const { edgeTypes: types, edgeDirections: directions, edges } = candidate
  if (types && types.length !== edges.length) add('edge-types', `${types.length} edge types`, `one per edge (${edges.length})`)
  const type = types?.find((t) => !Number.isInteger(t) || t < 0 || t >= edgeTypes)
  if (type !== undefined) add('edge-type', `edge type ${type}`, `0 to ${edgeTypes - 1} (the option edgeTypes is ${edgeTypes})`)
  if (directions && directions.length !== edges.length)
    add('edge-directions', `${directions.length} edge directions`, `one per edge (${edges.length})`)
  const direction = directions?.find((d) => d !== 0 && d !== 1)
  if (direction !== undefined)
    add('edge-direction', `edge direction ${direction}`, '0 (the pair runs along its relation) or 1 (against it)')
  if (candidate.label !== undefined && !Number.isFinite(candidate.label)) add('not-finite', `label ${candidate.label}`, 'a finite number')
  return problems
}

/** What keeps a list from being encoded. An empty list is a warning: its loss is 0 and it has no scores. */
export function validateList(list: RankingList, widths: RankingWidths): Problem[] {
  const where = `list ${list.queryId}`
  if (list.candidates.length === 0)
    return [
      problem({
        severity: 'warning',
        code: 'empty-list',
        where,
        found: 'no candidates',
        expected: 'at least one',
        suggestion: 'its loss counts as 0',
      }),
    ]
  const query = list.query ?? []
  const problems: Problem[] = []
  if (widths.queryFeatures > 0 && query.length !== widths.queryFeatures)
    problems.push(
      problem({
        code: 'query-width',
        where,
        found: `a query of ${query.length} numbers`,
        expected: `${widths.queryFeatures} (the option queryFeatures)`,
      }),
    )
  if (!finite(query))
    problems.push(problem({ code: 'not-finite', where, found: 'NaN or Infinity in the query', expected: 'finite numbers' }))
  list.candidates.forEach((candidate, i) => {
    problems.push(...validateCandidate(candidate, `${where}, candidate ${candidate.id ?? i}`, widths))
  })
  return problems
}

/** One message: node `to` hears node `from` over edge type and direction `channel` = 2 type + direction. */
export interface Message {
  from: number
  to: number
  channel: number
}

/**
 * A pair [from, to] is a message from `from` to `to`. Its direction says which matrix it goes through: 0 when the pair runs along its
 * relation, 1 when it runs against it (the conformance numbers settle this reading). Without directions each pair speaks both ways:
 * as it stands through matrix 0, and turned round through matrix 1.
 */
export function messagesOf({ edges, edgeTypes, edgeDirections }: CandidateGraph): Message[] {
  return edges.flatMap(([from, to], i) => {
    const channel = 2 * (edgeTypes?.[i] ?? 0)
    const direction = edgeDirections?.[i]
    if (direction !== undefined) return [{ from, to, channel: channel + direction }]
    return [
      { from, to, channel },
      { from: to, to: from, channel: channel + 1 },
    ]
  })
}
