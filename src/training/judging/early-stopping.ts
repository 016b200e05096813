import { type Direction, isBetter } from './gates.js'

export interface Best {
  step: number
  epoch: number
  /** of the monitored metric */
  value: number
  metrics: Record<string, number>
}

export interface Stopping {
  best: Best | null
  /** validations since the best one */
  sinceBest: number
}

/**
 * One validation more. The best is the lowest (highest) value so far by more than `minImprovement`; a tie keeps the earlier. NaN is
 * never an improvement.
 */
export function observeValidation(stopping: Stopping, seen: Best, direction: Direction, minImprovement: number): Stopping {
  const { best } = stopping
  const improves = best === null ? !Number.isNaN(seen.value) : isBetter(seen.value, best.value, direction, minImprovement)
  return improves ? { best: seen, sinceBest: 0 } : { best, sinceBest: stopping.sinceBest + 1 }
}

/** True once `patience` validations in a row brought no improvement; a patience of null never stops. */
export const isExhausted = ({ sinceBest }: Stopping, patience: number | null): boolean => patience !== null && sinceBest >= patience
