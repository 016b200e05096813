/** Whole numbers that sum to `total` in the given shares (largest remainder; earlier shares first among equals). */
export function apportion(total: number, shares: readonly number[]): number[] {
  const exact = shares.map((share) => share * total)
  const counts = exact.map((x) => Math.floor(x + 1e-9))
  const order = shares.map((_, i) => i).sort((i, j) => exact[j]! - counts[j]! - (exact[i]! - counts[i]!))
  for (let rest = total - counts.reduce((a, b) => a + b, 0), k = 0; rest > 0; rest--, k++) counts[order[k % order.length]!]!++
  // Every share above 0 gets one, from the part that has most, as long as that part keeps one.
  shares.forEach((share, i) => {
    const most = counts.indexOf(Math.max(...counts))
    if (share > 0 && counts[i] === 0 && counts[most]! > 1) {
      counts[i]!++
      counts[most]!--
    }
  })
  return counts
}
