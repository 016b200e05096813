import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { GraphBuilder } from '../../../src/tensor/builder.js'
import { decayMask, planFlat, viewsOf, writeFlat } from '../../../src/tensor/flat.js'
import { closeGraph } from '../../../src/tensor/graph.js'
import { sliceOf } from '../../../src/tensor/parallel/shared.js'
import { float32 } from '../../../src/tensor/tensor.js'
import { workOf } from '../../../src/tensor/work.js'

const specs = [
  { name: 'w', shape: [2, 3], decay: true },
  { name: 'b', shape: [2], decay: false },
  { name: 's', shape: [], decay: true },
]

describe('the flat vector of parameters', () => {
  const plan = planFlat(specs)
  it('holds them one after another, and its views share its memory', () => {
    expect(plan.length).toBe(9)
    const flat = new Float32Array(plan.length)
    writeFlat(flat, plan, { w: float32([2, 3], [1, 2, 3, 4, 5, 6]), b: float32([2], [7, 8]), s: float32([], [9]) })
    expect([...flat]).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9])
    const views = viewsOf(flat, plan, (name) => `view.${name}`)
    expect(Object.entries(views).map(([name, t]) => [name, t.dims, [...(t.data as Float32Array)]])).toEqual([
      ['view.w', [2, 3], [1, 2, 3, 4, 5, 6]],
      ['view.b', [2], [7, 8]],
      ['view.s', [], [9]],
    ])
    flat[6] = -1
    expect(views['view.b']!.data[0]).toBe(-1)
  })
  it('knows where weights decay', () => {
    expect([...decayMask(plan)]).toEqual([1, 1, 1, 1, 1, 1, 0, 0, 1])
  })
})

describe('slices of workers', () => {
  it('cover every element once, in order, whatever the counts', () => {
    fc.assert(
      fc.property(fc.nat(5000), fc.integer({ min: 1, max: 9 }), (length, workers) => {
        const slices = Array.from({ length: workers }, (_, w) => sliceOf(length, w, workers))
        expect(slices[0]![0]).toBe(0)
        expect(slices.at(-1)![1]).toBe(length)
        slices.forEach(([from, to], w) => {
          expect(from).toBeLessThanOrEqual(to)
          if (w > 0) expect(from).toBe(slices[w - 1]![1])
        })
      }),
    )
  })
})

describe('the work of a graph', () => {
  it('counts multiplications and additions of its products, batches included, at the sizes that are fed', () => {
    const b = new GraphBuilder()
    const x = b.input('x', 'float32', ['B', 'n', 4])
    const w = b.input('w', 'float32', [5, 4])
    const adjacency = b.input('a', 'float32', ['B', 'n', 'n'])
    const y = b.matmul(adjacency, b.matmul(x, w, { transB: true }))
    const rows = b.reshape(y, ['B*n', 5])
    const graph = closeGraph({ c: b.gemm(rows, rows, b.scalar(0), { transA: true }) })
    const feeds = { x: float32([2, 3, 4]), w: float32([5, 4]), a: float32([2, 3, 3]) }
    // x w: 2 x 3 rows, 4 -> 5; adjacency: 2 times 3 x 3 x 5; the last: 5 x 6 x 5
    expect(workOf(graph, feeds)).toBe(2 * (6 * 4 * 5 + 2 * 3 * 3 * 5 + 5 * 6 * 5))
  })
})
