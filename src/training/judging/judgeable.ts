import { EspalierError } from '../../util/error.js'
import { gatesOf, type TrainingOptions } from '../options.js'

const rankingMetrics = ['validation_loss', 'mrr', 'hits_at_1', 'hits_at_3', 'hits_at_10', 'ndcg_at_10']
const answerMetrics = ['validation_loss', 'accuracy']

/** What is measured on validation examples, by read-out: only that can be monitored and gated. */
export const measuredMetrics: Readonly<Record<string, readonly string[]>> = {
  rank: rankingMetrics,
  node: answerMetrics,
  graph: [...answerMetrics, 'precision', 'recall', 'f1_score'],
  sequence: answerMetrics,
}

/**
 * Throws BAD_INPUT, before a run is queued, for a metric that its read-out does not measure, and for gates, or a schedule that follows
 * the validation loss, where nothing will be held out (`hasOwnValidation`: the data brings its held-out examples along, whatever the split).
 */
export function assertJudgeable(readout: string, options: TrainingOptions, hasOwnValidation = false): void {
  const measured = measuredMetrics[readout]!
  const isJudged = options.validationSplit > 0 || hasOwnValidation
  const gates = gatesOf(options)
  const strange = [
    ...gates.map(({ metric }) => ['gates', metric] as const),
    ...(isJudged ? [['monitor', options.monitor] as const] : []),
  ].find(([, metric]) => !measured.includes(metric))
  if (strange)
    throw new EspalierError('BAD_INPUT', `training.${strange[0]}: found ${strange[1]}, expected one of ${measured.join(', ')}`, {
      remedy: `The read-out ${readout} measures these.`,
    })
  assertGates(options, isJudged)
  if (options.schedule.name === 'plateau' && !isJudged)
    throw new EspalierError('BAD_INPUT', 'training.schedule: found plateau, which follows the validation loss, and nothing is held out', {
      remedy: 'Give a validationSplit above 0, or another schedule.',
    })
}

/** Throws BAD_INPUT for gates where nothing is held out to judge them by. */
export function assertGates(options: TrainingOptions, hasValidation: boolean): void {
  const gates = gatesOf(options)
  if (hasValidation || gates.length === 0) return
  throw new EspalierError('BAD_INPUT', `gates: ${gates.map((g) => g.metric).join(', ')} cannot be judged without validation examples`, {
    remedy: 'Give validation examples or a validationSplit above 0, or leave the gates out.',
  })
}
