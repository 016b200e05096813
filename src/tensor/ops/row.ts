import { EspalierError } from '../../util/error.js'
import type { GraphBuilder } from '../builder.js'
import { type Dimension, type Shape, showShape } from '../dimension.js'
import type { Attributes, Node, Value } from '../graph.js'
import type { ElementType, HostTensor } from '../tensor.js'
import type { Tf, TfjsRun, TfTensor } from './tfjs-row.js'

export interface ValueType {
  type: ElementType
  shape: Shape
}

export type OnnxAttribute = number | string | readonly number[] | { float: number }

/** What an op's ONNX row writes with. Strings are names of ONNX values. */
export interface OnnxEmitter {
  of(value: Value): string
  /** one node with one fresh output, or with the given outputs */
  op(
    type: string,
    inputs: readonly string[],
    attributes?: Record<string, OnnxAttribute>,
    outputs?: readonly string[],
    domain?: string,
  ): string
  constant(tensor: HostTensor): string
  scalar(type: ElementType, value: number): string
  int64s(values: readonly number[]): string
  /** an int64 vector with the shape's numbers, computed at run time where symbols need it */
  shape(shape: Shape): string
  fresh(): string
}

/**
 * The gradient of one node: given the gradients of its outputs (null = none reached it), those of its inputs. `needs[i]` says whether
 * input i's is wanted; null for none.
 */
export type Gradient<A> = (
  b: GraphBuilder,
  node: Node & { attributes: A },
  gradients: readonly (Value | null)[],
  needs: readonly boolean[],
) => readonly (Value | null)[]

/**
 * How far the float32 results of two executors, or their gradients, may lie apart: |a - b| / max(1, |a|). `exact` only moves or compares
 * numbers; `rounded` computes each from a few; `summed` adds up many, in an order of its own.
 */
export const tolerances = { exact: 0, rounded: 4e-6, summed: 2e-5 } as const

/** One row of the op table. A new executor adds a column here. */
// biome-ignore lint/suspicious/noExplicitAny: rows of different attributes in one table
export interface OpRow<A extends Attributes = any> {
  /** one line: what it computes */
  summary: string
  /** types and shapes of the outputs; throws BAD_INPUT naming the shapes that do not fit */
  infer(inputs: readonly Value[], attributes: A): readonly ValueType[]
  /** or the reason why there is none */
  gradient: Gradient<A> | { none: string }
  onnx(emit: OnnxEmitter, node: Node & { attributes: A }): void
  /** the outputs, computed with tfjs from the inputs' tensors; an input may be given back as it is */
  tfjs(run: TfjsRun, inputs: readonly TfTensor[], node: Node & { attributes: A }): readonly TfTensor[]
  /** one of `tolerances` */
  tolerance: number
}

export const row = <A extends Attributes>(r: OpRow<A>): OpRow<A> => r

/** Throws BAD_INPUT: op, the shapes that came, and what was expected. */
export function refuse(op: string, inputs: readonly ValueType[], expected: string): never {
  const came = inputs.map((v) => `${v.type}${showShape(v.shape)}`).join(', ')
  throw new EspalierError('BAD_INPUT', `${op}(${came}): expected ${expected}`, { remedy: 'check the shapes and types of its inputs' })
}

export function sameType(op: string, inputs: readonly ValueType[]): ElementType {
  const [first] = inputs
  if (!first || inputs.some((v) => v.type !== first.type)) refuse(op, inputs, 'one element type')
  return first.type
}

/** A possibly negative axis as an index of `shape`. */
export function axisOf(op: string, axis: number, value: ValueType): number {
  const index = axis < 0 ? axis + value.shape.length : axis
  if (!Number.isInteger(axis) || index < 0 || index >= value.shape.length) refuse(op, [value], `an axis of it, not ${axis}`)
  return index
}

/** `shape` with the dimensions of `axes` replaced. */
export const withDimension = (shape: Shape, axis: number, dimension: Dimension): Shape => shape.map((d, i) => (i === axis ? dimension : d))

/** An ONNX row for an op that is one ONNX node of the same inputs and one output. */
export const direct =
  (type: string, attributes: Record<string, OnnxAttribute> = {}, domain = '') =>
  (emit: OnnxEmitter, node: Node) => {
    emit.op(type, node.inputs.map(emit.of), attributes, [emit.of(node.outputs[0]!)], domain)
  }

type Call = { [K in keyof Tf]: Tf[K] extends (...inputs: TfTensor[]) => TfTensor ? K : never }[keyof Tf]

/** A tfjs row for an op that is one call on all of its inputs. */
export const called =
  (name: Call) =>
  ({ tf }: TfjsRun, inputs: readonly TfTensor[]): readonly TfTensor[] => [(tf[name] as (...inputs: TfTensor[]) => TfTensor)(...inputs)]
