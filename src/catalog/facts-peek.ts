import type { Fact } from './fact.js'
import type { FactStream } from './ledger/staging-store.js'

/** Looks whether there are so many facts; `stream` gives all of them, those that were looked at included, once. */
export async function peekFacts(facts: FactStream, many: number): Promise<{ stream: FactStream; isMany: boolean }> {
  if (typeof facts !== 'function') return { stream: facts, isMany: facts.length >= many }
  const source = facts()
  const head: Fact[] = []
  if (Symbol.iterator in source) {
    const rest = source[Symbol.iterator]()
    while (head.length < many) {
      const next = rest.next()
      if (next.done) return { stream: head, isMany: false }
      head.push(next.value)
    }
    return { stream: () => headAnd(head, rest), isMany: true }
  }
  const rest = source[Symbol.asyncIterator]()
  while (head.length < many) {
    const next = await rest.next()
    if (next.done) return { stream: head, isMany: false }
    head.push(next.value)
  }
  return { stream: () => headAndLater(head, rest), isMany: true }
}

/** Facts that were given are let go. */
function* given(head: Fact[]): Generator<Fact> {
  for (const fact of head.splice(0)) yield fact
}

function* headAnd(head: Fact[], rest: Iterator<Fact>): Generator<Fact> {
  let isOver = false
  try {
    yield* given(head)
    for (let next = rest.next(); !next.done; next = rest.next()) yield next.value
    isOver = true
  } finally {
    if (!isOver) rest.return?.()
  }
}

async function* headAndLater(head: Fact[], rest: AsyncIterator<Fact>): AsyncGenerator<Fact> {
  let isOver = false
  try {
    yield* given(head)
    for (let next = await rest.next(); !next.done; next = await rest.next()) yield next.value
    isOver = true
  } finally {
    if (!isOver) await rest.return?.()
  }
}
