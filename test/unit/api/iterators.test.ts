import { describe, expect, test } from 'vitest'
import { filtered, pushed } from '../../../src/api/iterators.js'

describe('pushed', () => {
  test('hands on what is pushed, in order, to a reader that is ahead or behind', async () => {
    let push!: (n: number) => void
    const numbers = pushed<number>(async (p) => {
      push = p
      return async () => undefined
    })
    const first = numbers.next()
    await Promise.resolve()
    push(1)
    push(2)
    push(3)
    expect([await first, await numbers.next(), await numbers.next()].map((s) => s.value)).toEqual([1, 2, 3])
  })

  test('return() ends a pending next() and closes what was opened, once', async () => {
    let closed = 0
    const quiet = pushed<number>(async () => async () => void closed++)
    const pending = quiet.next()
    await new Promise((resolve) => setImmediate(resolve))
    await quiet.return?.()
    expect(await pending).toEqual({ value: undefined, done: true })
    expect(await quiet.next()).toEqual({ value: undefined, done: true })
    expect(closed).toBe(1)
  })

  test('a reader that is too slow loses the oldest, and memory stays bounded', async () => {
    let push!: (n: number) => void
    const numbers = pushed<number>(async (p) => {
      push = p
      return async () => undefined
    }, 3)
    const first = numbers.next()
    await Promise.resolve()
    for (let i = 0; i < 10; i++) push(i)
    expect((await first).value).toBe(0)
    expect([await numbers.next(), await numbers.next(), await numbers.next()].map((s) => s.value)).toEqual([7, 8, 9])
  })

  test('what cannot be opened is thrown to the reader', async () => {
    const broken = pushed<number>(() => Promise.reject(new Error('no connection')))
    await expect(broken.next()).rejects.toThrow('no connection')
    await broken.return?.()
  })
})

describe('filtered', () => {
  test('passes what passes, and leaving it leaves its source', async () => {
    let left = 0
    let n = 0
    const source: AsyncIterableIterator<number> = {
      next: async () => ({ value: ++n, done: false }),
      return: async () => {
        left++
        return { value: undefined, done: true }
      },
      [Symbol.asyncIterator]: () => source,
    }
    const even = filtered(source, (x) => x % 2 === 0)
    expect([await even.next(), await even.next()].map((s) => s.value)).toEqual([2, 4])
    expect(await even.return?.()).toEqual({ value: undefined, done: true })
    expect(left).toBe(1)
  })
})
