/** Hash functions of a signature. */
export const signatureSize = 64
/** Bands of a signature that are looked up, and hashes in each: pairs of similarity .8 meet in one with a chance of .9998, of .4 with .34. */
export const bandCount = 16
const bandRows = signatureSize / bandCount
/** characters of a shingle */
const shingleSize = 5
/** what is looked at of a very long text */
const longest = 50_000

/** An avalanche of 32 bits (murmur3's finaliser). */
export function mix32(h: number): number {
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return (h ^ (h >>> 16)) >>> 0
}

const multipliers = Uint32Array.from({ length: signatureSize }, (_, i) => mix32(i * 2 + 1) | 1)
const offsets = Uint32Array.from({ length: signatureSize }, (_, i) => mix32(0x9e3779b9 + i))

/** Texts that differ in case, white space and the form of their characters are the same text. */
export const normalizeText = (text: string): string => text.normalize('NFKC').toLowerCase().replace(/\s+/g, ' ').trim()

/**
 * The MinHash signature of the character 5-grams of a (normalised) text: the share of equal entries of two signatures estimates the
 * Jaccard similarity of their sets of 5-grams (Broder 1997). Shorter texts are one gram. Written into `signature`.
 */
export function minhash(text: string, signature: Uint32Array): void {
  signature.fill(0xffffffff)
  const length = Math.min(text.length, longest)
  const last = Math.max(0, length - shingleSize)
  for (let from = 0; from <= last; from++) {
    let h = 0
    for (let i = from; i < from + shingleSize && i < length; i++) h = (Math.imul(h, 0x01000193) ^ text.charCodeAt(i)) | 0
    h = mix32(h)
    for (let k = 0; k < signatureSize; k++) {
      const value = (Math.imul(h, multipliers[k]!) + offsets[k]!) >>> 0
      if (value < signature[k]!) signature[k] = value
    }
  }
}

/** The keys of a signature's bands (LSH: Indyk & Motwani 1998; Leskovec et al., Mining of Massive Datasets, section 3.4). */
export function bandKeys(signature: Uint32Array, keys: Uint32Array, at: number): void {
  for (let band = 0; band < bandCount; band++) {
    let h = band
    for (let r = 0; r < bandRows; r++) h = mix32(Math.imul(h, 0x01000193) ^ signature[band * bandRows + r]!)
    keys[at + band] = h
  }
}

/** The Jaccard similarity that a share of equal low bytes estimates: two different hashes have the same byte once in 256. */
export function similarityOf(equalBytes: number): number {
  const share = equalBytes / signatureSize
  return Math.max(0, (share - 1 / 256) / (1 - 1 / 256))
}

/** The 5-grams themselves: what the estimate is checked against. */
export function shingles(text: string): Set<string> {
  const found = new Set<string>()
  for (let from = 0; from <= Math.max(0, text.length - shingleSize); from++) found.add(text.slice(from, from + shingleSize))
  return found
}
