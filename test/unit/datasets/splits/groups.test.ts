import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { apportion } from '../../../../src/datasets/splits/apportion.js'
import { groupFolds, leaveOneGroupOut, splitByGroup } from '../../../../src/datasets/splits/groups.js'
import { seeded } from '../../../../src/util/random.js'

const lists = (groups: number, each = 3) => Array.from({ length: groups * each }, (_, i) => ({ group: `db${i % groups}`, i }))
const groupsOf = (items: { group: string }[]) => new Set(items.map((l) => l.group))

describe('splits by group', () => {
  it('put every list in one part, and no group in two', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 12 }),
        fc.double({ min: 0, max: 0.49, noNaN: true }),
        fc.double({ min: 0, max: 0.49, noNaN: true }),
        fc.integer(),
        (groups, validation, test, seed) => {
          const all = lists(groups)
          const split = splitByGroup(all, { validation, test }, seeded(seed))
          const parts = [split.train, split.validation, split.test]
          expect(parts.flat().sort((a, b) => a.i - b.i)).toEqual(all)
          expect(parts.reduce((n, part) => n + groupsOf(part).size, 0)).toBe(groups)
          expect(split.train.length).toBeGreaterThan(0)
        },
      ),
    )
  })

  it('rounds by largest remainder, and gives each part that was asked for a group', () => {
    expect(apportion(10, [0.7, 0.2, 0.1])).toEqual([7, 2, 1])
    expect(apportion(7, [0.5, 0.25, 0.25])).toEqual([3, 2, 2])
    expect(apportion(3, [0.9, 0.05, 0.05])).toEqual([1, 1, 1])
    expect(apportion(1, [0.9, 0.1, 0])).toEqual([1, 0, 0])
    expect(apportion(0, [0.5, 0.5])).toEqual([0, 0])
  })

  it('is the same from the same seed', () => {
    const shares = { validation: 0.2, test: 0.2 }
    expect(splitByGroup(lists(20), shares, seeded(1))).toEqual(splitByGroup(lists(20), shares, seeded(1)))
    expect(splitByGroup(lists(20), shares, seeded(1))).not.toEqual(splitByGroup(lists(20), shares, seeded(2)))
  })

  it('refuses lists without a group, and shares that leave nothing to learn from', () => {
    expect(() => splitByGroup([{ group: 'a' }, {}], {}, seeded(1))).toThrow('list 1 has no group')
    expect(() => splitByGroup(lists(3), { validation: 0.5, test: 0.5 }, seeded(1))).toThrow('together below 1')
  })
})

describe('folds', () => {
  it('hold out each group once', () => {
    for (const folds of [leaveOneGroupOut(lists(5)), groupFolds(lists(5), 2, seeded(1))]) {
      expect(folds.flatMap((f) => f.groups).sort()).toEqual(['db0', 'db1', 'db2', 'db3', 'db4'])
      for (const fold of folds) {
        expect(groupsOf(fold.test)).toEqual(new Set(fold.groups))
        expect(fold.train.some((l) => fold.groups.includes(l.group))).toBe(false)
        expect(fold.train.length + fold.test.length).toBe(15)
      }
    }
    expect(groupFolds(lists(5), 2, seeded(1)).map((f) => f.groups.length)).toEqual([3, 2])
  })
  it('need at least two groups', () => {
    expect(() => leaveOneGroupOut(lists(1))).toThrow('expected at least two')
    expect(() => groupFolds(lists(3), 4, seeded(1))).toThrow('k was 4, expected 2 to 3')
  })
})
