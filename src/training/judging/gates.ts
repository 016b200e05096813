import { EspalierError } from '../../util/error.js'

export type Direction = 'higher' | 'lower'

/** Which way each metric is better. A name that is not here is refused, because a gate in the wrong direction passes anything. */
export const metricDirections: Readonly<Record<string, Direction>> = {
  validation_loss: 'lower',
  training_loss: 'lower',
  mrr: 'higher',
  hits_at_1: 'higher',
  hits_at_3: 'higher',
  hits_at_10: 'higher',
  ndcg_at_10: 'higher',
  accuracy: 'higher',
  precision: 'higher',
  recall: 'higher',
  f1_score: 'higher',
}

export function directionOf(metric: string): Direction {
  const direction = metricDirections[metric]
  if (!direction)
    throw new EspalierError('BAD_INPUT', `metric: found "${metric}", expected one of ${Object.keys(metricDirections).join(', ')}`, {
      remedy: 'Name one of these metrics.',
    })
  return direction
}

/** True when `value` beats `than` by more than `margin` (strictly, also for margin 0). */
export const isBetter = (value: number, than: number, direction: Direction, margin = 0): boolean =>
  direction === 'higher' ? value > than + margin : value < than - margin

/** A threshold that a model must meet to be published: a floor where higher is better, a ceiling for a loss. */
export interface Gate {
  metric: string
  threshold: number
}

export interface GateResult extends Gate {
  /** null when the metric was not measured, which fails */
  value: number | null
  passed: boolean
}

/** Judges `metrics` (of the weights that ship) by each gate; meeting the threshold exactly passes, NaN never does. */
export function judgeGates(gates: readonly Gate[], metrics: Readonly<Record<string, number>>): GateResult[] {
  return gates.map(({ metric, threshold }) => {
    const value = metrics[metric] ?? null
    const passed = value !== null && (directionOf(metric) === 'higher' ? value >= threshold : value <= threshold)
    return { metric, threshold, value: value !== null && Number.isFinite(value) ? value : null, passed }
  })
}
