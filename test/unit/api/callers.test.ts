import { describe, expect, test } from 'vitest'
import { requestLimit } from '../../../src/api/http/callers.js'

describe('requests in a minute', () => {
  test('a burst of the whole minute, then one at a time; others are not held up', () => {
    let now = 0
    const count = requestLimit(60, () => now)
    for (let i = 0; i < 60; i++) count('a')
    expect(() => count('a')).toThrow(/60 requests/)
    count('b')
    now += 999
    expect(() => count('a')).toThrow()
    now += 2
    count('a')
    expect(() => count('a')).toThrow()
  })
  test('no more is saved up than a minute holds', () => {
    let now = 0
    const count = requestLimit(10, () => now)
    count('a')
    now += 3_600_000
    for (let i = 0; i < 10; i++) count('a')
    expect(() => count('a')).toThrow(expect.objectContaining({ code: 'OVERLOADED', remedy: expect.stringContaining('6 s') }))
  })
})
