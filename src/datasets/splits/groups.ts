import type { RankingList } from '../../models/rankings/ranking-list.js'
import { EspalierError } from '../../util/error.js'
import type { Rng } from '../../util/random.js'
import { apportion } from './apportion.js'

export interface Split<T> {
  train: T[]
  validation: T[]
  test: T[]
}

export interface SplitShares {
  /** share of the groups held for choosing among models (default 0) */
  validation?: number
  /** share of the groups held for the final number (default 0) */
  test?: number
}

type Grouped = Pick<RankingList, 'group'>

function groupNames(lists: readonly Grouped[]): string[] {
  const names = new Set<string>()
  lists.forEach(({ group }, i) => {
    if (group === undefined)
      throw new EspalierError('BAD_INPUT', `split by group: list ${i} has no group, expected the name of what it is held out with`, {
        remedy: 'Give each list a `group` (its database, say): lists of one schema in both parts would leak names from one to the other.',
      })
    names.add(group)
  })
  return [...names].sort()
}

/**
 * Splits lists so that every group (a database) falls into one part whole: the test is then an unseen schema. Shares are of groups,
 * rounded by largest remainder; a part that was asked for gets at least one group as long as training keeps one.
 */
export function splitByGroup<T extends Grouped>(lists: readonly T[], shares: SplitShares, rng: Rng): Split<T> {
  const { validation = 0, test = 0 } = shares
  if (!(validation >= 0 && test >= 0 && validation + test < 1))
    throw new EspalierError(
      'BAD_INPUT',
      `split shares were validation ${validation} and test ${test}, expected 0 or more, together below 1`,
    )
  const groups = rng.shuffle(groupNames(lists))
  const [inTrain, inValidation, inTest] = apportion(groups.length, [1 - validation - test, validation, test]) as [number, number, number]
  // Training keeps one, whatever was asked: the last places of the order are its own.
  const held = groups.slice(0, inTrain === 0 ? -1 : inTest + inValidation)
  const testGroups = new Set(held.slice(0, inTest))
  const validationGroups = new Set(held.slice(inTest))
  const split: Split<T> = { train: [], validation: [], test: [] }
  for (const list of lists)
    split[testGroups.has(list.group!) ? 'test' : validationGroups.has(list.group!) ? 'validation' : 'train'].push(list)
  return split
}

export interface Fold<T> {
  /** the groups that are held out */
  groups: string[]
  train: T[]
  test: T[]
}

/**
 * Folds that hold out whole groups: `leaveOneGroupOut` one a fold, in the order of their names; `groupFolds` k parts of as equal a number
 * of groups as can be, drawn at random. Each group is the test once, all others are the training data.
 */
export const leaveOneGroupOut = <T extends Grouped>(lists: readonly T[]): Fold<T>[] =>
  foldsOf(
    lists,
    groupNames(lists).map((group) => [group]),
  )

export function groupFolds<T extends Grouped>(lists: readonly T[], k: number, rng: Rng): Fold<T>[] {
  const groups = rng.shuffle(groupNames(lists))
  if (!Number.isInteger(k) || k < 2 || k > groups.length)
    throw new EspalierError('BAD_INPUT', `group folds: k was ${k}, expected 2 to ${groups.length}, the number of groups`)
  return foldsOf(
    lists,
    Array.from({ length: k }, (_, fold) => groups.filter((_, g) => g % k === fold)),
  )
}

function foldsOf<T extends Grouped>(lists: readonly T[], parts: readonly string[][]): Fold<T>[] {
  if (parts.length < 2)
    throw new EspalierError('BAD_INPUT', `leave one group out: found ${parts.length} group (${parts.flat().join()}), expected at least two`)
  return parts.map((groups) => {
    const held = new Set(groups)
    return { groups, train: lists.filter((l) => !held.has(l.group!)), test: lists.filter((l) => held.has(l.group!)) }
  })
}
