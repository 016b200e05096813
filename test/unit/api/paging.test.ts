import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decodeCursor, encodeCursor, pageOf, pageSize } from '../../../src/api/types/paging.js'

describe('cursors', () => {
  test('are read back as written', () => {
    const key = fc.array(fc.oneof(fc.string(), fc.integer()), { minLength: 1, maxLength: 3 })
    fc.assert(fc.property(key, (k) => void expect(decodeCursor(encodeCursor(k), k.length)).toEqual(k)))
  })
  test.each(['', 'nonsense', encodeCursor([1, 2]), Buffer.from('{"a":1}').toString('base64url')])(
    '%j is refused with what to do',
    (cursor) =>
      expect(() => decodeCursor(cursor, 1)).toThrow(
        expect.objectContaining({ code: 'BAD_INPUT', remedy: expect.stringContaining('endCursor') }),
      ),
  )
})

describe('pages', () => {
  const cursorOf = (n: number) => encodeCursor([n])
  test('the row beyond the page only tells that there is more', () => {
    const page = pageOf([1, 2, 3], { first: 2 }, cursorOf, () => 3)
    expect(page.edges.map((e) => e.node)).toEqual([1, 2])
    expect(page.pageInfo).toEqual({ hasNextPage: true, hasPreviousPage: false, startCursor: cursorOf(1), endCursor: cursorOf(2) })
    expect(pageOf([3], { first: 2, after: cursorOf(2) }, cursorOf, () => 3).pageInfo).toMatchObject({
      hasNextPage: false,
      hasPreviousPage: true,
    })
    expect(pageOf([], { first: 2 }, cursorOf, () => 0).pageInfo).toEqual({
      hasNextPage: false,
      hasPreviousPage: false,
      startCursor: null,
      endCursor: null,
    })
  })
  test('sizes out of range are refused', () => {
    expect(pageSize(1_000)).toBe(1_000)
    for (const first of [0, -1, 1_001]) expect(() => pageSize(first)).toThrow('expected 1 to 1000')
  })
})
