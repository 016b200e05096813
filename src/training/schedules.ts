import { z } from 'zod'

/**
 * Learning-rate schedules as a table of pure functions: the rate of a step from the base rate, the step and the schedule's own
 * options. The formulae are PyTorch's (torch.optim.lr_scheduler, closed forms); steps are optimizer steps, counted after gradient
 * accumulation, from 0. The plateau schedule alone has a state, which folds the validation loss (`observeLoss`).
 */
const count = z.number().int().positive()
const factor = z.number().positive()
const total = count.nullable().default(null).describe('steps the schedule spans; null: every step of the run after the warm-up')
const minimum = z.number().min(0).default(0).describe('the lowest rate')

export const scheduleOptions = z.discriminatedUnion('name', [
  z.strictObject({ name: z.literal('constant') }),
  z.strictObject({ name: z.literal('step'), stepSize: count, gamma: factor.default(0.1) }),
  z.strictObject({ name: z.literal('multistep'), milestones: z.array(count).min(1), gamma: factor.default(0.1) }),
  z.strictObject({ name: z.literal('exponential'), gamma: factor.default(0.999) }),
  z.strictObject({
    name: z.literal('linear'),
    startFactor: z.number().min(0).default(1),
    endFactor: z.number().min(0).default(0),
    totalSteps: total,
  }),
  z.strictObject({ name: z.literal('polynomial'), power: factor.default(1), totalSteps: total }),
  z.strictObject({ name: z.literal('cosine'), minimum, totalSteps: total }),
  z.strictObject({
    name: z.literal('cosine-restarts'),
    period: count.describe('steps of the first period'),
    multiplier: count.default(1).describe('each period is this many times the one before'),
    minimum,
  }),
  z.strictObject({
    name: z.literal('plateau'),
    factor: z.number().positive().lt(1).default(0.1),
    patience: z.number().int().min(0).default(10).describe('validations without improvement before the rate falls'),
    threshold: z.number().min(0).default(1e-4).describe('relative improvement that counts'),
    cooldown: z.number().int().min(0).default(0),
    minimum,
  }),
  z.strictObject({
    name: z.literal('one-cycle'),
    rise: z.number().positive().lt(1).default(0.3).describe('share of the steps in which the rate rises'),
    initialDivisor: factor.default(25).describe('first rate = learningRate / this'),
    finalDivisor: factor.default(1e4).describe('last rate = first rate / this'),
    anneal: z.enum(['cosine', 'linear']).default('cosine'),
    totalSteps: total,
  }),
])
export type ScheduleOptions = z.output<typeof scheduleOptions>
export type ScheduleName = ScheduleOptions['name']
type Named<N extends ScheduleName> = Extract<ScheduleOptions, { name: N }>

/** What the plateau schedule remembers; plain JSON, part of every checkpoint. */
export interface ScheduleState {
  /** lowest validation loss seen, null before the first */
  best: number | null
  badCount: number
  cooldownLeft: number
  /** the rate after the reductions so far; null before the first */
  rate: number | null
}

export const initialScheduleState = (): ScheduleState => ({ best: null, badCount: 0, cooldownLeft: 0, rate: null })

interface Moment {
  /** the learning rate as configured */
  base: number
  /** from 0, warm-up left out */
  step: number
  /** steps of the run after the warm-up */
  runSteps: number
  state: ScheduleState
}

const cosineBetween = (start: number, end: number, share: number) => end + ((start - end) / 2) * (1 + Math.cos(Math.PI * share))
const linearBetween = (start: number, end: number, share: number) => start + (end - start) * share

function cosineRestarts({ base, step }: Moment, o: Named<'cosine-restarts'>): number {
  let start = 0
  let period = o.period
  if (o.multiplier === 1) start = step - (step % period)
  else
    while (step - start >= period) {
      start += period
      period *= o.multiplier
    }
  return cosineBetween(base, o.minimum, (step - start) / period)
}

function oneCycle({ base, step, runSteps }: Moment, o: Named<'one-cycle'>): number {
  const steps = o.totalSteps ?? runSteps
  const peak = o.rise * steps - 1
  const first = base / o.initialDivisor
  const between = o.anneal === 'cosine' ? cosineBetween : linearBetween
  const at = Math.min(step, steps - 1)
  if (peak > 0 && at <= peak) return between(first, base, at / peak)
  const turn = Math.max(0, peak)
  return steps - 1 <= turn ? base : between(base, first / o.finalDivisor, (at - turn) / (steps - 1 - turn))
}

/** One row per schedule; cosine and polynomial stay at their end value after their last step instead of rising again. */
export const schedules: { [N in ScheduleName]: (moment: Moment, options: Named<N>) => number } = {
  constant: ({ base }) => base,
  step: ({ base, step }, o) => base * o.gamma ** Math.floor(step / o.stepSize),
  multistep: ({ base, step }, o) => base * o.gamma ** o.milestones.filter((m) => m <= step).length,
  exponential: ({ base, step }, o) => base * o.gamma ** step,
  linear: ({ base, step, runSteps }, o) => {
    const steps = o.totalSteps ?? runSteps
    return base * linearBetween(o.startFactor, o.endFactor, Math.min(step, steps) / steps)
  },
  polynomial: ({ base, step, runSteps }, o) => {
    const steps = o.totalSteps ?? runSteps
    return base * (1 - Math.min(step, steps) / steps) ** o.power
  },
  cosine: ({ base, step, runSteps }, o) => {
    const steps = o.totalSteps ?? runSteps
    return cosineBetween(base, o.minimum, Math.min(step, steps) / steps)
  },
  'cosine-restarts': cosineRestarts,
  plateau: ({ base, state }) => state.rate ?? base,
  'one-cycle': oneCycle,
}

export interface RateRequest {
  schedule: ScheduleOptions
  learningRate: number
  warmUpSteps: number
  /** the rate starts at learningRate times this (of the schedule's first rate) */
  warmUpFactor: number
  /** optimizer steps of the whole run */
  totalSteps: number
  /** from 0 */
  step: number
  state: ScheduleState
}

/**
 * The learning rate of one step. Linear warm-up (PyTorch's LinearLR, then the schedule from its own step 0, as SequentialLR does):
 * for step < warmUpSteps the schedule's first rate times `warmUpFactor + (1 - warmUpFactor) * step / warmUpSteps`.
 */
export function learningRateAt({ schedule, learningRate, warmUpSteps, warmUpFactor, totalSteps, step, state }: RateRequest): number {
  const row = schedules[schedule.name] as (moment: Moment, options: ScheduleOptions) => number
  const moment = { base: learningRate, step: Math.max(0, step - warmUpSteps), runSteps: Math.max(1, totalSteps - warmUpSteps), state }
  const rate = row(moment, schedule)
  return step < warmUpSteps ? rate * linearBetween(warmUpFactor, 1, step / warmUpSteps) : rate
}

/** The state after one validation (PyTorch's ReduceLROnPlateau, mode min, relative threshold); other schedules keep theirs. */
export function observeLoss(schedule: ScheduleOptions, state: ScheduleState, loss: number, learningRate: number): ScheduleState {
  if (schedule.name !== 'plateau') return state
  const isBetter = state.best === null || loss < state.best * (1 - schedule.threshold)
  const badCount = isBetter || state.cooldownLeft > 0 ? 0 : state.badCount + 1
  const next = { ...state, best: isBetter ? loss : state.best, badCount, cooldownLeft: Math.max(0, state.cooldownLeft - 1) }
  if (badCount <= schedule.patience) return next
  const rate = state.rate ?? learningRate
  const lower = Math.max(rate * schedule.factor, schedule.minimum)
  // PyTorch leaves a rate alone when the fall would be smaller than eps = 1e-8
  return { ...next, badCount: 0, cooldownLeft: schedule.cooldown, rate: rate - lower > 1e-8 ? lower : rate }
}
