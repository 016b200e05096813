import type { Model } from '../../models/model.js'
import { buildGradient } from '../../models/trainer.js'
import { workOf } from '../../tensor/work.js'

/**
 * Nodes of one part: what a run costs whatever its size (packed weights, products of weights) is shared by many, and the activations of a
 * part's round stay in the processor's cache. Measured (hidden 128): 512 slower by 4 %, 256 by 10 %.
 */
const partNodes = 1024

/**
 * A mini-batch cut into parts for `workers` worker threads, in order and of nearly equal size: of about `partNodes` nodes each, as many
 * for every worker. Without workers it stays whole: one run of one graph. Depends on nothing but its arguments.
 */
export function splitBatch(batch: readonly number[], sizeOf: (index: number) => number, workers: number): number[][] {
  if (workers === 0) return [[...batch]]
  const sizes = batch.map(sizeOf)
  const total = sizes.reduce((sum, size) => sum + size, 0)
  const rounds = Math.max(1, Math.round(total / partNodes / workers))
  const count = Math.min(batch.length, rounds * workers)
  let [start, before] = [0, 0]
  return Array.from({ length: count }, (_, part) => {
    // one example at least, and one for each part that comes after; else up to where this part's share of the nodes ends
    const last = batch.length - (count - 1 - part)
    let end = start
    do before += sizes[end++]!
    while (end < last && (part === count - 1 || before + sizes[end]! / 2 <= (total * (part + 1)) / count))
    const examples = batch.slice(start, end)
    start = end
    return examples
  })
}

/** Floating point operations of a step's matrix products from which sharing it pays. */
const heavyStep = 1e9

/**
 * How many workers a training gets that asks for none in particular: as many as threads where a typical step is heavy and can be shared
 * evenly, else 0. It is decided by shapes alone, so that a run that resumes decides alike.
 */
export function chooseWorkers<O, E>(
  model: Model<O, E>,
  modelOptions: O,
  typical: readonly E[],
  { threads, executor }: { threads: number; executor: string },
): number {
  if (threads < 2 || executor !== 'ort' || typical.length < 2 * threads) return 0
  const { batch } = model.encode(typical, modelOptions)
  return workOf(buildGradient(model, modelOptions, batch.layout), batch.feeds) >= heavyStep ? threads : 0
}
