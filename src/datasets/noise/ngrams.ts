import { mix32, normalizeText } from '../similarity/minhash.js'

/** Columns that features are hashed into. */
export const featureBits = 15
const mask = (1 << featureBits) - 1

const hashOf = (text: string, seed: number): number => {
  let h = seed
  for (let i = 0; i < text.length; i++) h = (Math.imul(h, 0x01000193) ^ text.charCodeAt(i)) | 0
  return mix32(h) & mask
}

export const wordsOf = (text: string): string[] => normalizeText(text).match(/[\p{L}\p{N}]+/gu) ?? []

export interface SparseRows {
  /** row i has the columns from starts[i] to starts[i + 1] */
  starts: Uint32Array
  columns: Uint32Array
  values: Float32Array
}

/** Words, pairs of neighbouring words and the character 3- and 4-grams of words, hashed. */
function featuresOf(text: string): Map<number, number> {
  const found = new Map<number, number>()
  const add = (column: number, weight: number) => found.set(column, (found.get(column) ?? 0) + weight)
  const words = wordsOf(text).slice(0, 2000)
  words.forEach((word, i) => {
    add(hashOf(word, 1), 1)
    if (i > 0) add(hashOf(`${words[i - 1]} ${word}`, 2), 1)
    const framed = `<${word}>`
    for (let at = 0; at + 3 <= framed.length; at++) add(hashOf(framed.slice(at, at + 3), 3), 0.3)
    for (let at = 0; at + 4 <= framed.length; at++) add(hashOf(framed.slice(at, at + 4), 4), 0.3)
  })
  return found
}

/** Texts as hashed n-grams weighted by how few texts have them (tf-idf), each of length 1 (Weinberger et al. 2009 for the hashing). */
export function encodeTexts(texts: readonly string[]): SparseRows {
  const rows = texts.map(featuresOf)
  const having = new Uint32Array(mask + 1)
  for (const row of rows) for (const column of row.keys()) having[column]!++
  const total = rows.reduce((sum, row) => sum + row.size, 0)
  const sparse = { starts: new Uint32Array(rows.length + 1), columns: new Uint32Array(total), values: new Float32Array(total) }
  let at = 0
  rows.forEach((row, i) => {
    const begin = at
    let squares = 0
    for (const [column, count] of row) {
      const value = (1 + Math.log(1 + count)) * Math.log((1 + rows.length) / having[column]!)
      sparse.columns[at] = column
      sparse.values[at++] = value
      squares += value * value
    }
    const scale = squares > 0 ? 1 / Math.sqrt(squares) : 0
    for (let k = begin; k < at; k++) sparse.values[k]! *= scale
    sparse.starts[i + 1] = at
  })
  return sparse
}
