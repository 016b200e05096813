/** Shannon entropy in bits of a distribution given as weights (they are normalised); 0 log 0 = 0, and 0 where all weights are 0. */
export function entropyBits(weights: readonly number[]): number {
  const total = weights.reduce((sum, w) => sum + w, 0)
  if (total === 0) return 0
  return weights.reduce((sum, w) => (w > 0 ? sum - (w / total) * Math.log2(w / total) : sum), 0)
}

/**
 * Kullback-Leibler divergence sum p log2(p / q) in bits, both normalised first. Infinite where q is 0 and p is not: floor q before, if
 * the number is to be stored.
 */
export function klDivergenceBits(p: readonly number[], q: readonly number[]): number {
  const [totalP, totalQ] = [p, q].map((weights) => weights.reduce((sum, w) => sum + w, 0)) as [number, number]
  if (totalP === 0) return 0
  return p.reduce((sum, w, i) => (w > 0 ? sum + (w / totalP) * Math.log2(w / totalP / ((q[i] ?? 0) / totalQ)) : sum), 0)
}
