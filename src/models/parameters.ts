import { elementCount, type NamedTensors, tensor } from '../tensor/tensor.js'
import { EspalierError } from '../util/error.js'
import { type Rng, seeded } from '../util/random.js'
import type { Initializer, ParameterSpec } from './model.js'

/** uniform in [-bound, bound) */
const uniform = (rng: Rng, bound: number, count: number) => Float32Array.from({ length: count }, () => (rng.next() * 2 - 1) * bound)

const initializers: Record<Initializer, (spec: ParameterSpec, rng: Rng, count: number) => Float32Array> = {
  zeros: (_, __, count) => new Float32Array(count),
  ones: (_, __, count) => new Float32Array(count).fill(1),
  /** U(-1/sqrt(fan in), 1/sqrt(fan in)): what torch.nn.Linear and torch.nn.GRUCell start from */
  'fan-in': (spec, rng, count) => uniform(rng, 1 / Math.sqrt(Math.max(1, spec.fanIn ?? spec.shape.at(-1)!)), count),
  /** Glorot & Bengio 2010, for [out, in] */
  glorot: (spec, rng, count) => uniform(rng, Math.sqrt(6 / (spec.shape[0]! + (spec.fanIn ?? spec.shape.at(-1)!))), count),
}

/** Starting values: each parameter's own stream of numbers comes from the seed and its name, so their order does not matter. */
export function initializeParameters(specs: readonly ParameterSpec[], seed: number): NamedTensors {
  const rng = seeded(seed)
  return Object.fromEntries(
    specs.map((spec) => {
      const values = initializers[spec.init](spec, rng.fork(spec.name), elementCount(spec.shape))
      return [spec.name, tensor('float32', spec.shape, values)]
    }),
  )
}

/** Throws BAD_INPUT unless `given` has exactly the parameters of `specs`, in their shapes. */
export function assertParameters(specs: readonly ParameterSpec[], given: Readonly<NamedTensors>): void {
  const refuse = (message: string) => {
    throw new EspalierError('BAD_INPUT', message, { remedy: 'use the options the parameters were trained with' })
  }
  for (const { name, shape } of specs) {
    const t = given[name]
    if (!t) refuse(`parameter "${name}" is missing; there are ${Object.keys(given).join(', ') || 'none'}`)
    else if (t.type !== 'float32' || String(t.dims) !== String(shape))
      refuse(`parameter "${name}" is ${t.type}[${t.dims}], expected float32[${shape}]`)
  }
  const known = new Set(specs.map((s) => s.name))
  const extra = Object.keys(given).filter((name) => !known.has(name))
  if (extra.length > 0) refuse(`parameters ${extra.join(', ')} are not the model's`)
}
