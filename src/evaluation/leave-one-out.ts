import { groupFolds, leaveOneGroupOut, splitByGroup } from '../datasets/splits/groups.js'
import type { RankingList } from '../models/rankings/ranking-list.js'
import type { Rng } from '../util/random.js'
import { type EvaluationOptions, evaluateRanking, type RankingReport } from './ranking.js'

/** Scores one list, at once or later: one number a candidate, higher is better. */
export type RankerScore = (list: RankingList) => ArrayLike<number> | Promise<ArrayLike<number>>

/** Learns from lists; `validation` is for early stopping and for choosing among options. */
export type TrainRanker = (
  train: RankingList[],
  validation: RankingList[],
  fold: { groups: readonly string[]; rng: Rng },
) => RankerScore | Promise<RankerScore>

export interface LeaveOneOutOptions extends EvaluationOptions {
  /** share of the training groups that serve as validation (default 0.15) */
  validation?: number
  /** hold out this many parts of the groups instead of one group at a time, where a training for each group takes too long */
  folds?: number
  /** called after each fold */
  onFold?: (fold: { groups: readonly string[]; done: number; of: number; queries: number }) => void
}

/**
 * Leave-one-group-out evaluation: for each database, a ranker is trained on all others and judged on this one. Validation lists come
 * from the training databases, so nothing is tuned on what is held out. Scores of all folds are pooled over queries; intervals resample
 * whole databases unless `unit` says otherwise. The report keeps the order of `lists`, so that it compares with other scorers' pairwise.
 */
export async function evaluateLeaveOneOut(
  lists: readonly RankingList[],
  train: TrainRanker,
  { validation = 0.15, folds: k, onFold, unit = 'group', ...options }: LeaveOneOutOptions,
): Promise<RankingReport> {
  const folds = k === undefined ? leaveOneGroupOut(lists) : groupFolds(lists, k, options.rng.fork('folds'))
  const scores = new Map<RankingList, ArrayLike<number>>()
  for (const [f, fold] of folds.entries()) {
    const rng = options.rng.fork(`fold ${fold.groups.join()}`)
    const split = splitByGroup(fold.train, { validation }, rng.fork('validation'))
    const score = await train(split.train, split.validation, { groups: fold.groups, rng })
    for (const list of fold.test) scores.set(list, await score(list))
    onFold?.({ groups: fold.groups, done: f + 1, of: folds.length, queries: fold.test.length })
  }
  const inOrder = lists.map((list) => scores.get(list)!)
  return evaluateRanking(lists, inOrder, { ...options, unit })
}
