/** FNV-1a over UTF-16 units, then murmur3's finaliser, so that its low bits are as good as its high ones: 32 bits. */
export function hash32(text: string, seed = 0): number {
  let h = 0x811c9dc5 ^ seed
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193)
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return (h ^ (h >>> 16)) >>> 0
}

/**
 * Signed feature hashing (Weinberger et al. 2009): each feature adds +1 or -1 to one of `width` places, both chosen by its hash, so that
 * collisions cancel in expectation. The vector is scaled to length 1; no features give zeros.
 */
export function hashFeatures(features: Iterable<string>, width: number, seed = 0): number[] {
  const vector = new Array<number>(width).fill(0)
  for (const feature of features) {
    const h = hash32(feature, seed)
    vector[(h >>> 1) % width]! += h & 1 ? 1 : -1
  }
  const length = Math.hypot(...vector)
  return length === 0 ? vector : vector.map((v) => v / length)
}

/** Character n-grams of words with their ends marked, and the words themselves: `id` gives `^id$`, `^i`, `id`, `d$`, … */
export function* characterGrams(words: readonly string[], sizes: readonly number[]): Generator<string> {
  for (const word of words) {
    const marked = `^${word}$`
    yield marked
    for (const n of sizes) for (let i = 0; i + n <= marked.length; i++) if (n < marked.length) yield marked.slice(i, i + n)
  }
}
