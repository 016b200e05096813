import type { Int8Report } from '../manifest.js'
import type { Scorer } from './scorer.js'

const maxRounds = 15
const budgetMs = 1500
/** What serving would score at once. */
const batchSize = 16

const median = (values: readonly number[]) => [...values].sort((a, b) => a - b)[values.length >> 1]!

/**
 * Milliseconds that each precision takes for one batch of the validation set, run in turns so that both meet the same machine. The
 * ratio is what to look at: absolute times are of the moment.
 */
export async function compareSpeed<Example>(
  scorers: Record<'fp32' | 'int8', Pick<Scorer<Example>, 'encode' | 'score'>>,
  examples: readonly Example[],
): Promise<Int8Report['speed']> {
  const { batch } = scorers.fp32.encode(examples.slice(0, batchSize))
  const times: Record<'fp32' | 'int8', number[]> = { fp32: [], int8: [] }
  const time = async (which: 'fp32' | 'int8') => {
    const began = performance.now()
    await scorers[which].score(batch)
    return performance.now() - began
  }
  // the first run of a shape lays out its memory
  for (const which of ['fp32', 'int8'] as const) await time(which)
  const began = performance.now()
  while (times.fp32.length < maxRounds && (times.fp32.length < 3 || performance.now() - began < budgetMs))
    for (const which of ['fp32', 'int8'] as const) times[which].push(await time(which))
  const [fp32, int8] = [median(times.fp32), median(times.int8)]
  return {
    examples: batch.size,
    graphs: batch.graphs,
    nodes: batch.nodes,
    rounds: times.fp32.length,
    fp32_ms: fp32,
    int8_ms: int8,
    ratio: fp32 / int8,
  }
}
