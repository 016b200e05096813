import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { openBatcher } from '../../../src/serving/batcher.js'
import { openCache } from '../../../src/serving/cache.js'
import { openLatency } from '../../../src/serving/latency.js'

describe('batcher', () => {
  /** Doubles numbers; each batch waits until it is let go. */
  const gated = (options: { maxItems: number; maxAgeMs: number; maxQueue: number }) => {
    const batches: number[][] = []
    const gates: (() => void)[] = []
    const batcher = openBatcher<number, number>(async (inputs) => {
      batches.push([...inputs])
      await new Promise<void>((resolve) => gates.push(resolve))
      if (inputs.includes(13)) throw new Error('thirteen')
      return inputs.map((x) => x * 2)
    }, options)
    const letGo = async () => {
      while (gates.length === 0) await new Promise((resolve) => setImmediate(resolve))
      gates.shift()!()
    }
    return { batcher, batches, letGo }
  }

  it('gathers by size, runs one batch at a time, and gives each his own answer', async () => {
    const { batcher, batches, letGo } = gated({ maxItems: 3, maxAgeMs: 10_000, maxQueue: 100 })
    const answers = [batcher.submit([1, 2]), batcher.submit([3, 4]), batcher.submit([5, 6])]
    expect(batches).toEqual([[1, 2, 3]])
    expect(batcher.pending).toBe(6)
    await letGo()
    await letGo()
    expect(await Promise.all(answers)).toEqual([
      [2, 4],
      [6, 8],
      [10, 12],
    ])
    expect(batches).toEqual([
      [1, 2, 3],
      [4, 5, 6],
    ])
    expect(batcher.pending).toBe(0)
  })

  it('gathers by age: what waits alone goes when its time is up', async () => {
    const { batcher, batches, letGo } = gated({ maxItems: 10, maxAgeMs: 5, maxQueue: 100 })
    const answers = [batcher.submit([1]), batcher.submit([2])]
    expect(batches).toEqual([])
    await letGo()
    expect(await Promise.all(answers)).toEqual([[2], [4]])
    expect(batches).toEqual([[1, 2]])
  })

  it('refuses at once what does not fit the queue, and goes on', async () => {
    const { batcher, letGo } = gated({ maxItems: 1, maxAgeMs: 0, maxQueue: 2 })
    const first = batcher.submit([1])
    const waiting = batcher.submit([2, 3])
    await expect(batcher.submit([4])).rejects.toMatchObject({ code: 'OVERLOADED' })
    for (let i = 0; i < 3; i++) await letGo()
    expect(await Promise.all([first, waiting])).toEqual([[2], [4, 6]])
    const next = batcher.submit([5])
    await letGo()
    expect(await next).toEqual([10])
  })

  it('a batch that fails fails alone', async () => {
    const { batcher, letGo } = gated({ maxItems: 2, maxAgeMs: 0, maxQueue: 10 })
    const bad = batcher.submit([13, 1])
    const good = batcher.submit([2, 3])
    const failed = expect(bad).rejects.toThrow('thirteen')
    await letGo()
    await letGo()
    await failed
    expect(await good).toEqual([4, 6])
  })

  it('answers every request rightly, whatever comes together', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(fc.nat(9), { maxLength: 5 }), { maxLength: 12 }),
        fc.integer({ min: 1, max: 4 }),
        async (requests, maxItems) => {
          let most = 0
          const batcher = openBatcher<number, number>(
            async (inputs) => {
              most = Math.max(most, inputs.length)
              return inputs.map((x) => x + 100)
            },
            { maxItems, maxAgeMs: 0, maxQueue: 1000 },
          )
          const answers = await Promise.all(requests.map((r) => batcher.submit(r)))
          expect(answers).toEqual(requests.map((r) => r.map((x) => x + 100)))
          expect(most).toBeLessThanOrEqual(maxItems)
        },
      ),
      { numRuns: 30 },
    )
  })
})

describe('cache', () => {
  it('lets the least recently used go, as a plain list of uses says', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 4 }), fc.array(fc.tuple(fc.boolean(), fc.integer({ min: 0, max: 6 }))), (capacity, uses) => {
        const cache = openCache<number>(capacity)
        let model: number[] = []
        for (const [isSet, key] of uses) {
          const isKept = model.includes(key)
          if (!isSet) expect(cache.get(`${key}`)).toBe(isKept ? key : undefined)
          else cache.set(`${key}`, key)
          if (isSet || isKept) model = [...model.filter((k) => k !== key), key].slice(-capacity || model.length + 1)
          expect(cache.size).toBe(model.length)
        }
      }),
    )
  })
})

describe('latency', () => {
  it('gives nearest-rank percentiles of the last window', () => {
    const latency = openLatency(100)
    expect(latency.read()).toEqual({ count: 0, p50: null, p99: null })
    for (let i = 1; i <= 1000; i++) latency.record(i)
    expect(latency.read()).toEqual({ count: 1000, p50: 950, p99: 999 })
  })
})
