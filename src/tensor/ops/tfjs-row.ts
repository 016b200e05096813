import type { Shape } from '../dimension.js'

/** A tensor of tfjs, as far as rows look at it. int64 travels as int32; there is no float64. */
export interface TfTensor {
  readonly shape: readonly number[]
  readonly dtype: string
}

type Unary = (x: TfTensor) => TfTensor
type Binary = (a: TfTensor, b: TfTensor) => TfTensor
type Reduce = (x: TfTensor, axes: readonly number[], keep: boolean) => TfTensor
export type TfType = 'float32' | 'int32' | 'bool'

/** What rows need of tfjs (@tensorflow/tfjs-core 4), by shape: this room is loaded without it. */
export interface Tf {
  add: Binary
  sub: Binary
  mul: Binary
  div: Binary
  pow: Binary
  less: Binary
  lessEqual: Binary
  greater: Binary
  greaterEqual: Binary
  equal: Binary
  notEqual: Binary
  logicalAnd: Binary
  logicalOr: Binary
  maximum: Binary
  neg: Unary
  exp: Unary
  log: Unary
  sqrt: Unary
  rsqrt: Unary
  sigmoid: Unary
  tanh: Unary
  relu: Unary
  erf: Unary
  logicalNot: Unary
  sum: Reduce
  mean: Reduce
  max: Reduce
  where(condition: TfTensor, a: TfTensor, b: TfTensor): TfTensor
  cast(x: TfTensor, type: TfType): TfTensor
  matMul(a: TfTensor, b: TfTensor, transA: boolean, transB: boolean): TfTensor
  reshape(x: TfTensor, shape: readonly number[]): TfTensor
  transpose(x: TfTensor, permutation: readonly number[]): TfTensor
  broadcastTo(x: TfTensor, shape: readonly number[]): TfTensor
  concat(xs: readonly TfTensor[], axis: number): TfTensor
  split(x: TfTensor, sizes: readonly number[], axis: number): TfTensor[]
  slice(x: TfTensor, begin: readonly number[], size: readonly number[]): TfTensor
  gather(x: TfTensor, indices: TfTensor, axis: number): TfTensor
  scatterND(indices: TfTensor, updates: TfTensor, shape: readonly number[]): TfTensor
  fill(shape: readonly number[], value: number, type: TfType): TfTensor
  scalar(value: number, type: TfType): TfTensor
}

/** One run of a graph: the library, and the numbers its symbols stand for. What a row makes on its way is disposed of for it. */
export interface TfjsRun {
  tf: Tf
  dims(shape: Shape): number[]
}

const isEmpty = (x: TfTensor) => x.shape.includes(0)

const reducedShape = (x: TfTensor, axes: readonly number[], keep: boolean) =>
  x.shape.flatMap((d, i) => (!axes.includes(i) ? [d] : keep ? [1] : []))

/** tfjs's WASM kernels divide by the number of elements: what is reduced from nothing is filled in here. */
export function reduceWith({ tf }: TfjsRun, how: 'sum' | 'mean' | 'max', x: TfTensor, axes: readonly number[], keep: boolean): TfTensor {
  const ofNothing = { sum: 0, mean: Number.NaN, max: Number.NEGATIVE_INFINITY }
  if (isEmpty(x)) return tf.fill(reducedShape(x, axes, keep), ofNothing[how], x.dtype as TfType)
  return tf[how](x, axes, keep)
}

/** op(a) op(b), whatever the ranks; the leading axes broadcast. */
export function multiply({ tf }: TfjsRun, a: TfTensor, b: TfTensor, { transA, transB }: { transA: boolean; transB: boolean }): TfTensor {
  const lead = (x: TfTensor) => x.shape.slice(0, -2)
  const rank = Math.max(a.shape.length, b.shape.length) - 2
  const [la, lb] = [a, b].map((x) => [...new Array(rank + 2 - x.shape.length).fill(1), ...lead(x)]) as [number[], number[]]
  const batch = la.map((d, i) => (d === 1 ? lb[i]! : d))
  const rows = a.shape.at(transA ? -1 : -2)!
  const columns = b.shape.at(transB ? -2 : -1)!
  const result = [...batch, rows, columns]
  if (isEmpty(a) || isEmpty(b)) return tf.fill(result, 0, 'float32')
  const size = batch.reduce((p, d) => p * d, 1)
  const spread = (x: TfTensor, own: readonly number[]) => {
    const [r, c] = x.shape.slice(-2) as [number, number]
    const full = own.every((d, i) => d === batch[i]) ? x : tf.broadcastTo(tf.reshape(x, [...own, r, c]), [...batch, r, c])
    return tf.reshape(full, [size, r, c])
  }
  if (rank === 0) return tf.matMul(a, b, transA, transB)
  return tf.reshape(tf.matMul(spread(a, la), spread(b, lb), transA, transB), result)
}
