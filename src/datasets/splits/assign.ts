import { EspalierError } from '../../util/error.js'
import { hash53 } from '../../util/hash53.js'
import type { Rng } from '../../util/random.js'
import { apportion } from './apportion.js'
import type { SplitKeys } from './keys.js'
import type { SplitMethod, SplitOptions } from './options.js'

/** Numbers of the parts, one a row. */
type Assign = (keys: SplitKeys, options: SplitOptions, rng: Rng) => Uint8Array

const methods: Record<SplitMethod, Assign> = {
  random: (keys, options, rng) =>
    options.byContent ? byHash(keys.content, options) : inOrder(shuffled(keys.rows, rng), apportion(keys.rows, options.ratios)),
  stratified,
  group: (keys, options, rng) => (options.byContent ? byHash(keys.groups!, options) : groupsWhole(keys, options, rng)),
  time: (keys, options) => (options.cutoffs ? byCutoffs(keys.times!, options.cutoffs) : byAge(keys, options)),
}

/** The part of every row. Deterministic: the same keys, options and generator give the same parts. */
export function assignParts(keys: SplitKeys, options: SplitOptions, rng: Rng): Uint8Array {
  if (keys.rows < options.parts.length)
    throw new EspalierError('BAD_INPUT', `split: found ${keys.rows} rows, expected at least one for each of ${options.parts.join(', ')}`)
  return methods[options.method](keys, options, rng)
}

/** 0 … n-1 in random order (Fisher-Yates). */
function shuffled(n: number, rng: Rng): Uint32Array {
  const order = Uint32Array.from({ length: n }, (_, i) => i)
  for (let i = n - 1; i > 0; i--) {
    const j = rng.integer(i + 1)
    const held = order[i]!
    order[i] = order[j]!
    order[j] = held
  }
  return order
}

/** The first rows of the order to the first part, and so on. */
function inOrder(order: Uint32Array, counts: readonly number[], parts = new Uint8Array(order.length)): Uint8Array {
  let at = 0
  counts.forEach((count, part) => {
    for (const end = at + count; at < end; at++) parts[order[at]!] = part
  })
  return parts
}

/**
 * Each row by the place of its hash in [0, 1): rows of equal content are together, and what is added later moves nothing. Rows without
 * content (NaN) share one place.
 */
function byHash(hashes: Float64Array, { ratios, seed }: SplitOptions): Uint8Array {
  const ends = ratios.map((_, i) => ratios.slice(0, i + 1).reduce((a, b) => a + b, 0) * 2 ** 53)
  return Uint8Array.from(hashes, (hash) => {
    const place = hash53(`${hash}`, seed)
    const part = ends.findIndex((end) => place < end)
    return part < 0 ? ratios.length - 1 : part
  })
}

/**
 * Rows of a stratum in the shares asked for, each count rounded up or down, and the counts over all strata as near to the shares as that
 * allows (controlled rounding: what one stratum's rounding leaves over the next one makes good).
 */
function stratified({ rows, classes, classNames }: SplitKeys, { ratios }: SplitOptions, rng: Rng): Uint8Array {
  const parts = new Uint8Array(rows)
  const owed = ratios.map(() => 0)
  for (const members of membersOf(classes!, classNames.length)) {
    const counts = roundOwed(members.length, ratios, owed)
    const order = shuffled(members.length, rng).map((i) => members[i]!)
    inOrder(order, counts, parts)
  }
  return parts
}

/** Each count is its exact share rounded up or down; `owed` carries what the roundings so far have kept back. */
function roundOwed(total: number, ratios: readonly number[], owed: number[]): number[] {
  const exact = ratios.map((ratio) => ratio * total)
  const counts = exact.map((x) => Math.floor(x + 1e-9))
  const due = exact.map((x, i) => x - counts[i]! + owed[i]!)
  const left = total - counts.reduce((a, b) => a + b, 0)
  // a share that came out whole is not rounded up
  const order = due.map((_, i) => i).filter((i) => exact[i]! - counts[i]! > 1e-9)
  order.sort((i, j) => due[j]! - due[i]! || i - j)
  for (const i of order.slice(0, left)) {
    counts[i]!++
    due[i]!--
  }
  due.forEach((x, i) => {
    owed[i] = x
  })
  return counts
}

/** The rows of each class, in order (counting sort): smallest class first. */
function membersOf(classes: Float64Array, count: number): Uint32Array[] {
  const sizes = new Uint32Array(count)
  for (const c of classes) sizes[c]!++
  const members = Array.from(sizes, (size) => new Uint32Array(size))
  const filled = new Uint32Array(count)
  classes.forEach((c, row) => {
    members[c]![filled[c]!++] = row
  })
  return members.sort((a, b) => a.length - b.length)
}

/** Groups in random order, the largest first, each to the part that is furthest below its share of the rows; none stays empty if it can. */
function groupsWhole({ rows, classes, classNames }: SplitKeys, { ratios, parts: names }: SplitOptions, rng: Rng): Uint8Array {
  if (classNames.length < ratios.length)
    throw new EspalierError(
      'BAD_INPUT',
      `split by group: found ${classNames.length} group(s), expected one for each of ${names.join(', ')}`,
    )
  const sizes = new Uint32Array(classNames.length)
  for (const c of classes!) sizes[c]!++
  const order = Array.from(shuffled(classNames.length, rng)).sort((a, b) => sizes[b]! - sizes[a]!)
  const lacking = ratios.map((ratio) => ratio * rows)
  const held = ratios.map(() => 0)
  const partOf = new Uint8Array(classNames.length)
  order.forEach((group, place) => {
    const left = order.length - place
    const empty = ratios.map((_, i) => i).filter((i) => held[i] === 0)
    const open = left <= empty.length ? empty : ratios.map((_, i) => i)
    const part = open.reduce((best, i) => (lacking[i]! > lacking[best]! ? i : best))
    partOf[group] = part
    held[part]!++
    lacking[part]! -= sizes[group]!
  })
  return Uint8Array.from(classes!, (c) => partOf[c]!)
}

/** Oldest rows first. Rows of one moment stay together: they all go where the first of them falls. */
function byAge({ rows, times }: SplitKeys, { ratios }: SplitOptions): Uint8Array {
  const order = Uint32Array.from({ length: rows }, (_, i) => i).sort((a, b) => times![a]! - times![b]! || a - b)
  const parts = inOrder(order, apportion(rows, ratios))
  for (let i = 1; i < rows; i++) if (times![order[i]!] === times![order[i - 1]!]) parts[order[i]!] = parts[order[i - 1]!]!
  return parts
}

function byCutoffs(times: Float64Array, cutoffs: readonly string[]): Uint8Array {
  const ends = cutoffs.map((cutoff) => Date.parse(/T[\d:.]+$/.test(cutoff) ? `${cutoff}Z` : cutoff))
  return Uint8Array.from(times, (time) => ends.filter((end) => time >= end).length)
}
