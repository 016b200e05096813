import type { Rng } from '../../util/random.js'
import type { CatalogNode } from '../../vocabulary.js'
import { tasks } from '../tasks/index.js'
import { nameFit, sameSort } from '../tasks/rules.js'
import type { Known } from '../tasks/task.js'
import { type EstateIndex, isPrimaryKey } from './estate.js'
import type { FeatureSpec } from './spec.js'

/** Comparing names takes a microsecond a node: a sample of a very large group has near names enough. */
const maxCompared = 10_000

/** How much a node is linked to as it is, keys being made for it. */
const popularity = (index: EstateIndex, { task }: FeatureSpec, node: CatalogNode): number =>
  index.incident(node.id, [tasks[task].label]).filter((e) => e.targetId === node.id).length + (isPrimaryKey(node) ? 0.5 : 0)

/**
 * Draws `wanted` of the pool: a share of `hard` that is hard (half of it near in name and of the same sort, half popular targets and
 * keys), the rest at random.
 */
export function drawNegatives(
  known: Known,
  query: CatalogNode,
  pool: readonly CatalogNode[],
  { wanted, hard, spec }: { wanted: number; hard: number; spec: FeatureSpec },
  rng: Rng,
): CatalogNode[] {
  const near = Math.round((wanted * hard) / 2)
  const compared = sampleOf(pool, maxCompared, rng)
  const chosen = new Set(best(compared, near, (node) => nameFit(query, node, known) + 0.25 * sameSort(query, node, known)))
  // Popular ones may be near ones too: twice as many are looked at.
  addUpTo(
    chosen,
    best(pool, 2 * near, (node) => popularity(known.index, spec, node)),
    2 * near,
  )
  addUpTo(chosen, rng.shuffle(sampleOf(pool, 4 * wanted, rng)), wanted)
  return [...chosen]
}

function addUpTo<T>(chosen: Set<T>, items: readonly T[], size: number): void {
  for (const item of items) if (chosen.size < size) chosen.add(item)
}

/** k items, or a few less, drawn one by one: a shuffle of every column of a large estate would cost more than all the rest. */
const sampleOf = <T>(items: readonly T[], k: number, rng: Rng): readonly T[] =>
  items.length <= k ? items : [...new Set(Array.from({ length: k }, () => items[rng.integer(items.length)]!))]

/** The k items of the highest score, highest first; of equal ones those that come first. */
export function best<T>(items: readonly T[], k: number, score: (item: T) => number): T[] {
  const top: { item: T; score: number }[] = []
  for (const item of items) {
    const own = score(item)
    if (top.length >= k && own <= (top.at(-1)?.score ?? Number.POSITIVE_INFINITY)) continue
    let place = top.length
    while (place > 0 && top[place - 1]!.score < own) place--
    top.splice(place, 0, { item, score: own })
    if (top.length > k) top.pop()
  }
  return top.map(({ item }) => item)
}
