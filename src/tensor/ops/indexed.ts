import { EspalierError } from '../../util/error.js'
import { addDimensions, type Dimension } from '../dimension.js'
import type { Value } from '../graph.js'
import { type OnnxEmitter, type OpRow, refuse, row } from './row.js'

/**
 * A many-to-many map between rows, made by the host: `tables` groups the destination rows by how many source rows they take, one
 * int32 table [rows, width] per group, in which the index `source rows` means "none". Destination row i is row `order[i]` of the
 * groups put one after another (the row past their end is zero); without `order`, the rows are the groups' own. Gather, ReduceSum and
 * Concat, and no scatter: onnxruntime's ScatterND(add) loses updates with two threads, and ScatterElements needs indices expanded to
 * [E, H] and is 20 times slower.
 */
export interface RowMap {
  tables: readonly Value[]
  order: Value | null
}

/** How the inputs after x divide: tables and order forwards, tables and order backwards (none once gradients are made). */
export type Mapped = { forward: number; forwardOrdered: boolean; backward: number; backwardOrdered: boolean }

/** Rows a map leads to. */
export const rowsOf = ({ tables, order }: RowMap): Dimension => order?.shape[0] ?? addDimensions(...tables.map((t) => t.shape[0]!))

export function mapsOf(inputs: readonly Value[], attributes: Mapped): { x: Value; forward: RowMap; backward: RowMap | null } {
  const { forward, forwardOrdered, backward, backwardOrdered } = attributes
  const asMap = (start: number, tables: number, ordered: boolean): RowMap => ({
    tables: inputs.slice(start, start + tables),
    order: ordered ? inputs[start + tables]! : null,
  })
  return {
    x: inputs[0]!,
    forward: asMap(1, forward, forwardOrdered),
    backward: backward > 0 ? asMap(1 + forward + Number(forwardOrdered), backward, backwardOrdered) : null,
  }
}

const inferMapped = (op: string) => (inputs: readonly Value[], attributes: Mapped) => {
  const { x, forward, backward } = mapsOf(inputs, attributes)
  if (x.shape.length !== 2) refuse(op, inputs, 'rows (rank 2)')
  if (inputs.slice(1).some((v) => v.type !== 'int32')) refuse(op, inputs, 'int32 tables')
  if (backward && rowsOf(backward) !== x.shape[0]) refuse(op, inputs, `a backward map onto its ${x.shape[0]} rows, not ${rowsOf(backward)}`)
  return [{ type: x.type, shape: [rowsOf(forward), x.shape[1]!] }]
}

function emitMapped(emit: OnnxEmitter, x: Value, map: RowMap, none: number, reduction: string, out: string): void {
  const spare = (value: number) => emit.op('Expand', [emit.scalar(x.type, value), emit.shape([1, x.shape[1]!])])
  const padded = emit.op('Concat', [emit.of(x), spare(none)], { axis: 0 })
  const single = map.order === null && map.tables.length === 1
  const parts = map.tables.map((table) => {
    const rows = emit.op('Gather', [padded, emit.of(table)], { axis: 0 })
    return emit.op(reduction, [rows, emit.int64s([1])], { keepdims: 0 }, single ? [out] : [emit.fresh()])
  })
  if (map.order) emit.op('Gather', [emit.op('Concat', [...parts, spare(0)], { axis: 0 }), emit.of(map.order)], { axis: 0 }, [out])
  else if (!single) emit.op('Concat', parts, { axis: 0 }, [out])
}

const noWayBack = (op: string): never => {
  throw new EspalierError('INTERNAL', `${op} has no gradient here: it was built without a backward map`)
}

export const indexed = {
  Gather: row<{ axis: number }>({
    summary: 'the slices of x that int32 indices name, along an axis',
    infer: ([x, indices], { axis }) => {
      if (indices!.type !== 'int32' && indices!.type !== 'int64') refuse('Gather', [x!, indices!], 'int32 or int64 indices')
      return [{ type: x!.type, shape: [...x!.shape.slice(0, axis), ...indices!.shape, ...x!.shape.slice(axis + 1)] }]
    },
    gradient: {
      none: 'repeated rows would have to be summed by a scatter, which is slow or wrong: use gatherSum, which knows the way back',
    },
    onnx: (emit, node) => {
      emit.op('Gather', node.inputs.map(emit.of), { axis: node.attributes.axis }, [emit.of(node.outputs[0]!)])
    },
  }),
  // The gradient of a sum over a map is a sum over the reversed map.
  GatherSum: row<Mapped>({
    summary: 'each destination row is the sum of its source rows',
    infer: inferMapped('GatherSum'),
    gradient: (b, { inputs, attributes }, [g]) => {
      const { forward, backward } = mapsOf(inputs, attributes)
      if (!backward) return noWayBack('GatherSum')
      return [b.gatherSum(g!, backward, forward), ...inputs.slice(1).map(() => null)]
    },
    onnx: (emit, node) => {
      const { x, forward } = mapsOf(node.inputs, node.attributes)
      emitMapped(emit, x, forward, 0, 'ReduceSum', emit.of(node.outputs[0]!))
    },
  }),
  // Each source row belongs to one destination at most; equal maxima share the gradient evenly.
  SegmentMax: row<Mapped>({
    summary: 'each destination row is the maximum of its source rows, by element; 0 without any',
    infer: inferMapped('SegmentMax'),
    gradient: (b, { inputs, outputs: [y], attributes }, [g]) => {
      const { x, forward, backward } = mapsOf(inputs, attributes)
      if (!backward) return noWayBack('SegmentMax')
      const hit = b.cast(b.equal(x, b.gatherSum(y!, backward, forward)), x.type)
      const ties = b.gatherSum(hit, forward, backward)
      const share = b.div(g!, b.where(b.greater(ties, b.scalar(0, x.type)), ties, b.scalar(1, x.type)))
      return [b.mul(hit, b.gatherSum(share, backward, forward)), ...inputs.slice(1).map(() => null)]
    },
    onnx: (emit, node) => {
      const { x, forward } = mapsOf(node.inputs, node.attributes)
      emitMapped(emit, x, forward, Number.NEGATIVE_INFINITY, 'ReduceMax', emit.of(node.outputs[0]!))
    },
  }),
} satisfies Record<string, OpRow>
