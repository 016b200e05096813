import { broadcast } from '../dimension.js'
import type { ElementType } from '../tensor.js'
import { direct, type Gradient, type OnnxEmitter, type OpRow, refuse, row, sameType } from './row.js'

type None = Record<string, never>
const isFloat = (type: ElementType) => type === 'float32' || type === 'float64'

/** Two inputs that broadcast; the gradients are summed back to each input's shape. */
const binary = (type: string, summary: string, gradient: Gradient<None> | { none: string }, result?: ElementType): OpRow =>
  row<None>({
    summary,
    infer: (inputs) => {
      const element = sameType(type, inputs)
      if (element === 'bool') refuse(type, inputs, 'numbers, not bool')
      return [{ type: result ?? element, shape: broadcast(inputs[0]!.shape, inputs[1]!.shape, type) }]
    },
    gradient,
    onnx: direct(type),
  })

const unary = (type: string, summary: string, gradient: Gradient<None> | { none: string }, onnx = direct(type)): OpRow =>
  row<None>({
    summary,
    infer: ([x]) => {
      if (!isFloat(x!.type)) refuse(type, [x!], 'a float32 or float64 tensor')
      return [{ type: x!.type, shape: x!.shape }]
    },
    gradient,
    onnx,
  })

const discrete = { none: 'its result does not change smoothly' }
const comparison = (type: string, summary: string) => binary(type, summary, discrete, 'bool')

export const elementwise = {
  Add: binary('Add', 'a + b', (b, { inputs: [x, y] }, [g], needs) => [
    needs[0] ? b.sumTo(g!, x!.shape) : null,
    needs[1] ? b.sumTo(g!, y!.shape) : null,
  ]),
  Sub: binary('Sub', 'a - b', (b, { inputs: [x, y] }, [g], needs) => [
    needs[0] ? b.sumTo(g!, x!.shape) : null,
    needs[1] ? b.neg(b.sumTo(g!, y!.shape)) : null,
  ]),
  Mul: binary('Mul', 'a b', (b, { inputs: [x, y] }, [g], needs) => [
    needs[0] ? b.sumTo(b.mul(g!, y!), x!.shape) : null,
    needs[1] ? b.sumTo(b.mul(g!, x!), y!.shape) : null,
  ]),
  // d(x/y)/dy = -(x/y)/y
  Div: binary('Div', 'a / b', (b, { inputs: [x, y], outputs: [z] }, [g], needs) => {
    const dx = b.div(g!, y!)
    return [needs[0] ? b.sumTo(dx, x!.shape) : null, needs[1] ? b.neg(b.sumTo(b.mul(dx, z!), y!.shape)) : null]
  }),
  Pow: binary('Pow', 'a ^ b', (b, { inputs: [x, y], outputs: [z] }, [g], needs) => [
    needs[0] ? b.sumTo(b.mul(g!, b.mul(y!, b.pow(x!, b.sub(y!, b.scalar(1, y!.type))))), x!.shape) : null,
    needs[1] ? b.sumTo(b.mul(g!, b.mul(z!, b.log(x!))), y!.shape) : null,
  ]),
  Less: comparison('Less', 'a < b'),
  Greater: comparison('Greater', 'a > b'),
  Equal: comparison('Equal', 'a = b'),

  Neg: unary('Neg', '-x', (b, _, [g]) => [b.neg(g!)]),
  Exp: unary('Exp', 'e^x', (b, { outputs: [y] }, [g]) => [b.mul(g!, y!)]),
  Log: unary('Log', 'natural logarithm', (b, { inputs: [x] }, [g]) => [b.div(g!, x!)]),
  Sqrt: unary('Sqrt', 'square root', (b, { outputs: [y] }, [g]) => [b.div(b.mul(g!, b.scalar(0.5, g!.type)), y!)]),
  Sigmoid: unary('Sigmoid', '1 / (1 + e^-x)', (b, { outputs: [y] }, [g]) => {
    const t = b.mul(g!, y!)
    return [b.sub(t, b.mul(t, y!))]
  }),
  Tanh: unary('Tanh', 'hyperbolic tangent', (b, { outputs: [y] }, [g]) => [b.sub(g!, b.mul(b.mul(g!, y!), y!))]),
  Relu: unary('Relu', 'max(x, 0); gradient 0 at 0', (b, { outputs: [y] }, [g]) => [
    b.mul(g!, b.cast(b.greater(y!, b.scalar(0, y!.type)), g!.type)),
  ]),
  // d erf = 2/sqrt(pi) e^(-x^2); onnxruntime has it in float32 only
  Erf: unary('Erf', 'error function', (b, { inputs: [x] }, [g]) => [
    b.mul(g!, b.mul(b.exp(b.neg(b.mul(x!, x!))), b.scalar(2 / Math.sqrt(Math.PI), x!.type))),
  ]),

  Not: row<None>({
    summary: 'logical not',
    infer: ([x]) => (x!.type === 'bool' ? [{ type: 'bool', shape: x!.shape }] : refuse('Not', [x!], 'a bool tensor')),
    gradient: discrete,
    onnx: direct('Not'),
  }),
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
  }),
  Cast: row<{ to: ElementType }>({
    summary: 'the same numbers in another element type',
    infer: ([x], { to }) => [{ type: to, shape: x!.shape }],
    gradient: (b, { inputs: [x] }, [g]) => [isFloat(x!.type) ? b.cast(g!, x!.type) : null],
    onnx: (emit: OnnxEmitter, node) => {
      emit.op('Cast', [emit.of(node.inputs[0]!)], { to: onnxTypes[node.attributes.to] }, [emit.of(node.outputs[0]!)])
    },
  }),
} satisfies Record<string, OpRow>

/** TensorProto.DataType */
export const onnxTypes: Record<ElementType, number> = { float32: 1, int32: 6, int64: 7, bool: 9, float64: 11 }
