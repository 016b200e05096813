import { EspalierError, messageOf } from '../util/error.js'
import { evaluateDimension, type Shape } from './dimension.js'
import type { Program, TensorExecutor } from './executor.js'
import { checkFeeds } from './feeds.js'
import type { Graph, Node, Value } from './graph.js'
import { tfTypes } from './ops/elementwise.js'
import type { TfTensor, TfType } from './ops/tfjs-row.js'
import { ops } from './ops.js'
import { allocate, elementCount, type HostTensor, type NamedTensors } from './tensor.js'
import { type Disposable, type LoadedTfjs, loadTfjs, type TfjsFlavour, type Tfjs as TfjsLibrary, tfjsFlavours } from './tfjs-library.js'

const longest = 2n ** 31n

/** int64 as int32; throws BAD_INPUT where a number does not fit. */
function narrowed(data: BigInt64Array, where: string): Int32Array {
  return Int32Array.from(data, (x) => {
    if (x >= longest || x < -longest)
      throw new EspalierError('BAD_INPUT', `${where}: ${x} came, tfjs computes whole numbers in 32 bits`, {
        remedy: 'Use the executor ort.',
      })
    return Number(x)
  })
}

const tfTypeOf = ({ type }: { type: HostTensor['type'] }, where: string): TfType => {
  const known = tfTypes[type]
  if (known) return known
  throw new EspalierError('BAD_INPUT', `${where} is ${type}, which tfjs does not have`, {
    remedy: 'Compute in float32, or use the executor ort.',
  })
}

function toTf(tf: TfjsLibrary, t: HostTensor, where: string): Disposable {
  const data = t.data instanceof BigInt64Array ? narrowed(t.data, where) : t.data
  return tf.tensor(data as Float32Array, t.dims, tfTypeOf(t, where))
}

/** Into `target`, or into a tensor of its own: what `dataSync` gives may be a feed's own array. */
function toHost(from: Disposable, type: HostTensor['type'], target: HostTensor | null, name: string): HostTensor {
  const dims = [...from.shape]
  const into = target ?? { type, dims, data: allocate(type, elementCount(dims)) }
  const data = elementCount(dims) === 0 ? new Float32Array(0) : from.dataSync()
  if (into.type !== type || into.data.length !== data.length)
    throw new EspalierError('INTERNAL', `output "${name}" is ${type}[${dims}] and was to be written into ${into.type}[${into.dims}]`)
  if (into.data instanceof BigInt64Array) into.data.set(Array.from(data, BigInt))
  else (into.data as Float32Array).set(data)
  return into
}

/** For every node, the values that nothing after it reads. */
function lastUses(graph: Graph): Value[][] {
  const kept = new Set(Object.values(graph.outputs))
  const dead = new Set<Value>()
  const last: Value[][] = graph.nodes.map(() => [])
  for (let i = graph.nodes.length - 1; i >= 0; i--) {
    const node = graph.nodes[i]!
    for (const value of [...node.inputs, ...node.outputs]) {
      if (kept.has(value) || dead.has(value) || value.source.kind === 'constant') continue
      dead.add(value)
      last[i]!.push(value)
    }
  }
  return last
}

/** One node: its row's own calls, and nothing of what they made on their way. */
function compute(tf: TfjsLibrary, node: Node, inputs: readonly TfTensor[], dims: (shape: Shape) => number[]): readonly Disposable[] {
  const shapes = node.outputs.map((v) => dims(v.shape))
  // the WASM kernels divide by numbers of elements
  if (shapes.every((shape) => shape.includes(0)))
    return node.outputs.map(({ type }, i) => toTf(tf, { type, dims: shapes[i]!, data: allocate(type, 0) }, node.op))
  try {
    const outputs = tf.tidy(() => ops[node.op].tfjs({ tf, dims }, inputs, node))
    return outputs.map((made, i) => (inputs.includes(made) || outputs.indexOf(made) < i ? tf.clone(made) : (made as Disposable)))
  } catch (cause) {
    const came = inputs.map((x) => `${x.dtype}[${x.shape}]`).join(', ')
    throw new EspalierError('INTERNAL', `tfjs failed at ${node.op}(${came}): ${messageOf(cause)}`, { cause })
  }
}

function loadGraph({ tf, backend }: LoadedTfjs, graph: Graph): Program {
  const values = [...graph.inputs.map((i) => i.value), ...graph.nodes.flatMap((n) => [...n.inputs, ...n.outputs])]
  for (const value of values)
    tfTypeOf(value, `a value of the graph (${value.source.kind === 'node' ? value.source.node.op : value.source.kind})`)
  const needed = new Set([...values, ...Object.values(graph.outputs)].flatMap((v) => (v.source.kind === 'constant' ? [v] : [])))
  const constants = new Map<Value, Disposable>()
  const used = lastUses(graph)
  let released = false
  const switchOn = () => {
    // synchronous once the backend has started: no other program's run comes between
    void tf.setBackend(backend)
    if (constants.size === needed.size) return
    for (const value of needed)
      if (value.source.kind === 'constant' && !constants.has(value)) constants.set(value, toTf(tf, value.source.tensor, 'a constant'))
  }

  const execute = (feeds: Readonly<NamedTensors>, fetches: Readonly<Record<string, HostTensor | null>>): NamedTensors => {
    const symbols = checkFeeds(graph.inputs, feeds)
    const dims = (shape: Shape) => shape.map((d) => evaluateDimension(d, symbols))
    const held = new Map<Value, Disposable>(constants)
    for (const { name, value } of graph.inputs) held.set(value, toTf(tf, feeds[name]!, `input "${name}"`))
    graph.nodes.forEach((node, n) => {
      const inputs = node.inputs.map((v) => held.get(v)!)
      compute(tf, node, inputs, dims).forEach((made, i) => {
        held.set(node.outputs[i]!, made)
      })
      for (const value of used[n]!) held.get(value)?.dispose()
    })
    return Object.fromEntries(
      Object.entries(fetches).map(([name, target]) => {
        const value = graph.outputs[name]
        if (!value)
          throw new EspalierError('BAD_INPUT', `output "${name}" was asked for, the graph has ${Object.keys(graph.outputs).join(', ')}`)
        return [name, toHost(held.get(value)!, value.type, target, name)]
      }),
    )
  }

  return {
    inputs: graph.inputs.map((i) => i.name),
    outputs: Object.keys(graph.outputs),
    async run(feeds, fetches = Object.fromEntries(Object.keys(graph.outputs).map((name) => [name, null]))) {
      if (released) throw new EspalierError('INTERNAL', 'the program was released and is to run')
      switchOn()
      // tidy looks through what it is given back, element by element: the arrays stay out of it
      let results: NamedTensors = {}
      tf.tidy(() => {
        results = execute(feeds, fetches)
      })
      return results
    },
    async release() {
      released = true
      for (const constant of constants.values()) constant.dispose()
      constants.clear()
    },
  }
}

const executorOf = (loaded: LoadedTfjs): TensorExecutor => ({
  name: loaded.flavour,
  version: loaded.version,
  load: async (graph) => loadGraph(loaded, graph),
})

/**
 * tfjs as an executor: interprets the graph op by op, each by its row's tfjs column. Without a flavour the best that loads: the GPU
 * package, the CPU package, WebAssembly. It has no float64, and int64 has 32 bits. `threads` has no effect: native TensorFlow takes every
 * core (or TF_NUM_INTRAOP_THREADS), WebAssembly one. Throws NOT_FOUND when what was asked for is not usable here, saying why.
 */
export async function openTfjs({ flavour, folder }: { flavour?: TfjsFlavour; folder?: string } = {}): Promise<TensorExecutor> {
  if (flavour) return executorOf(await loadTfjs(flavour, folder))
  const reasons: string[] = []
  for (const candidate of tfjsFlavours)
    try {
      return executorOf(await loadTfjs(candidate, folder))
    } catch (error) {
      reasons.push(messageOf(error))
    }
  throw new EspalierError('NOT_FOUND', `no flavour of tfjs is usable here: ${reasons.join('; ')}`, { remedy: 'Use the executor ort.' })
}
