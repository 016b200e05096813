import { EspalierError } from '../util/error.js'
import type { GraphBuilder } from './builder.js'
import { closeGraph, type Node, type Value } from './graph.js'
import { ops } from './ops.js'

const isFloat = (v: Value) => v.type === 'float32' || v.type === 'float64'

/** The values that depend on one of `roots`, among those `nodes` make. */
function dependents(nodes: readonly Node[], roots: readonly Value[]): Set<Value> {
  const reached = new Set(roots)
  for (const node of nodes) if (node.inputs.some((v) => reached.has(v))) for (const v of node.outputs) if (isFloat(v)) reached.add(v)
  return reached
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
  for (const node of [...nodes].reverse()) {
    const arrived = node.outputs.map((v) => gradients.get(v) ?? null)
    const needs = node.inputs.map((v) => wanted.has(v))
    if (arrived.every((g) => g === null) || !needs.some(Boolean)) continue
    const { gradient } = ops[node.op]
    if (typeof gradient !== 'function') throw new EspalierError('INTERNAL', `${node.op} has no gradient: ${gradient.none}`)
    const parts = gradient(b, node, arrived, needs)
    node.inputs.forEach((input, i) => {
      const part = needs[i] ? parts[i] : null
      if (!part) return
      const sum = gradients.get(input)
      gradients.set(input, sum ? b.add(sum, part) : part)
    })
  }
  return wrt.map((v) => gradients.get(v) ?? b.zeros(v.type, v.shape))
}
