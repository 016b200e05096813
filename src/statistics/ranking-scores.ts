import { EspalierError } from '../util/error.js'

/**
 * Scores of one ranked list. Items with equal scores have no order, so each measure is its exact expectation over all orders of the
 * tied items, drawn uniformly (McSherry & Najork 2008, "Computing information retrieval performance measures efficiently in the
 * presence of tied scores"). A tie can therefore neither help nor harm: a constant scorer gets just what a random one gets on average.
 */
interface TieGroup {
  /** how many items are ranked above the group */
  above: number
  /** how many items tie */
  size: number
  /** of them, how many are relevant */
  relevant: number
  /** sum of their gains */
  gain: number
}

export interface RankedItems {
  /** higher is better; any finite numbers */
  scores: ArrayLike<number>
  /** graded relevance, >= 0, as long as `scores` */
  labels: ArrayLike<number>
  /** labels from here on count as relevant for MRR and Hits@k (default: the list's highest label, and more than 0) */
  relevantFrom?: number
}

function tieGroups(
  { scores, labels, relevantFrom = relevanceThreshold(labels) }: RankedItems,
  gain = (label: number) => label,
): TieGroup[] {
  assertList(scores, labels)
  const order = Array.from(scores, (_, i) => i).sort((i, j) => scores[j]! - scores[i]!)
  const groups: TieGroup[] = []
  order.forEach((item, above) => {
    const tied = above > 0 && scores[order[above - 1]!] === scores[item]
    if (!tied) groups.push({ above, size: 0, relevant: 0, gain: 0 })
    const group = groups.at(-1)!
    group.size++
    if (labels[item]! >= relevantFrom) group.relevant++
    group.gain += gain(labels[item]!)
  })
  return groups
}

/** The label from which an item counts as relevant: the highest one, infinity where no label is above 0. */
export function relevanceThreshold(labels: ArrayLike<number>): number {
  let highest = 0
  for (let i = 0; i < labels.length; i++) highest = Math.max(highest, labels[i]!)
  return highest > 0 ? highest : Number.POSITIVE_INFINITY
}

function assertList(scores: ArrayLike<number>, labels: ArrayLike<number>): void {
  if (scores.length !== labels.length)
    throw new EspalierError(
      'BAD_INPUT',
      `ranking scores: ${scores.length} scores for ${labels.length} labels, expected one score per label`,
    )
  for (let i = 0; i < scores.length; i++) {
    if (!Number.isFinite(scores[i]!))
      throw new EspalierError('BAD_INPUT', `ranking scores: score ${i} is ${scores[i]}, expected a finite number`, {
        remedy: 'A model that gives NaN or infinity has diverged; it cannot be ranked.',
      })
    if (!(labels[i]! >= 0 && Number.isFinite(labels[i]!)))
      throw new EspalierError('BAD_INPUT', `ranking scores: label ${i} is ${labels[i]}, expected a finite number, 0 or more`)
  }
}

/** Expected 1 / rank of the first relevant item; 0 when none is relevant. */
export function reciprocalRank(items: RankedItems): number {
  const group = tieGroups(items).find((g) => g.relevant > 0)
  if (!group) return 0
  // P(the first relevant one stands at place j of the group), from place to place: all places before hold irrelevant ones.
  let [expected, noneBefore] = [0, 1]
  for (let j = 0; j <= group.size - group.relevant; j++) {
    const here = group.relevant / (group.size - j)
    expected += (noneBefore * here) / (group.above + j + 1)
    noneBefore *= 1 - here
  }
  return expected
}

/** Expected share of lists like this with a relevant item among the first k: 0 or 1 unless a tie lies across place k. */
export function hitsAt(k: number, items: RankedItems): number {
  const group = tieGroups(items).find((g) => g.relevant > 0)
  if (!group) return 0
  const places = Math.min(k - group.above, group.size)
  let none = 1
  for (let j = 0; j < places; j++) none *= Math.max(0, 1 - group.relevant / (group.size - j))
  return places > 0 ? 1 - none : 0
}

const gains = { linear: (label: number) => label, exponential: (label: number) => 2 ** label - 1 }

/**
 * Normalised discounted cumulative gain over the first k places (Järvelin & Kekäläinen 2002): gain / log2(rank + 1), divided by that of
 * the best order. `linear` gain is the label itself (scikit-learn's `ndcg_score`), `exponential` 2^label - 1. 0 when no label is above 0.
 */
export function ndcgAt(k: number, items: RankedItems, gain: keyof typeof gains = 'linear'): number {
  const discount = (rank: number) => (rank < k ? 1 / Math.log2(rank + 2) : 0)
  let achieved = 0
  for (const group of tieGroups(items, gains[gain])) {
    let discounts = 0
    for (let j = 0; j < group.size; j++) discounts += discount(group.above + j)
    achieved += (group.gain / group.size) * discounts
  }
  const best = Array.from(items.labels, gains[gain]).sort((x, y) => y - x)
  const ideal = best.reduce((sum, g, rank) => sum + g * discount(rank), 0)
  return ideal > 0 ? achieved / ideal : 0
}
