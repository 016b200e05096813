import { createHash } from 'node:crypto'
import type { RankingList } from './ranking-list.js'

const bytesOf = (row: readonly number[] | Float32Array): Uint8Array => new Uint8Array(Float32Array.from(row).buffer)

/**
 * SHA-256 of a ranking list as a model sees it: features as float32, and with them ids, edges and labels. Equal lists have equal
 * digests whether their rows are arrays or Float32Arrays; counts come before what they count, so that no two lists run together.
 */
export function digestRankingList({ queryId, query, candidates }: RankingList): string {
  const hash = createHash('sha256')
  hash.update(JSON.stringify([queryId, query?.length ?? null, candidates.length]))
  if (query) hash.update(bytesOf(query))
  for (const c of candidates) {
    const widths = c.nodeFeatures.map((row) => row.length)
    hash.update(JSON.stringify([c.id ?? null, c.label ?? null, widths, c.edges, c.edgeTypes ?? null, c.edgeDirections ?? null]))
    for (const row of c.nodeFeatures) hash.update(bytesOf(row))
  }
  return hash.digest('hex')
}
