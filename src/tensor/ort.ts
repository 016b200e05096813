import ort from 'onnxruntime-node'
import { EspalierError, messageOf } from '../util/error.js'
import { showShape } from './dimension.js'
import type { LoadOptions, Program, TensorExecutor } from './executor.js'
import type { Graph, GraphInput } from './graph.js'
import { encodeOnnx } from './onnx.js'
import type { ElementArray, ElementType, HostTensor, NamedTensors } from './tensor.js'

const version: string = ort.env.versions.node ?? ort.env.versions.common

/** Wrapped once per tensor: buffers that ping-pong between feeds and fetches are seen again every step. */
const wrapped = new WeakMap<HostTensor, ort.Tensor>()

function wrap(t: HostTensor): ort.Tensor {
  const known = wrapped.get(t)
  if (known?.data === t.data) return known
  const made = new ort.Tensor(t.type, t.data as Float32Array, t.dims)
  wrapped.set(t, made)
  return made
}

const unwrap = (t: ort.Tensor): HostTensor => ({ type: t.type as ElementType, dims: t.dims, data: t.data as ElementArray })

/** Every input fed, of the right type and rank, symbols standing for one number each. Throws BAD_INPUT naming the input. */
function checkFeeds(inputs: readonly GraphInput[], feeds: Readonly<NamedTensors>): void {
  const symbols = new Map<string, { value: number; from: string }>()
  for (const { name, value } of inputs) {
    const fed = feeds[name]
    const expected = `${value.type}${showShape(value.shape)}`
    const refuse = (found: string, remedy: string): never => {
      throw new EspalierError('BAD_INPUT', `input "${name}": ${found} came, ${expected} was expected`, { remedy })
    }
    if (!fed) throw refuse('nothing', `feed "${name}"; fed were ${Object.keys(feeds).join(', ')}`)
    const found = `${fed.type}[${fed.dims.join(', ')}]`
    if (fed.type !== value.type || fed.dims.length !== value.shape.length) refuse(found, 'feed a tensor of that type and rank')
    value.shape.forEach((d, axis) => {
      const length = fed.dims[axis]!
      if (typeof d === 'number' && d !== length) refuse(found, `make axis ${axis} ${d} long`)
      if (typeof d === 'number') return
      const known = symbols.get(d)
      if (known && known.value !== length) refuse(found, `"${d}" is ${known.value} in input "${known.from}": make axis ${axis} that long`)
      symbols.set(d, { value: length, from: name })
    })
  }
}

/** A session over ONNX bytes, ours or another's. `inputs` switches on the checks of feeds before they reach the runtime. */
export async function loadOnnx(bytes: Uint8Array, { threads = 2 }: LoadOptions = {}, inputs?: readonly GraphInput[]): Promise<Program> {
  const session = await ort.InferenceSession.create(bytes, {
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    graphOptimizationLevel: 'all',
    logSeverityLevel: 3,
  }).catch((cause) => {
    throw new EspalierError('INTERNAL', `onnxruntime ${version} refused the graph: ${messageOf(cause)}`, { cause })
  })
  const { inputNames, outputNames } = session
  return {
    inputs: inputNames,
    outputs: outputNames,
    async run(feeds, fetches = Object.fromEntries(outputNames.map((name) => [name, null]))) {
      if (inputs) checkFeeds(inputs, feeds)
      const fed = Object.fromEntries(inputNames.flatMap((name) => (feeds[name] ? [[name, wrap(feeds[name])]] : [])))
      const wanted = Object.fromEntries(Object.entries(fetches).map(([name, t]) => [name, t ? wrap(t) : null]))
      const results = await session.run(fed, wanted).catch((cause) => {
        throw new EspalierError('INTERNAL', `onnxruntime ${version} failed: ${messageOf(cause)}`, { cause })
      })
      return Object.fromEntries(Object.keys(fetches).map((name) => [name, fetches[name] ?? unwrap(results[name]!)]))
    },
    release: () => session.release(),
  }
}

/** onnxruntime on the CPU. `session.run` holds the event loop: train in a process or thread of its own. */
export const ortExecutor: TensorExecutor = {
  name: 'ort',
  version,
  load: (graph: Graph, options) => loadOnnx(encodeOnnx(graph), options, graph.inputs),
}
