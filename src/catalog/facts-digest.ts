import { createHash, type Hash } from 'node:crypto'
import type { Fact } from './fact.js'

/** Facts to one hash: a difference is found out after so many. */
const chunkFacts = 5_000
const lineFacts = 50

/** A hash of facts as they come, in their order: 16 digits per 5,000 facts (2 us a column; nothing is staged for it). */
export class FactsDigest {
  private chunks = ''
  private lines: string[] = []
  private hash: Hash = createHash('sha256')
  private count = 0

  add(fact: Fact): void {
    this.lines.push(JSON.stringify(fact))
    this.count++
    if (this.lines.length === lineFacts) this.write()
    if (this.count % chunkFacts === 0) this.close()
  }

  /** What is settled so far: the chunks that are full. */
  get settled(): string {
    return this.chunks
  }

  end(): string {
    this.close()
    return this.chunks
  }

  private write(): void {
    this.hash.update(this.lines.join('\n')).update('\n')
    this.lines = []
  }

  private close(): void {
    this.write()
    this.chunks += this.hash.digest('hex').slice(0, 16)
    this.hash = createHash('sha256')
  }
}

/** The same facts, noted in the digest as they pass. */
export function digested(facts: Iterable<Fact> | AsyncIterable<Fact>, digest: FactsDigest): Iterable<Fact> | AsyncIterable<Fact> {
  return Symbol.iterator in facts ? noteEach(facts, digest) : noteEachLater(facts, digest)
}

function* noteEach(facts: Iterable<Fact>, digest: FactsDigest): Generator<Fact> {
  for (const fact of facts) {
    digest.add(fact)
    yield fact
  }
}

async function* noteEachLater(facts: AsyncIterable<Fact>, digest: FactsDigest): AsyncGenerator<Fact> {
  for await (const fact of facts) {
    digest.add(fact)
    yield fact
  }
}

/** Whether facts have this digest; the rest of them is not looked at once they differ. */
export async function haveDigest(facts: Iterable<Fact> | AsyncIterable<Fact>, expected: string): Promise<boolean> {
  const digest = new FactsDigest()
  const differs = (fact: Fact): boolean => {
    const before = digest.settled
    digest.add(fact)
    return digest.settled !== before && !expected.startsWith(digest.settled)
  }
  // a wait for each of a million facts would take as long as the digest
  if (Symbol.iterator in facts) {
    for (const fact of facts) if (differs(fact)) return false
  } else for await (const fact of facts) if (differs(fact)) return false
  return digest.end() === expected
}
