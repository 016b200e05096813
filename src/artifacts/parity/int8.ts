import type { Environment } from '../environment.js'
import type { Int8Mode, Int8Report } from '../manifest.js'
import { countScores, largestDifference, rankAgreement, type Scores } from './compare.js'
import { measuredOn } from './fp32.js'
import type { GridCase } from './grid.js'
import type { Scorer } from './scorer.js'
import { compareSpeed } from './speed.js'

/** What makes of scores the metrics of a task, each higher when better; none where the examples cannot be judged. */
export type Judge<Example> = (examples: readonly Example[], scores: Scores) => Record<string, number>

export interface Int8Request<Example> {
  examples: readonly Example[]
  /** of the validation examples, by the fp32 files */
  fp32: Scores
  /** of the same, by the int8 files */
  int8: Scores
  scorers: { fp32: Omit<Scorer<Example>, 'close'>; int8: Omit<Scorer<Example>, 'close'> }
  sizes: { fp32: number; int8: number }
  grid: readonly GridCase<Example>[]
  judge: Judge<Example>
  /** the task's metric; the first that `judge` tells when absent */
  metric?: string
  /** how much of the metric may be lost, relative to fp32's */
  maxDrop: number
  environment: Environment
}

/** So that exactly the limit passes, whatever the last bit of a division. */
const rounding = 1e-12

/** Relative loss from `before` to `after`, 0 where nothing is lost; negative where something is gained. */
export const relativeDrop = (before: number, after: number): number =>
  before === after ? 0 : (before - after) / Math.max(Math.abs(before), Number.EPSILON)

function metricDrop<Example>({ examples, fp32, int8, judge, metric, maxDrop }: Int8Request<Example>): Int8Report['metric'] {
  const [before, after] = [judge(examples, fp32), judge(examples, int8)]
  const name = metric !== undefined && metric in before ? metric : Object.keys(before)[0]
  const [full, small] = [before[name ?? ''], after[name ?? '']]
  if (name === undefined || full === undefined || small === undefined) return null
  const drop = relativeDrop(full, small)
  return { name, fp32: full, int8: small, drop, limit: maxDrop, passed: drop <= maxDrop + rounding }
}

/**
 * How int8 files compare with the fp32 ones over the validation set: agreement of rankings, the task's own metric, size and speed. The
 * gate is the metric's drop; also every score of the validation set and of the grid must be finite. Without a metric it does not pass.
 */
export async function measureInt8<Example>(request: Int8Request<Example>): Promise<Int8Report> {
  const { examples, fp32, int8, scorers, sizes, grid, environment } = request
  const gridResults: Int8Report['grid'] = []
  for (const layout of scorers.int8.layouts)
    for (const each of grid) {
      const { batch } = scorers.int8.encode(each.examples, layout)
      const difference = largestDifference(await scorers.int8.score(batch), await scorers.fp32.score(batch))
      gridResults.push({ case: `${layout}: ${each.case}`, max_abs_diff: difference, passed: difference !== null })
    }
  const metric = metricDrop(request)
  const difference = largestDifference(int8, fp32)
  return {
    precision: 'int8',
    lists: int8.length,
    candidates: countScores(int8),
    max_abs_diff: difference,
    ...(difference === null ? { kendall_tau: null, top1_agreement: null } : rankAgreement(int8, fp32)),
    metric,
    grid: gridResults,
    size: { fp32_bytes: sizes.fp32, int8_bytes: sizes.int8, ratio: sizes.int8 / sizes.fp32 },
    speed: await compareSpeed(scorers, examples),
    passed: difference !== null && metric?.passed === true && gridResults.every((g) => g.passed),
    ...measuredOn(environment),
  }
}

/** Why a report did not pass, for people. */
export function int8Failure({ metric, max_abs_diff: difference, grid }: Int8Report): string {
  if (difference === null || grid.some((g) => !g.passed)) return 'a score is not a finite number'
  if (metric === null) return 'the validation set has nothing to judge its metric by'
  const percent = (share: number) => `${(100 * share).toFixed(2)} %`
  return `${metric.name} drops by ${percent(metric.drop)} (${metric.fp32.toFixed(4)} to ${metric.int8.toFixed(4)}), ${percent(metric.limit)} at most`
}

/** int8 files are published when they passed, and when they are required and their failure is forced. */
export const publishesInt8 = (mode: Int8Mode, passed: boolean): boolean => mode === 'required' || (mode === 'if-passed' && passed)
