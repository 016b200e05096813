import type { GraphBuilder } from './builder.js'
import { differentiate } from './differentiate.js'
import type { Dimension } from './dimension.js'
import { closeGraph, type Graph, type Value } from './graph.js'
import type { Optimizer } from './optimizers.js'
import { simplify } from './simplify.js'
import type { ElementType } from './tensor.js'

export interface TrainableParameter {
  name: string
  value: Value
}

/** Names of the inputs and outputs of training graphs, beside the batch and the parameters under their own names. */
export const stepNames = {
  /** the flat vectors of `FlatPlan`, before and after the update: of the parameters, of each slot of the optimizer */
  parameters: 'state.parameters',
  slot: (slot: string) => `state.${slot}`,
  next: (state: string) => `next.${state}`,
  /** where weight decay applies (bool, flat); an input only where the optimizer's options make weights decay */
  decays: 'state.decays',
  scalar: (name: string) => `scalar.${name}`,
  clip: 'scalar.clip_norm',
  /** what a part's loss counts in the mean of the whole batch */
  share: 'scalar.share',
  /** what clipping leaves of the gradient */
  scale: 'scalar.scale',
  /** gradient of a parameter: before this part, and with it */
  sum: (parameter: string) => `sum.${parameter}`,
  gradient: (parameter: string) => `gradient.${parameter}`,
  flatGradient: 'gradient',
  loss: 'loss',
  gradientNorm: 'gradient_norm',
} as const

const valuesOf = (parameters: readonly TrainableParameter[]) => parameters.map((p) => p.value)

/** The outputs of one update of the flat vectors of `length` elements. */
function buildUpdate(
  b: GraphBuilder,
  { row, options }: Optimizer,
  { gradient, type, length }: { gradient: Value; type: ElementType; length: Dimension },
): Record<string, Value> {
  const vector = (name: string) => b.input(name, type, [length])
  const slots = Object.fromEntries(row.slots.map((slot) => [slot, vector(stepNames.slot(slot))]))
  const scalars = Object.fromEntries(
    Object.keys(row.scalars(1, 1, options)).map((name) => [name, b.input(stepNames.scalar(name), type, [])]),
  )
  const where = (decayed: Value, plain: Value) =>
    row.decays(options) ? b.where(b.input(stepNames.decays, 'bool', [length]), decayed, plain) : plain
  const next = row.update(b, { parameter: vector(stepNames.parameters), gradient, slots, scalars, where }, options)
  return {
    [stepNames.next(stepNames.parameters)]: next.parameter,
    ...Object.fromEntries(row.slots.map((slot) => [stepNames.next(stepNames.slot(slot)), next.slots[slot]!])),
  }
}

/**
 * One update of training as one graph: forward, backward, clipping, optimizer. Inputs: the batch, the parameters (views of
 * `state.parameters`), `state.*`, `scalar.*`. Outputs: `next.state.*`, and `loss` and `gradient_norm` (before clipping), both scalars.
 * With `clip`, gradients are scaled by min(1, clip_norm / (norm + 1e-6)), as torch.nn.utils.clip_grad_norm_ does (Pascanu et al. 2013).
 */
export function compileTrainingStep(
  b: GraphBuilder,
  { loss, parameters, optimizer, clip }: { loss: Value; parameters: readonly TrainableParameter[]; optimizer: Optimizer; clip: boolean },
): Graph {
  const { type } = loss
  const flat = b.concat(
    differentiate(b, loss, valuesOf(parameters)).map((g) => b.flatten(g)),
    0,
  )
  const norm = b.sqrt(b.sumAll(b.mul(flat, flat)))
  const limit = b.div(b.input(stepNames.clip, type, []), b.add(norm, b.scalar(1e-6, type)))
  const one = b.scalar(1, type)
  const gradient = clip ? b.mul(flat, b.where(b.less(limit, one), limit, one)) : flat
  const next = buildUpdate(b, optimizer, { gradient, type, length: flat.shape[0]! })
  return simplify(closeGraph({ ...next, [stepNames.loss]: loss, [stepNames.gradientNorm]: norm }))
}

/**
 * The gradient of one part of a batch, added to what the parts before it gave: `gradient.<parameter>` = `sum.<parameter>` + share x
 * d loss. Parts of one batch with shares that add up to 1 give the gradient of the batch, whatever they are run by and in: this one graph
 * is gradient accumulation, micro-batches that stay in cache, and data parallelism. `loss` is the part's own.
 */
export function compileGradient(b: GraphBuilder, { loss, parameters }: { loss: Value; parameters: readonly TrainableParameter[] }): Graph {
  const share = b.mul(loss, b.input(stepNames.share, loss.type, []))
  const gradients = differentiate(b, share, valuesOf(parameters))
  const outputs = parameters.map(({ name, value }, i): [string, Value] => [
    stepNames.gradient(name),
    b.add(b.input(stepNames.sum(name), value.type, value.shape), gradients[i]!),
  ])
  return simplify(closeGraph({ ...Object.fromEntries(outputs), [stepNames.loss]: loss }))
}

/** The optimizer alone, on any part of the flat vectors: `state.*`, `gradient` and `scalar.*` to `next.state.*`. */
export function compileUpdate(b: GraphBuilder, optimizer: Optimizer, clip: boolean): Graph {
  const given = b.input(stepNames.flatGradient, b.float, ['N'])
  const gradient = clip ? b.mul(given, b.input(stepNames.scale, b.float, [])) : given
  return simplify(closeGraph(buildUpdate(b, optimizer, { gradient, type: b.float, length: 'N' })))
}

/** The forward half alone: what is evaluated, exported and served. */
export const compileForward = (outputs: Readonly<Record<string, Value>>): Graph => simplify(closeGraph(outputs))
