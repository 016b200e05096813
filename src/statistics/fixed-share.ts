/**
 * Weights of experts that follow how well each did, and forgive: after every round each expert hands a share of its weight to all alike, so
 * that whoever was wrong for long is heard again soon after it is right (fixed share; Herbster & Warmuth 1998). With rate 1 and losses
 * -ln p, what the weighted mean of n experts' probabilities loses is at most that of the best sequence of experts that changes k times, and
 * ln n + k ln(n / share) + (rounds - 1 - k) ln(1 / (1 - share + share / n)).
 */
export class FixedShare {
  #weights: number[]
  readonly #share: number

  /** `share`: between 0 (plain Bayes; experts may then fall silent for good) and 1 (all alike for ever) */
  constructor(experts: number, share: number) {
    this.#weights = Array.from({ length: experts }, () => 1 / experts)
    this.#share = share
  }

  /** one an expert; they sum to 1 */
  weights(): readonly number[] {
    return this.#weights
  }

  /** Weighted mean of what the experts say. */
  mix(said: readonly number[]): number {
    return this.#weights.reduce((sum, weight, e) => sum + weight * said[e]!, 0)
  }

  /** `losses`: one an expert, finite; `rate`: what the round counts */
  learn(losses: readonly number[], rate = 1): void {
    const least = Math.min(...losses)
    const after = this.#weights.map((weight, e) => weight * Math.exp(-rate * (losses[e]! - least)))
    const total = after.reduce((a, b) => a + b, 0)
    this.#weights = after.map((weight) => ((1 - this.#share) * weight) / total + this.#share / after.length)
  }
}
