import { createHash, type Hash } from 'node:crypto'
import { canonicalJson } from '../util/hash.js'
import type { Fact } from './fact.js'

/** Facts to one hash: a difference is found out after so many. */
const chunkFacts = 5_000
const lineFacts = 50

/** The properties of a fact as canonical JSON; '' for a removal, which has none. */
export const jsonOfProperties = (fact: Fact): string => (fact.fact === 'removal' ? '' : canonicalJson(fact.properties))

/** All that a fact says: half the time of JSON, of whose making the properties' is shared with what is saved of them. */
function lineOf(fact: Fact, json: string): string {
  const { dialect, file, location } = fact.provenance
  const place = `${dialect}\0${file}\0${location}`
  if (fact.fact === 'removal') return `removal\0${fact.id}\0${place}`
  const stated = fact.observedAt === undefined ? '' : fact.observedAt.getTime()
  return fact.fact === 'node'
    ? `${fact.kind}\0${fact.id}\0${fact.name}\0${fact.qualifiedName}\0${json}\0${fact.partial === true}\0${stated}\0${place}`
    : `${fact.label}\0${fact.sourceId}\0${fact.targetId}\0${fact.discriminator ?? ''}\0${json}\0${stated}\0${place}`
}

/** A hash of facts as they come, in their order: 16 digits per 5,000 facts (2 us a column; nothing is staged for it). */
export class FactsDigest {
  private chunks = ''
  private lines: string[] = []
  private hash: Hash = createHash('sha256')
  private count = 0

  /** `json`: the fact's properties as canonical JSON, where they are known already. */
  add(fact: Fact, json = jsonOfProperties(fact)): void {
    this.lines.push(lineOf(fact, json))
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
