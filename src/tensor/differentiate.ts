import { EspalierError } from '../util/error.js'
import type { GraphBuilder } from './builder.js'
import { isStatic } from './dimension.js'
import { closeGraph, type Node, type Value } from './graph.js'
import { ops } from './ops.js'
import { elementCount } from './tensor.js'

const isFloat = (v: Value) => v.type === 'float32' || v.type === 'float64'

/** The values that depend on one of `roots`, among those `nodes` make. */
function dependents(nodes: readonly Node[], roots: readonly Value[]): Set<Value> {
  const reached = new Set(roots)
  for (const node of nodes) if (node.inputs.some((v) => reached.has(v))) for (const v of node.outputs) if (isFloat(v)) reached.add(v)
  return reached
}

/** From so many elements on a gradient of the parameters is a product worth its place in time. */
const heavy = 4096
/** How many of those are made before the way back goes on. */
const together = 6

/**
 * Sees to it that gradients of parameters are computed as soon as they can be, while what they are made of is in the processor's cache and
 * before it must be kept for later: without, onnxruntime computes them all at the very end. `join` gives a value that comes after those
 * that grew since the last join, where there are enough of them. Measured: 10,000 nodes, 50,000 edges, hidden 64: a training step 20 %
 * faster; parts of 1024 nodes, hidden 128: 3 %.
 */
function punctual(b: GraphBuilder) {
  const grown = new Map<Value, Value>()
  const isHeavy = ({ shape }: Value) => isStatic(shape) && elementCount(shape) >= heavy
  return {
    grew(value: Value, gradient: Value) {
      // what does not depend on the size of a batch is of the parameters
      if (isStatic(value.shape) && value.shape.length > 0) grown.set(value, gradient)
    },
    join(gradient: Value): Value {
      if (isStatic(gradient.shape) || [...grown.keys()].filter(isHeavy).length < together) return gradient
      const others = [...grown.values()]
      grown.clear()
      return b.after(gradient, others)
    },
  }
}

/**
 * Reverse-mode differentiation: the gradients of the scalar `loss` with respect to each of `wrt`, as values of the same builder (a
 * parameter that the loss does not depend on gets zeros). Only what depends on `wrt` is differentiated, so that features and masks cost
 * nothing. Throws INTERNAL when the way leads through an op that has no gradient, saying why it has none.
 */
export function differentiate(b: GraphBuilder, loss: Value, wrt: readonly Value[]): Value[] {
  if (loss.shape.length !== 0) throw new EspalierError('BAD_INPUT', `the loss has shape [${loss.shape}], expected a scalar`)
  const { nodes } = closeGraph({ loss })
  const wanted = dependents(nodes, wrt)
  const gradients = new Map<Value, Value>([[loss, b.scalar(1, loss.type)]])
  const { grew, join } = punctual(b)
  for (const node of [...nodes].reverse()) {
    const arrived = node.outputs.map((v) => gradients.get(v) ?? null)
    const needs = node.inputs.map((v) => wanted.has(v))
    if (arrived.every((g) => g === null) || !needs.some(Boolean)) continue
    const first = arrived.findIndex((g) => g !== null)
    arrived[first] = join(arrived[first]!)
    const { gradient } = ops[node.op]
    if (typeof gradient !== 'function') throw new EspalierError('INTERNAL', `${node.op} has no gradient: ${gradient.none}`)
    const parts = gradient(b, node, arrived, needs)
    node.inputs.forEach((input, i) => {
      const part = needs[i] ? parts[i] : null
      if (!part) return
      const sum = gradients.get(input)
      const whole = sum ? b.add(sum, part) : part
      gradients.set(input, whole)
      grew(input, whole)
    })
  }
  return wrt.map((v) => gradients.get(v) ?? b.zeros(v.type, v.shape))
}
