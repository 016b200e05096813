import { seeded } from '../../util/random.js'

/** Where a run is in its data: two numbers, so that a checkpoint holds it whole. */
export interface Position {
  /** from 0 */
  epoch: number
  /** optimizer steps of this epoch already taken */
  batch: number
}

/**
 * The order of an epoch: a permutation of 0 … n-1 drawn from (seed, epoch) alone. No state runs from epoch to epoch, so that a resumed
 * run sees the very order it would have seen.
 */
export function epochOrder(seed: number, epoch: number, n: number): number[] {
  return seeded(seed)
    .fork(`epoch ${epoch}`)
    .shuffle(Array.from({ length: n }, (_, i) => i))
}
