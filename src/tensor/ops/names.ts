/** Every op there is, by family (apart from the table, whose rows build with ops in their turn). */
// biome-ignore format: one family a line
export const opNames = [
  'Add', 'Sub', 'Mul', 'Div', 'Pow', 'Less', 'LessOrEqual', 'Greater', 'GreaterOrEqual', 'Equal',
  'Neg', 'Exp', 'Log', 'Sqrt', 'Sigmoid', 'Tanh', 'Relu', 'Erf', 'Gelu', 'Not', 'And', 'Or', 'Where', 'Cast', 'Dropout',
  'MatMul', 'Gemm',
  'ReduceSum', 'ReduceMean', 'ReduceMax', 'Softmax', 'LogSoftmax',
  'Reshape', 'Transpose', 'Expand', 'Concat', 'Split', 'Slice', 'Size', 'After',
  'Gather', 'ScatterSum', 'GatherSum', 'SegmentMean', 'SegmentMax',
  'GruGate', 'LayerNorm',
] as const
export type OpName = (typeof opNames)[number]
