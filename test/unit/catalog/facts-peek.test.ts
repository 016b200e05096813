import { describe, expect, it } from 'vitest'
import type { Fact } from '../../../src/catalog/fact.js'
import { peekFacts } from '../../../src/catalog/facts-peek.js'

const provenance = { dialect: 'test', file: 'f', location: '' }
const facts = Array.from({ length: 9 }, (_, i): Fact => ({ fact: 'removal', id: `${i}`, provenance }))

async function all(stream: Awaited<ReturnType<typeof peekFacts>>['stream']): Promise<Fact[]> {
  const out: Fact[] = []
  for await (const fact of typeof stream === 'function' ? stream() : stream) out.push(fact)
  return out
}

describe('a look at how many facts there are', () => {
  it.each([0, 1, 8, 9, 10])('loses none of nine when %i are many', async (many) => {
    let closed = 0
    function* now() {
      try {
        yield* facts
      } finally {
        closed++
      }
    }
    async function* later() {
      yield* now()
    }
    for (const stream of [facts, now, later]) {
      const peeked = await peekFacts(stream, many)
      expect(peeked.isMany).toBe(many <= 9)
      expect(await all(peeked.stream)).toEqual(facts)
    }
    expect(closed).toBe(2)
  })

  it('ends the facts when who takes them does', async () => {
    let closed = 0
    function* now() {
      try {
        yield* facts
      } finally {
        closed++
      }
    }
    async function* later() {
      yield* now()
    }
    for (const stream of [now, later]) {
      const peeked = await peekFacts(stream, 3)
      for await (const fact of (peeked.stream as () => AsyncIterable<Fact>)()) if (fact.fact === 'removal' && fact.id === '5') break
    }
    expect(closed).toBe(2)
  })
})
