/** Code points as ascending ranges that neither overlap nor touch. */
export type CharSet = readonly (readonly [from: number, to: number])[]

const last = 0x10ffff
const isLetter = (code: number) => (code >= 65 && code <= 90) || (code >= 97 && code <= 122)

export const charsOf = (...ranges: readonly (readonly [number, number])[]): CharSet => normalized(ranges)
export const single = (character: string): CharSet => [[character.codePointAt(0)!, character.codePointAt(0)!]]
export const none: CharSet = []
export const all: CharSet = [[0, last]]

function normalized(ranges: readonly (readonly [number, number])[]): CharSet {
  const merged: [number, number][] = []
  for (const [from, to] of [...ranges].sort((a, b) => a[0] - b[0])) {
    const before = merged.at(-1)
    if (before && from <= before[1] + 1) before[1] = Math.max(before[1], to)
    else merged.push([from, to])
  }
  return merged
}

export const union = (...sets: readonly CharSet[]): CharSet => normalized(sets.flat())

export function negate(set: CharSet): CharSet {
  const rest: [number, number][] = []
  let from = 0
  for (const [a, b] of set) {
    if (a > from) rest.push([from, a - 1])
    from = b + 1
  }
  if (from <= last) rest.push([from, last])
  return rest
}

/** Upper and lower case of a to z alike, as Java's `(?i)` has it. */
export function ignoreCase(set: CharSet): CharSet {
  const more: [number, number][] = []
  for (const [from, to] of set)
    for (let code = Math.max(from, 65); code <= Math.min(to, 122); code++) if (isLetter(code)) more.push([code ^ 32, code ^ 32])
  return union(set, more)
}

export const has = (set: CharSet, code: number): boolean => set.some(([from, to]) => code >= from && code <= to)

export function intersect(a: CharSet, b: CharSet): boolean {
  for (let i = 0, j = 0; i < a.length && j < b.length; ) {
    if (a[i]![0] <= b[j]![1] && b[j]![0] <= a[i]![1]) return true
    if (a[i]![1] < b[j]![1]) i++
    else j++
  }
  return false
}

export const isSubset = (a: CharSet, b: CharSet): boolean => a.every(([from, to]) => b.some(([f, t]) => f <= from && t >= to))

/** One code point for each set of code points that all of `sets` treat alike. */
export function representatives(sets: readonly CharSet[]): number[] {
  const starts = new Set([0])
  for (const set of sets)
    for (const [from, to] of set) {
      starts.add(from)
      if (to < last) starts.add(to + 1)
    }
  const bySignature = new Map<string, number>()
  for (const code of starts) {
    const signature = sets.map((set) => (has(set, code) ? 1 : 0)).join('')
    if (!bySignature.has(signature)) bySignature.set(signature, code)
  }
  return [...bySignature.values()]
}
