import { type Problem, problem } from '../../util/problem.js'
import type { SplitKeys } from './keys.js'

/** How much of one key lies in more than one part. */
export interface Shared {
  rows: number
  /** numbers (from 0) of two rows of one key in two parts */
  example: [number, number] | null
}

/**
 * Counts the rows whose key is also in another part, with a table of open addressing: 14 bytes a slot, two to four slots a row. NaN is no
 * key.
 */
export function sharedAcross(keys: Float64Array, parts: Uint8Array): Shared {
  const size = 2 ** Math.ceil(Math.log2(Math.max(2, 2 * keys.length)))
  const slots = new Float64Array(size).fill(Number.NaN)
  const first = new Uint32Array(size)
  const masks = new Uint16Array(size)
  const slotOf = (key: number): number => {
    let slot = (key % 4294967291) & (size - 1)
    while (!Number.isNaN(slots[slot]!) && slots[slot] !== key) slot = (slot + 1) & (size - 1)
    return slot
  }
  const shared: Shared = { rows: 0, example: null }
  keys.forEach((key, row) => {
    if (Number.isNaN(key)) return
    const slot = slotOf(key)
    if (Number.isNaN(slots[slot]!)) [slots[slot], first[slot]] = [key, row]
    masks[slot]! |= 1 << parts[row]!
    if (!shared.example && parts[first[slot]!] !== parts[row]) shared.example = [first[slot]!, row]
  })
  keys.forEach((key) => {
    if (Number.isNaN(key)) return
    const mask = masks[slotOf(key)]!
    if ((mask & (mask - 1)) !== 0) shared.rows++
  })
  return shared
}

/** Rows that are older than the newest row of an earlier part. */
export function outOfOrder(times: Float64Array, parts: Uint8Array, count: number): Shared {
  const newest = new Array<number>(count).fill(-1)
  times.forEach((time, row) => {
    const known = newest[parts[row]!]!
    if (!Number.isNaN(time) && (known < 0 || time > times[known]!)) newest[parts[row]!] = row
  })
  // the newest of all parts before
  for (let part = 1; part < count; part++) {
    const [before, own] = [newest[part - 1]!, newest[part]!]
    if (own < 0 || (before >= 0 && times[before]! > times[own]!)) newest[part] = before
  }
  const shared: Shared = { rows: 0, example: null }
  times.forEach((time, row) => {
    const part = parts[row]!
    const before = part === 0 ? -1 : newest[part - 1]!
    if (before < 0 || !(time <= times[before]!)) return
    shared.rows++
    shared.example ??= [before, row]
  })
  return shared
}

const suggestions = {
  'split-same-text': 'Split with byContent, or by a group that holds equal texts together; or remove duplicates before.',
  'split-same-group': 'Split with the method group by that field.',
  'split-time-order': 'Split with the method time by that field.',
}

/** What leaks between parts: equal texts after normalisation, a group in two parts, a part that reaches back before an earlier one. */
export function findLeakage(keys: SplitKeys, parts: Uint8Array, names: readonly string[]): Problem[] {
  const checks: [code: keyof typeof suggestions, what: string, shared: Shared | null][] = [
    ['split-same-text', 'whose content, after normalisation, is also in another part', sharedAcross(keys.content, parts)],
    ['split-same-group', 'whose group is also in another part', keys.groups && sharedAcross(keys.groups, parts)],
    [
      'split-time-order',
      'that are no newer than the newest row of an earlier part',
      keys.times && outOfOrder(keys.times, parts, names.length),
    ],
  ]
  return checks.flatMap(([code, what, shared]) => {
    if (!shared?.example) return []
    const [a, b] = shared.example.map((row) => `row ${row + 1} (${names[parts[row]!]})`)
    return problem({
      severity: 'warning',
      code,
      where: `${a} and ${b}`,
      found: `${shared.rows} row(s) ${what}`,
      expected: 'none',
      suggestion: suggestions[code],
    })
  })
}
