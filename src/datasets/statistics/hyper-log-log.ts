/** Bits that choose a register: 16,384 of them, so that the standard error is 1.04 / 128 = 0.8 %. */
const bits = 14
const registers = 2 ** bits
/** What is left of a hash of 53 bits. */
const rest = 53 - bits

/**
 * How many different values went by, in 16 kB whatever their number (Flajolet et al. 2007), by the estimator of Ertl 2017 (algorithm 6),
 * which needs no table of corrections for small and large counts.
 */
export class HyperLogLog {
  static readonly standardError = 1.04 / Math.sqrt(registers)
  private readonly ranks = new Uint8Array(registers)

  /** `hash` of 53 bits: see hash53 */
  add(hash: number): void {
    const high = Math.floor(hash / 2 ** rest)
    const low = hash - high * 2 ** rest
    // place of the first bit that is set, from the top, in the bits left; 39 of them span two words
    const top = Math.floor(low / 2 ** 32)
    const rank = top !== 0 ? Math.clz32(top) - 25 + 1 : 7 + Math.clz32(low >>> 0) + 1
    if (rank > this.ranks[high]!) this.ranks[high] = rank
  }

  estimate(): number {
    const counts = new Array<number>(rest + 2).fill(0)
    for (const rank of this.ranks) counts[rank]!++
    let z = registers * tau(1 - counts[rest + 1]! / registers)
    for (let rank = rest; rank >= 1; rank--) z = 0.5 * (z + counts[rank]!)
    z += registers * sigma(counts[0]! / registers)
    return ((registers / (2 * Math.LN2)) * registers) / z
  }
}

/** x + sum x^(2^k) 2^(k-1) */
function sigma(x: number): number {
  if (x === 1) return Number.POSITIVE_INFINITY
  let [sum, power, weight, before] = [x, x, 1, -1]
  while (sum !== before) {
    before = sum
    power *= power
    sum += power * weight
    weight *= 2
  }
  return sum
}

/** (1 - x - sum (1 - x^(2^-k))^2 2^-k) / 3 */
function tau(x: number): number {
  if (x === 0 || x === 1) return 0
  let [sum, root, weight, before] = [1 - x, x, 1, -1]
  while (sum !== before) {
    before = sum
    root = Math.sqrt(root)
    weight /= 2
    sum -= (1 - root) ** 2 * weight
  }
  return sum / 3
}
