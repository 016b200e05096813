import { addDimensions, broadcast, type Dimension, type Shape, sameShape, sizeOf } from '../dimension.js'
import type { Value } from '../graph.js'
import type { ElementType } from '../tensor.js'
import { onnxTypes, tfTypes } from './elementwise.js'
import { axisOf, type OpRow, refuse, row, sameType, tolerances, withDimension } from './row.js'

export const shape = {
  Reshape: row<{ shape: Shape }>({
    summary: 'the same elements in another shape',
    infer: ([x], { shape }) => {
      if (sizeOf(x!.shape) !== sizeOf(shape)) refuse('Reshape', [x!], `as many elements as [${shape.join(', ')}] has`)
      return [{ type: x!.type, shape }]
    },
    gradient: (b, { inputs: [x] }, [g]) => [b.reshape(g!, x!.shape)],
    onnx: (emit, node) => {
      const [x] = node.inputs
      const target = node.attributes.shape
      // 0 copies the input's dimension at the same place, -1 is what is left: no shape arithmetic at run time
      const known = target.map((d, i) => (typeof d === 'number' ? d : x!.shape[i] === d ? 0 : -1))
      const simple = known.filter((d) => d === -1).length <= 1 && !target.includes(0)
      const to = simple ? emit.int64s(known) : emit.shape(target)
      emit.op('Reshape', [emit.of(x!), to], simple ? {} : { allowzero: 1 }, [emit.of(node.outputs[0]!)])
    },
    tfjs: ({ tf, dims }, [x], { attributes }) => [tf.reshape(x!, dims(attributes.shape))],
    tolerance: tolerances.exact,
  }),
  Transpose: row<{ permutation: readonly number[] }>({
    summary: 'axes in another order',
    infer: ([x], { permutation }) => {
      const fits = permutation.length === x!.shape.length && [...permutation].sort((a, b) => a - b).every((p, i) => p === i)
      if (!fits) refuse('Transpose', [x!], `an order of all its axes, not [${permutation}]`)
      return [{ type: x!.type, shape: permutation.map((p) => x!.shape[p]!) }]
    },
    gradient: (b, { attributes: { permutation } }, [g]) => [
      b.transpose(
        g!,
        permutation.map((_, i) => permutation.indexOf(i)),
      ),
    ],
    onnx: (emit, node) => {
      emit.op('Transpose', [emit.of(node.inputs[0]!)], { perm: node.attributes.permutation }, [emit.of(node.outputs[0]!)])
    },
    tfjs: ({ tf }, [x], { attributes }) => [tf.transpose(x!, attributes.permutation)],
    tolerance: tolerances.exact,
  }),
  Expand: row<{ shape: Shape }>({
    summary: 'repeated along the axes where it is 1 or has none',
    infer: ([x], { shape }) => {
      if (!sameShape(broadcast(x!.shape, shape, 'Expand'), shape))
        refuse('Expand', [x!], `a tensor that broadcasts to [${shape.join(', ')}]`)
      return [{ type: x!.type, shape }]
    },
    gradient: (b, { inputs: [x] }, [g]) => [b.sumTo(g!, x!.shape)],
    onnx: (emit, node) => {
      emit.op('Expand', [emit.of(node.inputs[0]!), emit.shape(node.attributes.shape)], {}, [emit.of(node.outputs[0]!)])
    },
    tfjs: ({ tf, dims }, [x], { attributes }) => [tf.broadcastTo(x!, dims(attributes.shape))],
    tolerance: tolerances.exact,
  }),
  Concat: row<{ axis: number }>({
    summary: 'tensors one after another along an axis',
    infer: (inputs, { axis }) => {
      const type = sameType('Concat', inputs)
      const at = axisOf('Concat', axis, inputs[0]!)
      const rest = (s: Shape) => withDimension(s, at, 1)
      if (inputs.some((v) => !sameShape(rest(v.shape), rest(inputs[0]!.shape)))) refuse('Concat', inputs, `equal shapes but for axis ${at}`)
      return [{ type, shape: withDimension(inputs[0]!.shape, at, addDimensions(...inputs.map((v) => v.shape[at]!))) }]
    },
    gradient: (b, { inputs, attributes: { axis } }, [g]) =>
      b.split(
        g!,
        axis,
        inputs.map((v) => v.shape[axis]!),
      ),
    onnx: (emit, node) => {
      emit.op('Concat', node.inputs.map(emit.of), { axis: node.attributes.axis }, [emit.of(node.outputs[0]!)])
    },
    tfjs: ({ tf }, xs, { attributes }) => [tf.concat(xs, attributes.axis < 0 ? attributes.axis + xs[0]!.shape.length : attributes.axis)],
    tolerance: tolerances.exact,
  }),
  Split: row<{ axis: number; sizes: readonly Dimension[] }>({
    summary: 'pieces of the given sizes along an axis',
    infer: ([x], { axis, sizes }) => {
      const at = axisOf('Split', axis, x!)
      if (addDimensions(...sizes) !== x!.shape[at]) refuse('Split', [x!], `sizes that add up to axis ${at}, not [${sizes.join(', ')}]`)
      return sizes.map((size) => ({ type: x!.type, shape: withDimension(x!.shape, at, size) }))
    },
    gradient: (b, { outputs, attributes: { axis } }, gradients) => [
      b.concat(
        gradients.map((g, i) => g ?? b.zeros(outputs[i]!.type, outputs[i]!.shape)),
        axis,
      ),
    ],
    onnx: (emit, node) => {
      emit.op(
        'Split',
        [emit.of(node.inputs[0]!), emit.shape(node.attributes.sizes)],
        { axis: node.attributes.axis },
        node.outputs.map(emit.of),
      )
    },
    tfjs: ({ tf, dims }, [x], { attributes }) => tf.split(x!, dims(attributes.sizes), attributes.axis),
    tolerance: tolerances.exact,
  }),
  Slice: row<{ axis: number; start: number; end: number }>({
    summary: 'start (included) to end (excluded) of an axis of known length',
    infer: ([x], { axis, start, end }) => {
      const length = x!.shape[axisOf('Slice', axis, x!)]!
      const fits = typeof length === 'number' && 0 <= start && start <= end && end <= length
      if (!fits) refuse('Slice', [x!], `0 <= start <= end <= a known length of axis ${axis}, not ${start} to ${end}`)
      return [{ type: x!.type, shape: withDimension(x!.shape, axis, end - start) }]
    },
    gradient: (b, { inputs: [x], attributes: { axis, start, end } }, [g]) => {
      const gap = (length: number) => (length > 0 ? [b.zeros(g!.type, withDimension(x!.shape, axis, length))] : [])
      return [b.concat([...gap(start), g!, ...gap((x!.shape[axis] as number) - end)], axis)]
    },
    onnx: (emit, node) => {
      const { axis, start, end } = node.attributes
      const bounds = [[start], [end], [axis]].map(emit.int64s)
      emit.op('Slice', [emit.of(node.inputs[0]!), ...bounds], {}, [emit.of(node.outputs[0]!)])
    },
    tfjs: ({ tf }, [x], { attributes: { axis, start, end } }) => {
      const at = (value: number, others: (d: number) => number) => x!.shape.map((d, i) => (i === axis ? value : others(d)))
      return [
        tf.slice(
          x!,
          at(start, () => 0),
          at(end - start, (d) => d),
        ),
      ]
    },
    tolerance: tolerances.exact,
  }),
  Size: row<{ dims: readonly Dimension[]; to: ElementType }>({
    summary: 'the product of dimensions as a scalar, known when the graph runs',
    infer: (_, { to }) => [{ type: to, shape: [] }],
    gradient: { none: 'it depends on shapes only' },
    onnx: (emit, node) => {
      const count = emit.op('Reshape', [emit.shape([sizeOf(node.attributes.dims)]), emit.int64s([])])
      emit.op('Cast', [count], { to: onnxTypes[node.attributes.to] }, [emit.of(node.outputs[0]!)])
    },
    tfjs: ({ tf, dims }, _, { attributes }) => [
      tf.scalar(
        dims(attributes.dims).reduce((p, d) => p * d, 1),
        tfTypes[attributes.to]!,
      ),
    ],
    tolerance: tolerances.exact,
  }),
  // onnxruntime computes depth first from the outputs, whatever order a file has: nothing but a dependency says "before".
  After: row<Record<string, never>>({
    summary: '(x, ...others) -> x, once the others are computed',
    infer: ([x]) => [{ type: x!.type, shape: x!.shape }],
    gradient: (_, { inputs }, [g]) => inputs.map((_, i) => (i === 0 ? g! : null)),
    onnx: (emit, node) => {
      const [x, ...others] = node.inputs as [Value, ...Value[]]
      // a reshape to the shape it has (zeros copy dimensions), the zeros made of the others' sizes: no element is read
      const sizes = others.map((v) => emit.op('Size', [emit.of(v)]))
      const size = sizes.length === 1 ? sizes[0]! : emit.op('Max', sizes)
      const zeros = emit.op('Mul', [size, emit.int64s(x.shape.map(() => 0))])
      emit.op('Reshape', [emit.of(x), zeros], {}, [emit.of(node.outputs[0]!)])
    },
    tfjs: (_, [x]) => [x!],
    tolerance: tolerances.exact,
  }),
} satisfies Record<string, OpRow>
