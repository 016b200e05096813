import { describe, expect, it } from 'vitest'
import { KeyPool } from '../../../src/catalog/ledger/key-pool.js'

/** A sequence that another draws from, one key after each of the first `shared` draws' first. */
function sequence(shared: number) {
  let next = 1
  let draws = 0
  return {
    query: async (_: string, [count]: [number]) => {
      const first = next
      next += count + (draws++ < shared ? 1 : 0)
      return { rows: [{ first, last: next - 1 }], rowCount: 1 }
    },
  } as never
}

describe('a pool of keys', () => {
  it('gives them in order, and tells which as stretches', async () => {
    const pool = new KeyPool()
    await pool.draw(sequence(0), 40)
    expect(pool.left).toBe(40)
    expect(Array.from({ length: 30 }, () => pool.take())).toEqual(Array.from({ length: 30 }, (_, i) => i + 1))
    expect(pool.given).toEqual([{ first: 1, last: 30 }])
    expect(pool.left).toBe(10)
  })

  it('gives several in a row to each who takes, where it is as wide', async () => {
    const pool = new KeyPool(2)
    await pool.draw(sequence(0), 20)
    expect(pool.left).toBe(20)
    expect([pool.take(), pool.take(), pool.take()]).toEqual([1, 3, 5])
    expect(pool.given).toEqual([{ first: 1, last: 6 }])
    expect(pool.left).toBe(17)
    expect(pool.takenLately).toBe(3)
    await pool.draw(sequence(0), 1)
    expect(pool.takenLately).toBe(0)
  })

  it('has no key that another may have drawn in between', async () => {
    const pool = new KeyPool()
    await pool.draw(sequence(2), 100)
    const keys = Array.from({ length: 100 }, () => pool.take())
    expect(new Set(keys).size).toBe(100)
    // 1 to 101 and 102 to 127 were shared
    expect(Math.min(...keys)).toBe(128)
    expect(pool.given).toEqual([{ first: 128, last: 227 }])
  })
})
