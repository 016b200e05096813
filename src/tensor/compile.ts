import type { GraphBuilder } from './builder.js'
import { differentiate } from './differentiate.js'
import { closeGraph, type Graph, type Value } from './graph.js'
import type { Optimizer } from './optimizers.js'
import { simplify } from './simplify.js'

export interface TrainableParameter {
  name: string
  value: Value
  /** whether weight decay applies */
  decay: boolean
}

/** Names of a training step's inputs and outputs, beside the batch and the parameters under their own names. */
export const stepNames = {
  slot: (slot: string, parameter: string) => `${slot}.${parameter}`,
  scalar: (name: string) => `scalar.${name}`,
  next: (name: string) => `next.${name}`,
  clip: 'scalar.clip_norm',
  loss: 'loss',
  gradientNorm: 'gradient_norm',
} as const

/** The global L2 norm of gradients. */
function globalNorm(b: GraphBuilder, gradients: readonly Value[]): Value {
  return b.sqrt(gradients.map((g) => b.sumAll(b.mul(g, g))).reduce((a, c) => b.add(a, c)))
}

/**
 * One update of training as one graph. Inputs: the batch, the parameters, `<slot>.<parameter>` of the optimizer, `scalar.*`. Outputs:
 * `next.<parameter>`, `next.<slot>.<parameter>`, `loss` and `gradient_norm` (before clipping), both scalars. With `clip`, gradients are
 * scaled by min(1, clip_norm / (norm + 1e-6)), as torch.nn.utils.clip_grad_norm_ does (Pascanu et al. 2013).
 */
export function compileTrainingStep(
  b: GraphBuilder,
  { loss, parameters, optimizer, clip }: { loss: Value; parameters: readonly TrainableParameter[]; optimizer: Optimizer; clip: boolean },
): Graph {
  const raw = differentiate(
    b,
    loss,
    parameters.map((p) => p.value),
  )
  const norm = globalNorm(b, raw)
  const scalar = (name: string) => b.input(stepNames.scalar(name), loss.type, [])
  const limit = b.div(b.input(stepNames.clip, loss.type, []), b.add(norm, b.scalar(1e-6, loss.type)))
  const one = b.scalar(1, loss.type)
  const gradients = clip ? raw.map((g) => b.mul(g, b.where(b.less(limit, one), limit, one))) : raw

  const scalars = Object.fromEntries(Object.keys(optimizer.row.scalars(1, 1, optimizer.options)).map((name) => [name, scalar(name)]))
  const outputs: Record<string, Value> = { [stepNames.loss]: loss, [stepNames.gradientNorm]: norm }
  parameters.forEach(({ name, value, decay }, i) => {
    const slots = Object.fromEntries(
      optimizer.row.slots.map((slot) => [slot, b.input(stepNames.slot(slot, name), value.type, value.shape)]),
    )
    const update = { parameter: value, gradient: gradients[i]!, slots, scalars, decay }
    const next = optimizer.row.update(b, update, optimizer.options)
    outputs[stepNames.next(name)] = next.parameter
    for (const slot of optimizer.row.slots) outputs[stepNames.next(stepNames.slot(slot, name))] = next.slots[slot]!
  })
  return simplify(closeGraph(outputs))
}

/** The forward half alone: what is evaluated, exported and served. */
export const compileForward = (outputs: Readonly<Record<string, Value>>): Graph => simplify(closeGraph(outputs))
