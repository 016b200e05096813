import { elementCount, type NamedTensors } from './tensor.js'

/** One parameter's place in the flat vector of all of them. */
export interface Place {
  name: string
  dims: readonly number[]
  offset: number
  length: number
  /** whether weight decay applies */
  decay: boolean
}

/**
 * All parameters one after another in one vector, in the order of their specs. Optimizers work on the vector (a handful of ops whatever
 * the model), graphs are fed views of it (no copies), and threads exchange parts of it.
 */
export interface FlatPlan {
  length: number
  places: readonly Place[]
}

export function planFlat(specs: readonly { name: string; shape: readonly number[]; decay: boolean }[]): FlatPlan {
  let offset = 0
  const places = specs.map(({ name, shape, decay }) => {
    const length = elementCount(shape)
    const place = { name, dims: [...shape], offset, length, decay }
    offset += length
    return place
  })
  return { length: offset, places }
}

/** The parameters in `flat` as tensors that share its memory, each under `rename` of its name. */
export const viewsOf = (flat: Float32Array, { places }: FlatPlan, rename = (name: string) => name): NamedTensors =>
  Object.fromEntries(
    places.map(({ name, dims, offset, length }) => [
      rename(name),
      { type: 'float32' as const, dims, data: flat.subarray(offset, offset + length) },
    ]),
  )

/** Copies named tensors into their places. */
export function writeFlat(flat: Float32Array, { places }: FlatPlan, named: Readonly<NamedTensors>, rename = (name: string) => name): void {
  for (const { name, offset } of places) flat.set(named[rename(name)]!.data as Float32Array, offset)
}

/** 1 where weight decay applies, as the bool vector that updates are fed. */
export function decayMask({ length, places }: FlatPlan): Uint8Array {
  const mask = new Uint8Array(length)
  for (const { offset, length: count, decay } of places) if (decay) mask.fill(1, offset, offset + count)
  return mask
}
