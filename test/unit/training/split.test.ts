import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ggnn } from '../../../src/models/ggnn.js'
import { rankingTask } from '../../../src/training/jobs/learning-task.js'
import { parseTrainingOptions } from '../../../src/training/options.js'
import { planEpoch } from '../../../src/training/plan.js'
import { chooseWorkers, splitBatch } from '../../../src/training/sampling/parts.js'
import { toyLists } from '../../support/toy-lists.js'

describe('splitBatch', () => {
  it('keeps every example once and in order, leaves no part empty, and gives every worker as many where there are enough', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 900 }), { minLength: 1, maxLength: 40 }),
        fc.integer({ min: 0, max: 5 }),
        (sizes, workers) => {
          const batch = [...sizes.keys()].map((i) => i + 7)
          const parts = splitBatch(batch, (i) => sizes[i - 7]!, workers)
          expect(parts.flat()).toEqual(batch)
          expect(parts.every((part) => part.length > 0)).toBe(true)
          if (workers === 0) expect(parts).toHaveLength(1)
          else if (batch.length % workers === 0 || parts.length < batch.length) expect(parts.length % workers).toBe(0)
        },
      ),
    )
  })
  it('cuts equal examples into equal parts of about 1024 nodes', () => {
    const parts = splitBatch([...Array(8).keys()], () => 512, 2)
    expect(parts).toEqual([
      [0, 1],
      [2, 3],
      [4, 5],
      [6, 7],
    ])
    expect(splitBatch([...Array(8).keys()], () => 10, 2).map((p) => p.length)).toEqual([4, 4])
  })
  it('sizes parts by nodes, not by examples', () => {
    const sizes = [500, 10, 10, 10, 10, 460]
    expect(splitBatch([...sizes.keys()], (i) => sizes[i]!, 2)).toEqual([[0], [1, 2, 3, 4, 5]])
  })
})

describe('chooseWorkers', () => {
  const choose = (hidden: number, lists: number, runtime = { threads: 2, executor: 'ort' }) => {
    const options = ggnn.options.parse({ features: 4, hidden, steps: 4 })
    return chooseWorkers(ggnn, options, toyLists(lists, { candidates: 8, nodes: [30, 32] }), runtime)
  }
  it('takes as many as threads for heavy steps, and none for light ones', () => {
    expect(choose(128, 8)).toBe(2)
    expect(choose(128, 8, { threads: 4, executor: 'ort' })).toBe(4)
    expect(choose(8, 8)).toBe(0)
  })
  it('takes none where a step cannot be shared, or with one thread, or with another executor', () => {
    expect(choose(512, 1)).toBe(0)
    expect(choose(128, 8, { threads: 1, executor: 'ort' })).toBe(0)
    expect(choose(128, 8, { threads: 2, executor: 'tfjs' })).toBe(0)
  })
})

describe('planEpoch', () => {
  it('groups mini-batches into optimizer steps, the last one of what is left', () => {
    const plan = (accumulate: number) =>
      planEpoch({ task: rankingTask, training: toyLists(22), options: parseTrainingOptions({ batchExamples: 4, accumulate }) }, 0)
    const single = plan(1)
    expect(single).toHaveLength(6)
    const grouped = plan(4)
    expect(grouped.map((step) => step.length)).toEqual([4, 2])
    expect(grouped.flat()).toEqual(single.flat())
  })
})
