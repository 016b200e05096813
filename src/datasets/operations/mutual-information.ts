/**
 * Values as numbers of bins: categories, and numbers of no more than `bins` different ones, by their value; other numbers cut at their
 * quantiles. null is a bin of its own.
 */
export function quantileBins(values: readonly (string | number | null)[], bins: number): Int32Array {
  const numbers = values.filter((value): value is number => typeof value === 'number')
  const distinct = new Set(numbers)
  const cuts = distinct.size > bins ? cutsOf(Float64Array.from(numbers).sort(), bins) : null
  const numbering = new Map<string | number | null, number>()
  return Int32Array.from(values, (value) => {
    const key = cuts && typeof value === 'number' ? cuts.filter((cut) => value > cut).length : value
    // a bin of numbers is no category of that name
    const name = typeof key === 'string' ? `=${key}` : key
    if (!numbering.has(name)) numbering.set(name, numbering.size)
    return numbering.get(name)!
  })
}

/** Inner cuts at values of the data, so that equal numbers are never parted. */
const cutsOf = (sorted: Float64Array, bins: number): number[] => [
  ...new Set(Array.from({ length: bins - 1 }, (_, i) => sorted[Math.ceil(((i + 1) / bins) * sorted.length) - 1]!)),
]

/** Mutual information in nats of two series of bins, from their joint counts (Cover & Thomas 2006, 2.28). */
export function mutualInformation(a: Int32Array, b: Int32Array): number {
  const joint = new Map<number, number>()
  const [countA, countB] = [new Map<number, number>(), new Map<number, number>()]
  const add = (counts: Map<number, number>, key: number) => counts.set(key, (counts.get(key) ?? 0) + 1)
  const width = b.reduce((most, bin) => Math.max(most, bin), 0) + 1
  a.forEach((bin, i) => {
    add(countA, bin)
    add(countB, b[i]!)
    add(joint, bin * width + b[i]!)
  })
  let sum = 0
  for (const [key, count] of joint) {
    const expected = countA.get(Math.floor(key / width))! * countB.get(key % width)!
    sum += (count / a.length) * Math.log((count * a.length) / expected)
  }
  // sums in another order differ in the last bits: columns that say the same must tie
  return Math.max(0, Number(sum.toFixed(12)))
}
