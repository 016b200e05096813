import { EspalierError } from '../util/error.js'

/** The element types the engine computes with. */
export const elementTypes = ['float32', 'float64', 'int32', 'int64', 'bool'] as const
export type ElementType = (typeof elementTypes)[number]

/** The typed array of each element type; a bool is one byte, 0 or 1. */
export interface ElementArrays {
  float32: Float32Array
  float64: Float64Array
  int32: Int32Array
  int64: BigInt64Array
  bool: Uint8Array
}
export type ElementArray = ElementArrays[ElementType]

/** A dense row-major tensor in the memory of this process. */
export interface HostTensor<T extends ElementType = ElementType> {
  type: T
  dims: readonly number[]
  data: ElementArrays[T]
}

export type NamedTensors = Record<string, HostTensor>

const arrays = {
  float32: Float32Array,
  float64: Float64Array,
  int32: Int32Array,
  int64: BigInt64Array,
  bool: Uint8Array,
}

/** Number of elements of a shape; 1 for a scalar (`[]`). */
export const elementCount = (dims: readonly number[]): number => dims.reduce((product, d) => product * d, 1)

/** An array of `length` zeros. */
export const allocate = <T extends ElementType>(type: T, length: number): ElementArrays[T] => new arrays[type](length) as ElementArrays[T]

/**
 * Builds a tensor: from numbers (copied, converted), or all zeros without them. Throws BAD_INPUT when the count of numbers is not the
 * count of elements.
 */
export function tensor<T extends ElementType>(type: T, dims: readonly number[], values?: ArrayLike<number>): HostTensor<T> {
  const data = allocate(type, elementCount(dims))
  if (values) {
    if (values.length !== data.length)
      throw new EspalierError('BAD_INPUT', `tensor [${dims}]: ${values.length} values came, ${data.length} were expected`, {
        remedy: 'give one value per element, row by row',
      })
    if (data instanceof BigInt64Array) for (let i = 0; i < values.length; i++) data[i] = BigInt(values[i]!)
    else data.set(values)
  }
  return { type, dims: [...dims], data }
}

export const float32 = (dims: readonly number[], values?: ArrayLike<number>) => tensor('float32', dims, values)
export const int32 = (dims: readonly number[], values?: ArrayLike<number>) => tensor('int32', dims, values)

/** A tensor's elements as plain numbers. */
export const numbersOf = (t: HostTensor): number[] => Array.from(t.data as ArrayLike<number | bigint>, Number)
