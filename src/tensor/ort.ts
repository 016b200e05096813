import { setImmediate as turn } from 'node:timers/promises'
import ort from 'onnxruntime-node'
import { type Binding, binding, initOrt } from 'onnxruntime-node/dist/binding.js'
import { EspalierError, messageOf } from '../util/error.js'
import type { LoadOptions, Program, TensorExecutor } from './executor.js'
import type { OrtDevice } from './executors.js'
import { checkFeeds } from './feeds.js'
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

/** How long runs may follow each other before the event loop gets its turn. */
const turnEveryMs = 10
let turnedAt = 0

async function giveTurn(): Promise<void> {
  if (performance.now() - turnedAt < turnEveryMs) return
  await turn()
  turnedAt = performance.now()
}

/**
 * onnxruntime's session without the wrappers of its JavaScript API, which check every name again and hop through the event loop before
 * each run. Measured: 0.05 ms a run, a tenth of a small training step. The version of the package is pinned.
 */
function openSession(bytes: Uint8Array, threads: number, device: OrtDevice | undefined): Binding.InferenceSession {
  initOrt()
  const session = new binding.InferenceSession()
  session.loadModel(bytes.buffer as ArrayBuffer, bytes.byteOffset, bytes.byteLength, {
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    graphOptimizationLevel: 'all',
    logSeverityLevel: 3,
    // what the device has no kernel for runs on the CPU
    ...(device ? { executionProviders: [device, 'cpu'] } : {}),
  })
  return session
}

function attempt<T>(what: string, act: () => T): T {
  try {
    return act()
  } catch (cause) {
    throw new EspalierError('INTERNAL', `onnxruntime ${version} ${what}: ${messageOf(cause)}`, { cause })
  }
}

/**
 * A session over ONNX bytes, ours or another's. `inputs` switches on the checks of feeds before they reach the runtime; `ownThread`: nothing
 * else waits for this thread's event loop.
 */
export async function loadOnnx(
  bytes: Uint8Array,
  { threads = 2, ownThread = false, device }: LoadOptions & { ownThread?: boolean; device?: OrtDevice } = {},
  inputs?: readonly GraphInput[],
): Promise<Program> {
  const session = attempt('refused the graph', () => openSession(bytes, threads, device))
  const inputNames = session.inputMetadata.map((m) => m.name)
  const outputNames = session.outputMetadata.map((m) => m.name)
  const everything = Object.fromEntries(outputNames.map((name) => [name, null]))
  return {
    inputs: inputNames,
    outputs: outputNames,
    async run(feeds, fetches: Readonly<Record<string, HostTensor | null>> = everything) {
      if (!ownThread) await giveTurn()
      if (inputs) checkFeeds(inputs, feeds)
      const fed: Record<string, ort.Tensor> = {}
      for (const name of inputNames) if (feeds[name]) fed[name] = wrap(feeds[name])
      const wanted: Record<string, ort.Tensor | null> = {}
      for (const name in fetches) wanted[name] = fetches[name] ? wrap(fetches[name]) : null
      const results = attempt('failed', () => session.run(fed, wanted, {}))
      const found: NamedTensors = {}
      for (const name in fetches) found[name] = fetches[name] ?? unwrap(results[name] as ort.Tensor)
      return found
    },
    release: async () => session.dispose(),
  }
}

/** onnxruntime on the CPU. A run holds the event loop, which gets its turn between runs: train in a process or thread of its own. */
export const ortExecutor: TensorExecutor = {
  name: 'ort',
  version,
  load: (graph: Graph, options) => loadOnnx(encodeOnnx(graph), options, graph.inputs),
}

/** What brings the libraries of a device. */
const fetching: Partial<Record<OrtDevice, string>> = {
  cuda: 'Fetch its libraries once: ONNXRUNTIME_NODE_INSTALL=v12 npm rebuild onnxruntime-node. ',
}

/** onnxruntime on another device, where its library for it is there: else `load` throws NOT_FOUND with onnxruntime's reason. */
export const ortOn = (device: OrtDevice): TensorExecutor => ({
  name: `ort-${device}`,
  version: `${version} on ${device}`,
  load: (graph: Graph, options) =>
    loadOnnx(encodeOnnx(graph), { ...options, device }, graph.inputs).catch((cause) => {
      throw new EspalierError('NOT_FOUND', messageOf(cause), {
        cause,
        remedy: `${fetching[device] ?? ''}The executor ort computes on the CPU.`,
      })
    }),
})
