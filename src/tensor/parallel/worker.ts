/**
 * A thread of a team: its own sessions, its own copy of the parameters. In a step each worker adds up the gradients of its parts, sums one
 * slice of everyone's gradients in the order of the workers, updates that slice, and hands it to the others. Who is early waits, so that
 * timing changes no bit.
 */
import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads'
import { messageOf } from '../../util/error.js'
import type { GraphInput } from '../graph.js'
import { parseOptimizer } from '../optimizers.js'
import { loadOnnx } from '../ort.js'
import { type LoadedGraph, Replica, sumOfSquares } from '../replica.js'
import type { GraphKind, ToOwner, ToWorker, WorkerSettings } from './messages.js'
import { awaitMessage, meet, sliceOf, TeamBroken } from './shared.js'

const { index, workers, threads, flat, optimizer: setting, clipNorm, seed, memory } = workerData as WorkerSettings
const port = parentPort!
const say = (message: ToOwner) => port.postMessage(message)

const words = new Int32Array(memory.control)
const slices = Array.from({ length: workers }, (_, w) => sliceOf(flat.length, w, workers))
const [from, to] = slices[index]!
const shared = {
  parameters: new Float32Array(memory.parameters),
  slots: Object.entries(memory.slots).map(([slot, buffer]) => [slot, new Float32Array(buffer)] as const),
  gradients: memory.gradients.map((buffer) => new Float32Array(buffer)),
  squares: new Float64Array(memory.squares),
}
const replica = new Replica({ flat, optimizer: parseOptimizer(setting), clipNorm, seed, slice: [from, to] })
const own = new Float32Array(to - from)
const graphs = new Map<string, LoadedGraph>()
const keyOf = (kind: GraphKind, layout: string) => `${kind} ${layout}`
let version = -1

/** Reads what the owner wrote, if it wrote since. */
function catchUp(now: number): void {
  if (now === version) return
  replica.parameters.set(shared.parameters)
  for (const [slot, data] of shared.slots) replica.slots[slot]!.set(data.subarray(from, to))
  version = now
}

/** The own slice of everyone's gradients together, added in the order of the workers; gives its sum of squares. */
function sumSlice(): number {
  const sources = shared.gradients.map((gradient, w) => (w === index ? replica.gradient : gradient))
  const [first, second, ...others] = sources.map((source) => source.subarray(from, to)) as [Float32Array, ...Float32Array[]]
  if (second) for (let i = 0; i < own.length; i++) own[i] = first[i]! + second[i]!
  else own.set(first)
  for (const other of others) for (let i = 0; i < own.length; i++) own[i]! += other[i]!
  return sumOfSquares(own)
}

async function step({ parts, numbers }: Extract<ToWorker, { type: 'step' }>): Promise<void> {
  replica.clear()
  const losses: number[] = []
  for (const { part, place } of parts)
    losses.push(await replica.add(graphs.get(keyOf('gradient', part.layout))!, part, place, numbers.done))
  const { gradient, parameters } = replica
  slices.forEach(([a, b], w) => {
    if (w !== index) shared.gradients[index]!.set(gradient.subarray(a, b), a)
  })
  meet(words, workers)
  shared.squares[index] = sumSlice()
  const norm = () => Math.sqrt(shared.squares.reduce((sum, s) => sum + s, 0))
  // only clipping has to know the whole gradient first
  if (clipNorm !== null) meet(words, workers)
  await replica.update(graphs.get(keyOf('update', ''))!.program, own, clipNorm === null ? 0 : norm(), numbers)
  shared.parameters.set(parameters.subarray(from, to), from)
  for (const [slot, data] of shared.slots) data.set(replica.slots[slot]!, from)
  meet(words, workers)
  const gradientNorm = norm()
  slices.forEach(([a, b], w) => {
    if (w !== index) parameters.set(shared.parameters.subarray(a, b), a)
  })
  say({ type: 'stepped', losses, gradientNorm })
}

async function evaluate({ layout, feeds }: Extract<ToWorker, { type: 'evaluate' }>): Promise<void> {
  const { program } = graphs.get(keyOf('forward', layout))!
  const outputs = await program.run({ ...feeds, ...replica.views })
  say({ type: 'evaluated', outputs })
}

async function obey(message: ToWorker): Promise<void> {
  switch (message.type) {
    case 'load': {
      const { kind, layout, bytes, inputs } = message
      const program = await loadOnnx(bytes, { threads, ownThread: true })
      graphs.set(keyOf(kind, layout), { program, inputs: inputs as unknown as GraphInput[] })
      return
    }
    case 'step':
      catchUp(message.version)
      return step(message)
    case 'evaluate':
      catchUp(message.version)
      return evaluate(message)
    case 'close':
      for (const { program } of graphs.values()) await program.release()
  }
}

// Waits in shared memory instead of the event loop: the next step begins microseconds after it is sent.
const receive = () => receiveMessageOnPort(port)?.message as ToWorker | undefined
say({ type: 'ready' })
for (let open = true; open; ) {
  const message = awaitMessage(words, index, receive)
  open = message.type !== 'close'
  try {
    await obey(message)
  } catch (thrown) {
    say({ type: 'failed', message: messageOf(thrown), secondary: thrown instanceof TeamBroken })
  }
}
port.close()
