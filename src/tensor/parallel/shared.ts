/** Memory that the threads of a team and their owner all see. onnxruntime refuses tensors on it: what it computes with is copied. */
export interface SharedMemory {
  /** flat vectors as after the last step (or as the owner wrote them) */
  parameters: SharedArrayBuffer
  slots: Readonly<Record<string, SharedArrayBuffer>>
  /** per worker, the gradient of its parts: only what other workers' slices need of it */
  gradients: readonly SharedArrayBuffer[]
  /** per worker, the sum of squares of its slice of the whole gradient (float64) */
  squares: SharedArrayBuffer
  /** words (int32) of the meeting place, then two per worker: how many messages were sent to it, and 1 while it waits for one */
  control: SharedArrayBuffer
}

const word = { arrived: 0, generation: 1, broken: 2, workers: 3 } as const
const messagesTo = (worker: number) => word.workers + 2 * worker
const idle = (worker: number) => messagesTo(worker) + 1

export function allocateShared(length: number, slots: readonly string[], workers: number): SharedMemory {
  const vector = () => new SharedArrayBuffer(length * Float32Array.BYTES_PER_ELEMENT)
  return {
    parameters: vector(),
    slots: Object.fromEntries(slots.map((slot) => [slot, vector()])),
    gradients: Array.from({ length: workers }, vector),
    squares: new SharedArrayBuffer(workers * Float64Array.BYTES_PER_ELEMENT),
    control: new SharedArrayBuffer(4 * (word.workers + 2 * workers)),
  }
}

/** The part of `length` elements that worker `index` of `workers` updates: contiguous, whole cache lines. */
export function sliceOf(length: number, index: number, workers: number): [number, number] {
  const cut = (i: number) => (i === workers ? length : Math.floor((length * i) / workers / 16) * 16)
  return [cut(index), cut(index + 1)]
}

/** Thrown by workers that wait for one that will not come. */
export class TeamBroken extends Error {}

/** Lets everyone go who waits, and everyone who will wait, with `TeamBroken`. */
export function breakTeam({ control }: Pick<SharedMemory, 'control'>): void {
  const words = new Int32Array(control)
  Atomics.store(words, word.broken, 1)
  Atomics.add(words, word.generation, 1)
  Atomics.notify(words, word.generation)
}

/**
 * How long a wait spins before it sleeps: partners are mostly microseconds apart and the next step comes within a millisecond, while waking
 * a sleeper takes 50 us, and more on a busy machine.
 */
const spinMs = 2

/** Waits until a word is no longer what it was. */
function awaitChange(words: Int32Array, at: number, was: number): void {
  const end = performance.now() + spinMs
  do for (let i = 0; i < 500; i++) if (Atomics.load(words, at) !== was) return
  while (performance.now() < end)
  while (Atomics.load(words, at) === was) Atomics.wait(words, at, was)
}

/** Returns once all `workers` are here. Throws `TeamBroken` when one will not come. */
export function meet(words: Int32Array, workers: number): void {
  const generation = Atomics.load(words, word.generation)
  if (Atomics.load(words, word.broken) === 1) throw new TeamBroken()
  if (Atomics.add(words, word.arrived, 1) === workers - 1) {
    Atomics.store(words, word.arrived, 0)
    Atomics.add(words, word.generation, 1)
    Atomics.notify(words, word.generation)
  } else awaitChange(words, word.generation, generation)
  if (Atomics.load(words, word.broken) === 1) throw new TeamBroken()
}

/** Says that a message was posted to a worker's port. */
export function announceMessage(words: Int32Array, worker: number): void {
  Atomics.add(words, messagesTo(worker), 1)
  Atomics.notify(words, messagesTo(worker))
}

/** What `receive` gives, as soon as it gives something: it is asked again after each announcement. */
export function awaitMessage<T>(words: Int32Array, worker: number, receive: () => T | undefined): T {
  for (;;) {
    const seen = Atomics.load(words, messagesTo(worker))
    const message = receive()
    if (message !== undefined) return message
    Atomics.store(words, idle(worker), 1)
    Atomics.notify(words, idle(worker))
    awaitChange(words, messagesTo(worker), seen)
    Atomics.store(words, idle(worker), 0)
  }
}

/**
 * Holds the calling thread until none of the workers computes, at most `timeoutMs`. A thread that is ended while onnxruntime's native code
 * runs in it takes the whole process down with it (a C++ exception that nothing catches).
 */
export function awaitIdle({ control }: Pick<SharedMemory, 'control'>, workers: number, timeoutMs: number): void {
  const words = new Int32Array(control)
  const end = performance.now() + timeoutMs
  for (let worker = 0; worker < workers; worker++)
    while (Atomics.load(words, idle(worker)) === 0 && performance.now() < end)
      Atomics.wait(words, idle(worker), 0, Math.max(1, end - performance.now()))
}
