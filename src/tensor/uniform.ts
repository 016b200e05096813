import { evaluateDimension } from './dimension.js'
import type { GraphInput } from './graph.js'
import { elementCount, float32, type NamedTensors } from './tensor.js'

/** Inputs of this prefix are not part of a batch: the host feeds uniform numbers, `uniform.<stream>`. */
export const uniformPrefix = 'uniform.'

/** lowbias32, a bijective mixer of 32 bits (Wellons 2018). */
function mix(x: number): number {
  x = Math.imul(x ^ (x >>> 16), 0x7feb352d)
  x = Math.imul(x ^ (x >>> 15), 0x846ca68b)
  return (x ^ (x >>> 16)) >>> 0
}

/**
 * Uniform numbers in [0, 1) as a function of counters alone: seed, step, stream and place. Nothing to save, nothing to draw in order, and
 * the same numbers for every executor.
 */
export function uniformNumbers(seed: number, step: number, stream: number, count: number, part = 0): Float32Array {
  const parts = [seed % 2 ** 32, Math.floor(seed / 2 ** 32), step, stream + part * 2 ** 16]
  const key = parts.reduce((k, part) => mix(k ^ mix((part >>> 0) + 0x9e3779b9)), 0)
  const other = mix(key ^ 0x85ebca6b)
  const numbers = new Float32Array(count)
  // 24 bits: every value is exact in float32, and none rounds up to 1
  for (let i = 0; i < count; i++) numbers[i] = (mix(mix(i ^ key) + other) >>> 8) / 2 ** 24
  return numbers
}

/**
 * The uniform inputs of a graph, for one step (and one part of it, where a batch comes in parts); their symbols have the values they have
 * in `feeds`.
 */
export function feedUniform(
  inputs: readonly Pick<GraphInput, 'name' | 'value'>[],
  feeds: Readonly<NamedTensors>,
  seed: number,
  step: number,
  part = 0,
): NamedTensors {
  const wanted = inputs.filter(({ name }) => name.startsWith(uniformPrefix))
  if (wanted.length === 0) return {}
  const symbols = new Map<string, number>()
  for (const { name, value } of inputs)
    for (const [axis, d] of value.shape.entries()) {
      const length = feeds[name]?.dims[axis]
      if (typeof d === 'string' && length !== undefined) symbols.set(d, length)
    }
  return Object.fromEntries(
    wanted.map(({ name, value }) => {
      const dims = value.shape.map((d) => evaluateDimension(d, symbols))
      const stream = Number(name.slice(uniformPrefix.length))
      return [name, float32(dims, uniformNumbers(seed, step, stream, elementCount(dims), part))]
    }),
  )
}
