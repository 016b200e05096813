import { broadcast, type Shape, sizeOf } from '../dimension.js'
import type { Node, Value } from '../graph.js'
import { type OpRow, refuse, row, sameType, tolerances, type ValueType } from './row.js'
import { multiply } from './tfjs-row.js'

type Transposes = { transA: boolean; transB: boolean }

/** Rows, inner and columns of op(A) op(B). */
function extents(op: string, a: ValueType, b: ValueType, { transA, transB }: Transposes) {
  if (a.shape.length < 2 || b.shape.length < 2) refuse(op, [a, b], 'matrices (rank 2 or more)')
  const [r, k] = transA ? [a.shape.at(-1)!, a.shape.at(-2)!] : [a.shape.at(-2)!, a.shape.at(-1)!]
  const [k2, c] = transB ? [b.shape.at(-1)!, b.shape.at(-2)!] : [b.shape.at(-2)!, b.shape.at(-1)!]
  if (k !== k2)
    refuse(op, [a, b], `equal inner dimensions, not ${k} and ${k2}${transA ? ' (A transposed)' : ''}${transB ? ' (B transposed)' : ''}`)
  return { rows: r, columns: c }
}

const flags = (node: Node & { attributes: Transposes }) => ({
  transA: Number(node.attributes.transA),
  transB: Number(node.attributes.transB),
})

/** dA and dB of op(A) op(B), each as one product: no transposed copies. */
function productGradients(
  b: import('../builder.js').GraphBuilder,
  [x, y]: readonly [Value, Value],
  { transA, transB }: Transposes,
  g: Value,
  needs: readonly boolean[],
): [Value | null, Value | null] {
  const dx = () => (transA ? b.matmul(y, g, { transA: transB, transB: true }) : b.matmul(g, y, { transB: !transB }))
  const dy = () => (transB ? b.matmul(g, x, { transA: true, transB: transA }) : b.matmul(x, g, { transA: !transA }))
  return [needs[0] ? b.sumTo(dx(), x.shape) : null, needs[1] ? b.sumTo(dy(), y.shape) : null]
}

const flat = (b: import('../builder.js').GraphBuilder, x: Value) => b.reshape(x, [sizeOf(x.shape.slice(0, -1)), x.shape.at(-1)!])

export const matrix = {
  MatMul: row<Transposes>({
    summary: 'op(A) op(B) on the last two axes, the leading ones broadcast; op transposes where asked',
    infer: ([a, b], attributes) => {
      const type = sameType('MatMul', [a!, b!])
      const { rows, columns } = extents('MatMul', a!, b!, attributes)
      const batch = broadcast(a!.shape.slice(0, -2), b!.shape.slice(0, -2), 'MatMul (leading axes)')
      return [{ type, shape: [...batch, rows, columns] }]
    },
    gradient: (b, { inputs: [x, y], attributes }, [g], needs) => {
      // [..., K] times one matrix: its gradient is one product over all rows, not a batch of products and a sum
      const { transA, transB } = attributes
      if (!transA && x!.shape.length > 2 && y!.shape.length === 2) {
        const dx = needs[0] ? b.matmul(g!, y!, { transB: !transB }) : null
        const [x2, g2] = [flat(b, x!), flat(b, g!)]
        const dy = needs[1] ? (transB ? b.matmul(g2, x2, { transA: true }) : b.matmul(x2, g2, { transA: true })) : null
        return [dx, dy]
      }
      return productGradients(b, [x!, y!], attributes, g!, needs)
    },
    onnx: (emit, node) => {
      const [x, y] = node.inputs as [Value, Value]
      const out = [emit.of(node.outputs[0]!)]
      const { transA, transB } = node.attributes
      // onnxruntime's FusedMatMul leaves its result unwritten where there is nothing to sum
      if (x.shape.at(transA ? -2 : -1) === 0)
        return void emit.op('Expand', [emit.scalar(x.type, 0), emit.shape(node.outputs[0]!.shape)], {}, out)
      if (x.shape.length === 2 && y.shape.length === 2) emit.op('Gemm', [emit.of(x), emit.of(y)], flags(node), out)
      else if (!transA && !transB) emit.op('MatMul', [emit.of(x), emit.of(y)], {}, out)
      else if (x.type === 'float32') emit.op('FusedMatMul', [emit.of(x), emit.of(y)], flags(node), out, 'com.microsoft')
      else {
        const swap = (v: Value, yes: boolean) => (yes ? emit.op('Transpose', [emit.of(v)], { perm: swapLast(v.shape) }) : emit.of(v))
        emit.op('MatMul', [swap(x, transA), swap(y, transB)], {}, out)
      }
    },
    tfjs: (run, [x, y], { attributes }) => [multiply(run, x!, y!, attributes)],
    tolerance: tolerances.summed,
  }),
  Gemm: row<Transposes>({
    summary: 'op(A) op(B) + C for matrices; C broadcasts to the product',
    infer: (inputs, attributes) => {
      const [a, b, c] = inputs
      const type = sameType('Gemm', inputs)
      if (a!.shape.length !== 2 || b!.shape.length !== 2 || c!.shape.length > 2) refuse('Gemm', inputs, 'matrices (rank 2)')
      const { rows, columns } = extents('Gemm', a!, b!, attributes)
      const shape = broadcast([rows, columns], c!.shape, 'Gemm (the added term)')
      if (shape[0] !== rows || shape[1] !== columns) refuse('Gemm', inputs, 'an added term that broadcasts to the product')
      return [{ type, shape }]
    },
    gradient: (b, { inputs: [x, y, c], attributes }, [g], needs) => [
      ...productGradients(b, [x!, y!], attributes, g!, needs),
      needs[2] ? b.sumTo(g!, c!.shape) : null,
    ],
    onnx: (emit, node) => {
      emit.op('Gemm', node.inputs.map(emit.of), flags(node), [emit.of(node.outputs[0]!)])
    },
    tfjs: (run, [x, y, c], { attributes }) => [run.tf.add(multiply(run, x!, y!, attributes), c!)],
    tolerance: tolerances.summed,
  }),
} satisfies Record<string, OpRow>

const swapLast = (shape: Shape): number[] => [...shape.keys()].slice(0, -2).concat([shape.length - 1, shape.length - 2])
