import { broadcast } from '../dimension.js'
import type { ElementType } from '../tensor.js'
import { called, direct, type Gradient, type OnnxEmitter, type OpRow, refuse, row, sameType, tolerances } from './row.js'
import type { Tf, TfTensor, TfType } from './tfjs-row.js'

type None = Record<string, never>
type Numbers = 'any number' | 'floats'
const isFloat = (type: ElementType) => type === 'float32' || type === 'float64'

interface Elementwise {
  summary: string
  /** the tfjs call that computes it */
  tfjs: Parameters<typeof called>[0]
  gradient: Gradient<None> | { none: string }
  tolerance?: number
}

const assertNumbers = (op: string, inputs: readonly { type: ElementType; shape: readonly (number | string)[] }[], wanted: Numbers) => {
  const element = sameType(op, inputs)
  if (element === 'bool') refuse(op, inputs, 'numbers, not bool')
  if (wanted === 'floats' && !isFloat(element)) refuse(op, inputs, 'float32 or float64 tensors')
  return element
}

/** Two inputs that broadcast; the gradients are summed back to each input's shape. */
const binary = (type: string, { summary, tfjs, gradient, tolerance }: Elementwise, numbers: Numbers = 'any number'): OpRow =>
  row<None>({
    summary,
    infer: (inputs) => [{ type: assertNumbers(type, inputs, numbers), shape: broadcast(inputs[0]!.shape, inputs[1]!.shape, type) }],
    gradient,
    onnx: direct(type),
    tfjs: called(tfjs),
    tolerance: tolerance ?? tolerances.rounded,
  })

const unary = (type: string, { summary, tfjs, gradient, tolerance }: Elementwise, onnx = direct(type)): OpRow =>
  row<None>({
    summary,
    infer: (inputs) => [{ type: assertNumbers(type, inputs, 'floats'), shape: inputs[0]!.shape }],
    gradient,
    onnx,
    tfjs: called(tfjs),
    tolerance: tolerance ?? tolerances.rounded,
  })

const discrete = { none: 'its result does not change smoothly' }

const comparison = (type: string, summary: string, tfjs: Elementwise['tfjs'], onnx = type): OpRow =>
  row<None>({
    summary,
    infer: (inputs) => {
      assertNumbers(type, inputs, 'any number')
      return [{ type: 'bool', shape: broadcast(inputs[0]!.shape, inputs[1]!.shape, type) }]
    },
    gradient: discrete,
    onnx: direct(onnx),
    tfjs: called(tfjs),
    tolerance: tolerances.exact,
  })

const logical = (type: string, summary: string, tfjs: Elementwise['tfjs']): OpRow =>
  row<None>({
    summary,
    infer: (inputs) => {
      if (inputs.some((v) => v.type !== 'bool')) refuse(type, inputs, 'bool tensors')
      return [{ type: 'bool', shape: inputs.map((v) => v.shape).reduce((a, b) => broadcast(a, b, type)) }]
    },
    gradient: discrete,
    onnx: direct(type),
    tfjs: called(tfjs),
    tolerance: tolerances.exact,
  })

export const elementwise = {
  Add: binary('Add', {
    summary: 'a + b',
    tfjs: 'add',
    gradient: (b, { inputs: [x, y] }, [g], needs) => [needs[0] ? b.sumTo(g!, x!.shape) : null, needs[1] ? b.sumTo(g!, y!.shape) : null],
  }),
  Sub: binary('Sub', {
    summary: 'a - b',
    tfjs: 'sub',
    gradient: (b, { inputs: [x, y] }, [g], needs) => [
      needs[0] ? b.sumTo(g!, x!.shape) : null,
      needs[1] ? b.neg(b.sumTo(g!, y!.shape)) : null,
    ],
  }),
  Mul: binary('Mul', {
    summary: 'a b',
    tfjs: 'mul',
    gradient: (b, { inputs: [x, y] }, [g], needs) => [
      needs[0] ? b.sumTo(b.mul(g!, y!), x!.shape) : null,
      needs[1] ? b.sumTo(b.mul(g!, x!), y!.shape) : null,
    ],
  }),
  // d(x/y)/dy = -(x/y)/y; of floats only: runtimes round quotients of whole numbers in different directions
  Div: binary(
    'Div',
    {
      summary: 'a / b',
      tfjs: 'div',
      gradient: (b, { inputs: [x, y], outputs: [z] }, [g], needs) => {
        const dx = b.div(g!, y!)
        return [needs[0] ? b.sumTo(dx, x!.shape) : null, needs[1] ? b.neg(b.sumTo(b.mul(dx, z!), y!.shape)) : null]
      },
    },
    'floats',
  ),
  // d(x^y)/dy = x^y log x, and 0 where x^y is 0 whatever log x is; d(x^y)/dx = y x^(y-1), and 0 where y is 0
  Pow: binary(
    'Pow',
    {
      summary: 'a ^ b',
      tfjs: 'pow',
      gradient: (b, { inputs: [x, y], outputs: [z] }, [g], needs) => {
        const zero = b.scalar(0, z!.type)
        const slope = () => b.where(b.equal(y!, zero), zero, b.mul(y!, b.pow(x!, b.sub(y!, b.scalar(1, y!.type)))))
        const growth = () => b.where(b.equal(z!, zero), zero, b.mul(z!, b.log(x!)))
        return [needs[0] ? b.sumTo(b.mul(g!, slope()), x!.shape) : null, needs[1] ? b.sumTo(b.mul(g!, growth()), y!.shape) : null]
      },
      tolerance: tolerances.summed,
    },
    'floats',
  ),
  Less: comparison('Less', 'a < b', 'less'),
  LessOrEqual: comparison('LessOrEqual', 'a <= b', 'lessEqual'),
  Greater: comparison('Greater', 'a > b', 'greater'),
  GreaterOrEqual: comparison('GreaterOrEqual', 'a >= b', 'greaterEqual'),
  Equal: comparison('Equal', 'a = b', 'equal'),

  Neg: unary('Neg', { summary: '-x', tfjs: 'neg', gradient: (b, _, [g]) => [b.neg(g!)], tolerance: tolerances.exact }),
  Exp: unary('Exp', { summary: 'e^x', tfjs: 'exp', gradient: (b, { outputs: [y] }, [g]) => [b.mul(g!, y!)] }),
  Log: unary('Log', { summary: 'natural logarithm', tfjs: 'log', gradient: (b, { inputs: [x] }, [g]) => [b.div(g!, x!)] }),
  Sqrt: unary('Sqrt', {
    summary: 'square root',
    tfjs: 'sqrt',
    gradient: (b, { outputs: [y] }, [g]) => [b.div(b.mul(g!, b.scalar(0.5, g!.type)), y!)],
  }),
  Sigmoid: unary('Sigmoid', {
    summary: '1 / (1 + e^-x)',
    tfjs: 'sigmoid',
    gradient: (b, { outputs: [y] }, [g]) => {
      const t = b.mul(g!, y!)
      return [b.sub(t, b.mul(t, y!))]
    },
  }),
  Tanh: unary('Tanh', {
    summary: 'hyperbolic tangent',
    tfjs: 'tanh',
    gradient: (b, { outputs: [y] }, [g]) => [b.sub(g!, b.mul(b.mul(g!, y!), y!))],
  }),
  Relu: unary('Relu', {
    summary: 'max(x, 0); gradient 0 at 0',
    tfjs: 'relu',
    gradient: (b, { outputs: [y] }, [g]) => [b.mul(g!, b.cast(b.greater(y!, b.scalar(0, y!.type)), g!.type))],
    tolerance: tolerances.exact,
  }),
  // d erf = 2/sqrt(pi) e^(-x^2); onnxruntime has it in float32 only
  Erf: unary('Erf', {
    summary: 'error function',
    tfjs: 'erf',
    gradient: (b, { inputs: [x] }, [g]) => [b.mul(g!, b.mul(b.exp(b.neg(b.mul(x!, x!))), b.scalar(2 / Math.sqrt(Math.PI), x!.type)))],
  }),

  Not: logical('Not', 'logical not', 'logicalNot'),
  And: logical('And', 'both', 'logicalAnd'),
  Or: logical('Or', 'one or both', 'logicalOr'),
  Where: row<None>({
    summary: 'a where the condition holds, else b; all three broadcast',
    infer: (inputs) => {
      const [condition, x, y] = inputs
      if (condition!.type !== 'bool') refuse('Where', inputs, 'a bool condition')
      return [{ type: sameType('Where', [x!, y!]), shape: broadcast(condition!.shape, broadcast(x!.shape, y!.shape, 'Where'), 'Where') }]
    },
    gradient: (b, { inputs: [condition, x, y] }, [g], needs) => {
      const zero = b.scalar(0, g!.type)
      return [
        null,
        needs[1] ? b.sumTo(b.where(condition!, g!, zero), x!.shape) : null,
        needs[2] ? b.sumTo(b.where(condition!, zero, g!), y!.shape) : null,
      ]
    },
    onnx: direct('Where'),
    tfjs: called('where'),
    tolerance: tolerances.exact,
  }),
  Cast: row<{ to: ElementType }>({
    summary: 'the same numbers in another element type, cut off towards 0; to bool: whether it is not 0',
    infer: ([x], { to }) => [{ type: to, shape: x!.shape }],
    gradient: (b, { inputs: [x] }, [g]) => [isFloat(x!.type) ? b.cast(g!, x!.type) : null],
    onnx: (emit: OnnxEmitter, node) => {
      emit.op('Cast', [emit.of(node.inputs[0]!)], { to: onnxTypes[node.attributes.to] }, [emit.of(node.outputs[0]!)])
    },
    // WASM's own cast to bool copies the number
    tfjs: ({ tf }, [x], { attributes: { to } }) =>
      to === 'bool' ? [tf.notEqual(x!, tf.scalar(0, x!.dtype as TfType))] : [tf.cast(x!, tfTypes[to]!)],
    tolerance: tolerances.exact,
  }),
  // The uniform numbers come from the host's counters (`tensor/uniform.ts`): the same in every executor, nothing to save.
  Dropout: row<{ rate: number }>({
    summary: '(x, uniform) -> x / (1 - rate) where uniform < 1 - rate, else 0',
    infer: (inputs, { rate }) => {
      const [x, uniform] = inputs
      if (!(rate >= 0 && rate < 1)) refuse('Dropout', inputs, `a rate from 0 up to 1, not ${rate}`)
      if (uniform?.type !== 'float32' || String(uniform.shape) !== String(x!.shape) || !isFloat(x!.type))
        refuse('Dropout', inputs, 'floats, and float32 numbers of the same shape')
      return [{ type: x!.type, shape: x!.shape }]
    },
    gradient: (b, { inputs: [, uniform], attributes }, [g]) => [b.apply('Dropout', [g!, uniform!], attributes)[0]!, null],
    onnx: (emit, node) => {
      const [x, uniform] = node.inputs
      const keep = 1 - node.attributes.rate
      const kept = emit.op('Less', [emit.of(uniform!), emit.scalar('float32', keep)])
      const scaled = emit.op('Mul', [emit.of(x!), emit.scalar(x!.type, 1 / keep)])
      emit.op('Where', [kept, scaled, emit.scalar(x!.type, 0)], {}, [emit.of(node.outputs[0]!)])
    },
    tfjs: ({ tf }, [x, uniform], { attributes: { rate } }) => {
      const kept = tf.less(uniform!, tf.scalar(1 - rate, 'float32'))
      return [tf.where(kept, tf.mul(x!, tf.scalar(1 / (1 - rate), 'float32')), tf.scalar(0, 'float32'))]
    },
    tolerance: tolerances.rounded,
  }),
  // Hendrycks & Gimpel 2016, the exact form: d = Phi(x) + x phi(x)
  Gelu: row<None>({
    summary: 'x Phi(x) = x (1 + erf(x / sqrt 2)) / 2',
    infer: (inputs) => [{ type: assertNumbers('Gelu', inputs, 'floats'), shape: inputs[0]!.shape }],
    gradient: (b, { inputs: [x] }, [g]) => {
      const c = (v: number) => b.scalar(v, x!.type)
      const phi = b.mul(b.exp(b.mul(b.mul(x!, x!), c(-0.5))), c(1 / Math.sqrt(2 * Math.PI)))
      const below = b.add(b.mul(b.erf(b.mul(x!, c(Math.SQRT1_2))), c(0.5)), c(0.5))
      return [b.mul(g!, b.add(below, b.mul(x!, phi)))]
    },
    onnx: direct('Gelu', {}, 'com.microsoft'),
    tfjs: ({ tf }, [x]) => [gelu(tf, x!)],
    tolerance: tolerances.rounded,
  }),
} satisfies Record<string, OpRow>

function gelu(tf: Tf, x: TfTensor): TfTensor {
  const c = (value: number) => tf.scalar(value, 'float32')
  return tf.mul(tf.mul(x, c(0.5)), tf.add(tf.erf(tf.mul(x, c(Math.SQRT1_2))), c(1)))
}

/** TensorProto.DataType */
export const onnxTypes: Record<ElementType, number> = { float32: 1, int32: 6, int64: 7, bool: 9, float64: 11 }

/** What tfjs computes each element type in; null: not at all. */
export const tfTypes: Record<ElementType, TfType | null> = {
  float32: 'float32',
  int32: 'int32',
  int64: 'int32',
  bool: 'bool',
  float64: null,
}
