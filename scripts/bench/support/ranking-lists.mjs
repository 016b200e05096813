import { seeded } from '../../../dist/util/random.js'

/** Random ranking lists of graphs of one size, the same for the same `size`. */
export function makeLists({ candidates, nodes, edges, features }, count, seed = 1) {
  const rng = seeded(seed)
  const numbers = (n) => Float32Array.from({ length: n }, () => rng.next() * 2 - 1)
  return Array.from({ length: count }, (_, q) => ({
    queryId: `${q}`,
    candidates: Array.from({ length: candidates }, (_, k) => ({
      nodeFeatures: Array.from({ length: nodes }, () => numbers(features)),
      edges: Array.from({ length: edges }, () => [rng.integer(nodes), rng.integer(nodes)]),
      label: k === q % candidates ? 1 : 0,
    })),
  }))
}
