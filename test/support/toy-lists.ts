import type { RankingList } from '../../src/models/rankings/ranking-list.js'
import { seeded } from '../../src/util/random.js'

/**
 * Lists with something to learn that no single node tells: the relevant candidate is the one whose first node's neighbour carries the
 * mark. `features` numbers a node: two flags, the rest noise.
 */
export function toyLists(
  count: number,
  {
    seed = 1,
    features = 4,
    candidates = 4,
    nodes = [2, 5],
  }: { seed?: number; features?: number; candidates?: number; nodes?: [number, number] } = {},
): RankingList[] {
  const rng = seeded(seed)
  return Array.from({ length: count }, (_, q) => {
    const best = rng.integer(candidates)
    return {
      queryId: `q${q}`,
      group: `g${q % 7}`,
      candidates: Array.from({ length: candidates }, (_, c) => {
        const n = nodes[0] + rng.integer(nodes[1] - nodes[0] + 1)
        const marked = c === best ? 1 : n - 1
        return {
          id: `q${q}c${c}`,
          nodeFeatures: Array.from({ length: n }, (_, v) =>
            Array.from({ length: features }, (_, k) =>
              k === 0 ? Number(v === 0) : k === 1 ? Number(v === marked && (c === best || n > 2)) : Math.fround(rng.normal() * 0.1),
            ),
          ),
          edges: Array.from({ length: n - 1 }, (_, v) => [v, v + 1] as const),
          label: Number(c === best),
        }
      }),
    }
  })
}
