import { describe, expect, test } from 'vitest'
import { openGate } from '../../../src/access/gate.js'
import { openCallers, requestLimit } from '../../../src/api/http/callers.js'

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

describe('a server without keys', () => {
  const noKeys = { query: async (text: string) => ({ rows: text.includes('EXISTS') ? [{ any: false }] : [] }) } as never
  const callers = openGate(noKeys, undefined, 'the key of the owner').then((gate) => openCallers(gate, 600))
  const identify = async (headers: Record<string, string>) => (await callers).identify({ host: 'data.example.com', ...headers })

  test('answers its own machine by its loopback names alone', async () => {
    expect(await identify({ host: '127.0.0.1:4000' })).toMatchObject({ name: 'local' })
    await expect(identify({})).rejects.toMatchObject({ code: 'FORBIDDEN', message: expect.stringContaining('data.example.com') })
    await expect(identify({ host: 'localhost:4000', origin: 'https://evil.example' })).rejects.toMatchObject({ code: 'FORBIDDEN' })
  })
  test('and its owner by any name; a key that is not his opens nothing', async () => {
    expect(await identify({ 'x-api-key': 'the key of the owner' })).toMatchObject({ name: 'local' })
    expect(await identify({ authorization: 'Bearer the-key-of-the-owner' }).catch((e) => e.code)).toBe('UNAUTHENTICATED')
    expect(await identify({ 'x-api-key': 'guessed' }).catch((e) => e.code)).toBe('UNAUTHENTICATED')
    expect(await identify({ host: '127.0.0.1:4000', 'x-api-key': 'guessed' }).catch((e) => e.code)).toBe('UNAUTHENTICATED')
  })
})
