import { elementwise } from './ops/elementwise.js'
import { fused } from './ops/fused.js'
import { indexed } from './ops/indexed.js'
import { matrix } from './ops/matrix.js'
import type { OpName } from './ops/names.js'
import { reduce } from './ops/reduce.js'
import type { OpRow } from './ops/row.js'
import { shape } from './ops/shape.js'

export type { OpName } from './ops/names.js'

/** The one table of ops: what each computes, its shape rule, its gradient, and how ONNX says it. */
export const ops: Readonly<Record<OpName, OpRow>> = { ...elementwise, ...matrix, ...reduce, ...shape, ...indexed, ...fused }
