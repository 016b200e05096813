import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { cutsWithin, gapsOf, holdsAt, mergeVersions, stretchesOf } from '../../../src/catalog/derive/timeline.js'

const end = 20
const span = fc
  .tuple(fc.integer({ min: 0, max: end - 1 }), fc.integer({ min: 1, max: 8 }))
  .map(([from, length]) => ({ from, to: length === 8 ? Number.POSITIVE_INFINITY : Math.min(end, from + length) }))
const moments = Array.from({ length: end + 2 }, (_, at) => at)
const isDisjoint = (spans: readonly { from: number; to: number }[]) => spans.every((s, i) => i === 0 || spans[i - 1]!.to <= s.from)

describe('stretches of time', () => {
  it('cover what is left of a span outside of others', () => {
    fc.assert(
      fc.property(span, fc.array(span, { maxLength: 4 }), (whole, others) => {
        const taken = others.sort((a, b) => a.from - b.from).filter((s, i, all) => i === 0 || all[i - 1]!.to <= s.from)
        fc.pre(isDisjoint(taken))
        const gaps = gapsOf(whole, taken)
        expect(isDisjoint(gaps)).toBe(true)
        for (const at of moments)
          expect(gaps.some((gap) => holdsAt(gap, at))).toBe(holdsAt(whole, at) && !taken.some((each) => holdsAt(each, at)))
      }),
    )
  })

  it('hold at every moment what the function of it says, joined where it stays', () => {
    fc.assert(
      fc.property(span, fc.array(span, { maxLength: 5 }), (whole, changes) => {
        const valueAt = (at: number) => {
          const n = changes.filter((each) => holdsAt(each, at)).length
          return n === 1 ? null : n
        }
        const cuts = cutsWithin(whole, changes)
        const found = stretchesOf(whole, cuts, valueAt, (a, b) => a === b)
        expect(isDisjoint(found)).toBe(true)
        for (const at of moments.filter((each) => holdsAt(whole, each)))
          expect(found.find((each) => holdsAt(each, at))?.value ?? null).toBe(valueAt(at))
        for (const [i, each] of found.entries()) if (found[i - 1]?.to === each.from) expect(found[i - 1]!.value).not.toBe(each.value)
      }),
    )
  })

  it('of several versions the greatest holds, in whatever order they come', () => {
    const part = fc
      .record({ span, version: fc.constantFrom('a', 'b', 'c') })
      .map(({ span: { from, to }, version }) => ({ from, to, value: { version } }))
    fc.assert(
      fc.property(fc.array(part, { maxLength: 5 }), (parts) => {
        const merged = mergeVersions(parts)
        const bestAt = (at: number) =>
          parts
            .filter((each) => holdsAt(each, at))
            .map((each) => each.value.version)
            .sort()
            .at(-1)
        for (const at of moments) expect(merged.find((each) => holdsAt(each, at))?.value.version).toBe(bestAt(at))
        expect(mergeVersions([...parts].reverse())).toEqual(merged)
      }),
    )
  })
})
