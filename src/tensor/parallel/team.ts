import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import { EspalierError } from '../../util/error.js'
import { stepNames } from '../compile.js'
import { checkFeeds } from '../feeds.js'
import type { Graph, GraphInput } from '../graph.js'
import { encodeOnnx } from '../onnx.js'
import type { FlatState, Part, StepNumbers, StepPlan, StepRuntime } from '../step-runtime.js'
import type { NamedTensors } from '../tensor.js'
import { uniformPrefix } from '../uniform.js'
import type { GraphKind, ToOwner, ToWorker, WorkerSettings } from './messages.js'
import { allocateShared, announceMessage, awaitIdle, breakTeam } from './shared.js'

/** Compiled beside this file; under a runner of TypeScript sources the built one is used. */
const workerFile = fileURLToPath(
  new URL(import.meta.url.endsWith('.ts') ? '../../../dist/tensor/parallel/worker.js' : './worker.js', import.meta.url),
)

type Answer = Exclude<ToOwner, { type: 'failed' }>

interface Waiting {
  resolve(answer: Answer): void
  reject(error: Error): void
}

/** One worker as its owner sees it: it answers messages in the order they came. */
class Member {
  readonly #worker: Worker
  readonly #waiting: Waiting[] = []
  readonly #words: Int32Array
  #closing = false
  readonly #gone: Promise<unknown>

  constructor(
    readonly settings: WorkerSettings,
    readonly failed: (error: EspalierError, secondary: boolean) => void,
  ) {
    this.#words = new Int32Array(settings.memory.control)
    this.#worker = new Worker(workerFile, { workerData: settings, execArgv: [] })
    this.#gone = new Promise((resolve) => this.#worker.once('exit', resolve))
    this.#worker.on('message', (message: ToOwner) => {
      if (message.type === 'failed') return failed(this.#error(message.message), message.secondary)
      this.#waiting.shift()?.resolve(message)
    })
    this.#worker.on('error', (error) => failed(this.#error(error.message), false))
    this.#worker.on('exit', (code) => {
      if (!this.#closing) failed(this.#error(`it ended with status ${code}`), false)
    })
  }

  tell(message: ToWorker, handOver: readonly ArrayBuffer[] = []): void {
    this.#worker.postMessage(message, handOver)
    announceMessage(this.#words, this.settings.index)
  }

  /** The answer to the message told last (or, before any, that it is ready). */
  answer(): Promise<Answer> {
    this.#worker.ref()
    return new Promise<Answer>((resolve, reject) => this.#waiting.push({ resolve, reject })).finally(() => {
      if (this.#waiting.length === 0) this.#worker.unref()
    })
  }

  refuse(error: Error): void {
    for (const { reject } of this.#waiting.splice(0)) reject(error)
  }

  /** Ends it once it has done what it was told before. Never by force: see `awaitIdle`. */
  async end(): Promise<void> {
    if (!this.#closing) {
      this.#closing = true
      this.#worker.ref()
      this.tell({ type: 'close' })
    }
    await this.#gone
  }

  #error = (what: string) =>
    new EspalierError('INTERNAL', `training worker ${this.settings.index} of ${this.settings.workers} failed: ${what}`, {
      remedy: 'Resume from the last checkpoint; with the option workers 0 everything runs in one thread.',
    })
}

const memoryOf = (parts: readonly Part[]): ArrayBuffer[] => [
  ...new Set(parts.flatMap(({ feeds }) => Object.values(feeds).map((t) => t.data.buffer as ArrayBuffer))),
]

export interface TeamOptions {
  /** worker threads, from 1 */
  workers: number
  /** threads of each worker's sessions. Default 1: a worker's products then wait for no one */
  threads?: number
}

/**
 * Steps in worker threads: each takes its share of a step's parts, and all update the parameters together (see `worker.ts`). This
 * thread's event loop stays free. A worker that fails ends the team: this call and every later one throws INTERNAL, naming it.
 */
export function openTeam(plan: StepPlan, { workers, threads = 1 }: TeamOptions): StepRuntime {
  const { flat, optimizer, clipNorm, seed, graphs } = plan
  const memory = allocateShared(flat.length, optimizer.row.slots, workers)
  const state = {
    parameters: new Float32Array(memory.parameters),
    slots: Object.fromEntries(Object.entries(memory.slots).map(([slot, buffer]) => [slot, new Float32Array(buffer)])),
  }
  state.parameters.set(plan.start)
  let version = 0
  let broken: EspalierError | null = null

  const breakWith = (error: EspalierError, secondary: boolean) => {
    if (broken || secondary) return
    broken = error
    breakTeam(memory)
    for (const member of members) member.refuse(error)
    for (const member of members) void member.end()
  }
  const setting = { ...optimizer.options, name: optimizer.name }
  const members = Array.from({ length: workers }, (_, index) => {
    const settings: WorkerSettings = { index, workers, threads, flat, optimizer: setting, clipNorm, seed, memory }
    return new Member(settings, breakWith)
  })
  const ready = Promise.all(members.map((member) => member.answer()))
  ready.catch(() => {})
  // a process that exits in the middle of a step
  const leave = () => {
    breakTeam(memory)
    awaitIdle(memory, workers, 10_000)
  }
  process.on('exit', leave)

  let isReady = false
  const whole = async () => {
    await ready
    isReady = true
    if (broken) throw broken
  }

  /** what a graph wants of a batch: the rest of its inputs the worker has */
  const loaded = new Map<string, GraphInput[]>()
  const known = new Set([...flat.places.flatMap(({ name }) => [name, stepNames.sum(name)]), stepNames.share])
  /** Graphs reach a worker before the first message that needs them. Gives what a batch must feed. */
  function load(kind: GraphKind, layout: string, build: () => Graph): GraphInput[] {
    const key = `${kind} ${layout}`
    const before = loaded.get(key)
    if (before) return before
    const graph = build()
    const wanted = graph.inputs.filter(({ name }) => !known.has(name) && !name.startsWith(uniformPrefix))
    const bytes = encodeOnnx(graph)
    const inputs = graph.inputs.map(({ name, value }) => ({ name, value: { shape: value.shape } }))
    for (const member of members) member.tell({ type: 'load', kind, layout, bytes, inputs })
    loaded.set(key, wanted)
    return wanted
  }

  let turn = 0
  return {
    async step(parts: readonly Part[], numbers: StepNumbers, handOver = false) {
      // sent before this call returns: the caller goes on while the workers compute
      if (!isReady || broken) await whole()
      for (const { layout, feeds } of parts)
        checkFeeds(
          load('gradient', layout, () => graphs.gradient(layout)),
          feeds,
        )
      load('update', '', () => graphs.update())
      const answers = members.map((member, w) => {
        const [first, end] = [w, w + 1].map((i) => Math.floor((parts.length * i) / workers)) as [number, number]
        const mine = parts.slice(first, end).map((part, i) => ({ part, place: first + i }))
        member.tell({ type: 'step', parts: mine, numbers, version }, handOver ? memoryOf(mine.map(({ part }) => part)) : [])
        return member.answer() as Promise<Extract<Answer, { type: 'stepped' }>>
      })
      const all = await Promise.all(answers)
      return { losses: all.flatMap((a) => a.losses), gradientNorm: all[0]!.gradientNorm }
    },
    async evaluate(layout: string, feeds: NamedTensors) {
      if (!isReady || broken) await whole()
      checkFeeds(
        load('forward', layout, () => graphs.forward(layout)),
        feeds,
      )
      const member = members[turn]!
      turn = (turn + 1) % workers
      member.tell({ type: 'evaluate', layout, feeds, version })
      const { outputs } = (await member.answer()) as Extract<Answer, { type: 'evaluated' }>
      return outputs
    },
    read: (): FlatState => ({
      parameters: state.parameters.slice(),
      slots: Object.fromEntries(Object.entries(state.slots).map(([slot, data]) => [slot, data.slice()])),
    }),
    write({ parameters, slots }) {
      state.parameters.set(parameters)
      for (const slot in state.slots) state.slots[slot]!.set(slots[slot]!)
      version++
    },
    async close() {
      await ready.catch(() => {})
      broken ??= new EspalierError('INTERNAL', 'the trainer was closed')
      await Promise.all(members.map((member) => member.end()))
      process.off('exit', leave)
    },
  }
}
