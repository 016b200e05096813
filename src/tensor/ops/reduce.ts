import type { Node, Value } from '../graph.js'
import { axisOf, type OnnxEmitter, type OpRow, row, tolerances, type ValueType } from './row.js'
import { reduceWith, type TfjsRun, type TfTensor } from './tfjs-row.js'

type Reduction = { axes: readonly number[]; keep: boolean }
type OnAxis = { axis: number }

const infer =
  (op: string) =>
  ([x]: readonly Value[], { axes, keep }: Reduction): ValueType[] => {
    const reduced = new Set(axes.map((axis) => axisOf(op, axis, x!)))
    const shape = x!.shape.flatMap((d, i) => (!reduced.has(i) ? [d] : keep ? [1] : []))
    return [{ type: x!.type, shape }]
  }

const onnx = (op: string) => (emit: OnnxEmitter, node: Node & { attributes: Reduction }) => {
  const { axes, keep } = node.attributes
  emit.op(op, [emit.of(node.inputs[0]!), emit.int64s(axes)], { keepdims: Number(keep) }, [emit.of(node.outputs[0]!)])
}

const tfjs =
  (how: 'sum' | 'mean' | 'max') =>
  (run: TfjsRun, [x]: readonly TfTensor[], { attributes: { axes, keep } }: Node & { attributes: Reduction }) => {
    const at = axes.map((axis) => (axis < 0 ? axis + x!.shape.length : axis))
    return [reduceWith(run, how, x!, at, keep)]
  }

/** The reduced value or its gradient with its axes kept, so that it broadcasts against the input. */
const kept = (b: import('../builder.js').GraphBuilder, v: Value, input: Value, axes: readonly number[]) =>
  b.reshape(
    v,
    input.shape.map((d, i) => (axes.includes(i) ? 1 : d)),
  )

const onAxis = (op: string) => ({
  infer: ([x]: readonly Value[], { axis }: OnAxis): ValueType[] => {
    axisOf(op, axis, x!)
    return [{ type: x!.type, shape: x!.shape }]
  },
  onnx: (emit: OnnxEmitter, node: Node & { attributes: OnAxis }) => {
    emit.op(op, [emit.of(node.inputs[0]!)], { axis: node.attributes.axis }, [emit.of(node.outputs[0]!)])
  },
})

/** x less its maximum: tfjs's own softmax knows the last axis only. */
const below = (run: TfjsRun, x: TfTensor, axis: number) => run.tf.sub(x, reduceWith(run, 'max', x, [axis], true))

export const reduce = {
  ReduceSum: row<Reduction>({
    summary: 'sum over axes',
    infer: infer('ReduceSum'),
    gradient: (b, { inputs: [x], attributes }, [g]) => [b.expand(kept(b, g!, x!, attributes.axes), x!.shape)],
    onnx: onnx('ReduceSum'),
    tfjs: tfjs('sum'),
    tolerance: tolerances.summed,
  }),
  ReduceMean: row<Reduction>({
    summary: 'mean over axes',
    infer: infer('ReduceMean'),
    gradient: (b, { inputs: [x], attributes }, [g]) => {
      const count = b.sizeScalar(
        attributes.axes.map((axis) => x!.shape[axis]!),
        g!.type,
      )
      return [b.expand(kept(b, b.div(g!, count), x!, attributes.axes), x!.shape)]
    },
    onnx: onnx('ReduceMean'),
    tfjs: tfjs('mean'),
    tolerance: tolerances.summed,
  }),
  // equal maxima share the gradient evenly, as torch.amax does
  ReduceMax: row<Reduction>({
    summary: 'maximum over axes',
    infer: infer('ReduceMax'),
    gradient: (b, { inputs: [x], outputs: [y], attributes }, [g]) => {
      const { axes } = attributes
      const hit = b.cast(b.equal(x!, kept(b, y!, x!, axes)), g!.type)
      return [b.mul(hit, b.div(kept(b, g!, x!, axes), b.reduceSum(hit, axes, true)))]
    },
    onnx: onnx('ReduceMax'),
    tfjs: tfjs('max'),
    tolerance: tolerances.exact,
  }),
  Softmax: row<OnAxis>({
    ...onAxis('Softmax'),
    summary: 'e^x / sum e^x along an axis',
    gradient: (b, { outputs: [y], attributes: { axis } }, [g]) => {
      const t = b.mul(g!, y!)
      return [b.sub(t, b.mul(y!, b.reduceSum(t, [axis], true)))]
    },
    tfjs: (run, [x], { attributes: { axis } }) => {
      const e = run.tf.exp(below(run, x!, axis))
      return [run.tf.div(e, reduceWith(run, 'sum', e, [axis], true))]
    },
    tolerance: tolerances.summed,
  }),
  LogSoftmax: row<OnAxis>({
    ...onAxis('LogSoftmax'),
    summary: 'x - log sum e^x along an axis',
    gradient: (b, { outputs: [y], attributes: { axis } }, [g]) => [b.sub(g!, b.mul(b.exp(y!), b.reduceSum(g!, [axis], true)))],
    tfjs: (run, [x], { attributes: { axis } }) => {
      const d = below(run, x!, axis)
      return [run.tf.sub(d, run.tf.log(reduceWith(run, 'sum', run.tf.exp(d), [axis], true)))]
    },
    tolerance: tolerances.summed,
  }),
} satisfies Record<string, OpRow>
