import { gunzipSync, gzipSync } from 'node:zlib'
import type { Problem } from '../../util/problem.js'
import type { Fact, Moment, ParsedSource } from '../fact.js'

/** What a text said besides its facts. */
export interface ParsedHead {
  problems: Problem[]
  moments?: Moment[]
  /** how many facts there are */
  facts: number
  /** its reading broke off: what it says is not known */
  isFailed?: true
}

export const headOfParsed = ({ facts, problems, moments }: ParsedSource): ParsedHead => ({
  problems,
  ...(moments ? { moments } : {}),
  facts: facts.length,
})

/** Facts of one part: 2 MB of JSON or so. */
const factsPerPart = 5_000

/**
 * Facts as gzipped JSON, part by part: as they cross threads, and as they are kept. Leaving out what the facts of a text have in common
 * (dialect, file, how ids begin) was tried: a sixth smaller, and no faster to read back.
 */
export function* encodeFacts(facts: readonly Fact[]): Generator<Uint8Array> {
  for (let start = 0; start < facts.length; start += factsPerPart)
    yield gzipSync(JSON.stringify(facts.slice(start, start + factsPerPart)), { level: 1 })
}

export const decodeFacts = (part: Uint8Array): Fact[] => (JSON.parse(gunzipSync(part).toString('utf8')) as Fact[]).map(reviveFact)

export const encodeHead = (head: ParsedHead): Uint8Array => gzipSync(JSON.stringify(head), { level: 1 })

export function decodeHead(bytes: Uint8Array): ParsedHead {
  const head = JSON.parse(gunzipSync(bytes).toString('utf8')) as ParsedHead
  for (const moment of head.moments ?? []) {
    moment.observedAt = new Date(moment.observedAt)
    moment.facts.forEach(reviveFact)
  }
  return head
}

/** Times of observation are what JSON has no word for. */
function reviveFact(fact: Fact): Fact {
  if (fact.fact !== 'removal' && fact.observedAt) fact.observedAt = new Date(fact.observedAt)
  return fact
}
