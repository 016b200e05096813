import { z } from 'zod'
import { didYouMean } from '../util/closest.js'
import { EspalierError } from '../util/error.js'
import type { GraphBuilder } from './builder.js'
import type { Value } from './graph.js'

interface Update {
  parameter: Value
  gradient: Value
  slots: Readonly<Record<string, Value>>
  scalars: Readonly<Record<string, Value>>
  /** `decayed` where weight decay applies, `plain` elsewhere */
  where(decayed: Value, plain: Value): Value
}

/**
 * One optimizer: its options, what it remembers per parameter, the numbers the host gives it per step, and its update, which is the same
 * for every element: it works on the flat vector of all parameters, or on any part of it.
 */
// biome-ignore lint/suspicious/noExplicitAny: rows of different options in one table
export interface OptimizerRow<Options = any> {
  options: z.ZodType<Options>
  slots: readonly string[]
  /** whether these options make weights decay: updates are then told where */
  decays(options: Options): boolean
  /** `step` counts from 1. In double precision: bias corrections lose nothing. */
  scalars(step: number, learningRate: number, options: Options): Record<string, number>
  update(b: GraphBuilder, u: Update, options: Options): { parameter: Value; slots: Record<string, Value> }
}

const unit = (value: number, what: string) => z.number().min(0).lt(1).default(value).describe(what)
const epsilon = z.number().positive().default(1e-8).describe('added to the root of the second moment')
const weightDecay = (value: number) =>
  z.number().min(0).default(value).describe('weights shrink by learning rate x this each step; biases and norms do not')
const adamOptions = {
  beta1: unit(0.9, 'decay of the first moment'),
  beta2: unit(0.999, 'decay of the second moment'),
  epsilon,
}

/** a x + (1 - a) y with constants a and 1 - a */
const blend = (b: GraphBuilder, a: number, x: Value, y: Value) => b.add(b.mul(x, b.scalar(a, x.type)), b.mul(y, b.scalar(1 - a, y.type)))

interface Adam {
  beta1: number
  beta2: number
  epsilon: number
}
// lr m^ / (sqrt(v^) + eps), with both bias corrections moved into the two scalars
const adamScalars = (step: number, learningRate: number, { beta1, beta2, epsilon }: Adam) => {
  const root = Math.sqrt(1 - beta2 ** step)
  return { rate: (learningRate * root) / (1 - beta1 ** step), epsilon: epsilon * root }
}
function adamUpdate(b: GraphBuilder, start: Value, { gradient, slots, scalars }: Update, { beta1, beta2 }: Adam) {
  const first = blend(b, beta1, slots['first']!, gradient)
  const second = blend(b, beta2, slots['second']!, b.mul(gradient, gradient))
  const step = b.div(b.mul(first, scalars['rate']!), b.add(b.sqrt(second), scalars['epsilon']!))
  return { parameter: b.sub(start, step), slots: { first, second } }
}

const never = () => false

const row = <Options>(r: OptimizerRow<Options>): OptimizerRow<Options> => r

/** The optimizers, each as PyTorch computes it. */
export const optimizers = {
  /** Kingma & Ba 2015. */
  adam: row({
    options: z.strictObject(adamOptions),
    slots: ['first', 'second'],
    decays: never,
    scalars: adamScalars,
    update: (b, u, o) => adamUpdate(b, u.parameter, u, o),
  }),
  /** Loshchilov & Hutter 2019: decay apart from the gradient. */
  adamw: row({
    options: z.strictObject({ ...adamOptions, weightDecay: weightDecay(0.01) }),
    slots: ['first', 'second'],
    decays: (o) => o.weightDecay > 0,
    scalars: (step, learningRate, o) => ({ ...adamScalars(step, learningRate, o), keep: 1 - learningRate * o.weightDecay }),
    update: (b, u, o) => adamUpdate(b, u.where(b.mul(u.parameter, u.scalars['keep']!), u.parameter), u, o),
  }),
  /** Momentum as torch.optim.SGD has it: buffer = momentum x buffer + gradient. */
  sgd: row({
    options: z.strictObject({
      momentum: unit(0.9, 'how much of the last step goes on'),
      nesterov: z.boolean().default(false).describe('look ahead along the momentum'),
      weightDecay: weightDecay(0),
    }),
    slots: ['velocity'],
    decays: (o) => o.weightDecay > 0,
    scalars: (_, learningRate) => ({ rate: learningRate }),
    update: (b, { parameter, gradient, slots, scalars, where }, { momentum, nesterov, weightDecay }) => {
      const pull = where(b.add(gradient, b.mul(parameter, b.scalar(weightDecay, parameter.type))), gradient)
      const carry = (v: Value) => b.add(b.mul(v, b.scalar(momentum, v.type)), pull)
      const velocity = carry(slots['velocity']!)
      return { parameter: b.sub(parameter, b.mul(nesterov ? carry(velocity) : velocity, scalars['rate']!)), slots: { velocity } }
    },
  }),
  /** Tieleman & Hinton 2012. */
  rmsprop: row({
    options: z.strictObject({ alpha: unit(0.99, 'decay of the second moment'), epsilon }),
    slots: ['second'],
    decays: never,
    scalars: (_, learningRate) => ({ rate: learningRate }),
    update: (b, { parameter, gradient, slots, scalars }, { alpha, epsilon }) => {
      const second = blend(b, alpha, slots['second']!, b.mul(gradient, gradient))
      const step = b.div(b.mul(gradient, scalars['rate']!), b.add(b.sqrt(second), b.scalar(epsilon, second.type)))
      return { parameter: b.sub(parameter, step), slots: { second } }
    },
  }),
} satisfies Record<string, OptimizerRow>

export type OptimizerName = keyof typeof optimizers

export interface Optimizer {
  name: OptimizerName
  row: OptimizerRow
  options: Record<string, unknown>
}

/** The optimizer a setting names, its options validated and filled in. Throws BAD_INPUT. */
export function parseOptimizer({ name, ...given }: { name: string; [option: string]: unknown }): Optimizer {
  const row = (optimizers as Record<string, OptimizerRow>)[name]
  if (!row)
    throw new EspalierError('BAD_INPUT', `optimizer "${name}" is not one of ${Object.keys(optimizers).join(', ')}`, {
      remedy: didYouMean(name, Object.keys(optimizers)),
    })
  const parsed = row.options.safeParse(given)
  if (!parsed.success)
    throw new EspalierError('BAD_INPUT', `options of optimizer ${name}: ${z.prettifyError(parsed.error)}`, {
      remedy: 'leave an option out to have its default',
    })
  return { name: name as OptimizerName, row, options: parsed.data as Record<string, unknown> }
}
