import { EspalierError } from '../util/error.js'

export interface BatcherOptions {
  /** items of one batch at most */
  maxItems: number
  /** milliseconds that the oldest item waits for company at most; 0: until the event loop comes round */
  maxAgeMs: number
  /** items waiting at most; one more is OVERLOADED */
  maxQueue: number
}

export interface Batcher<Input, Output> {
  /** Rejects with OVERLOADED at once when the queue is full, and with whatever `run` threw for its batch. */
  submit(inputs: readonly Input[]): Promise<Output[]>
  /** items waiting or running */
  readonly pending: number
}

interface Waiting<Input, Output> {
  input: Input
  resolve: (output: Output) => void
  reject: (reason: unknown) => void
}

/** Gathers items by size and age and runs one batch at a time. `run` answers in the order of its inputs. */
export function openBatcher<Input, Output>(
  run: (inputs: readonly Input[]) => Promise<readonly Output[]>,
  { maxItems, maxAgeMs, maxQueue }: BatcherOptions,
): Batcher<Input, Output> {
  const queue: Waiting<Input, Output>[] = []
  let running = 0
  let timer: NodeJS.Timeout | null = null

  const flush = async () => {
    if (timer) clearTimeout(timer)
    timer = null
    if (running > 0 || queue.length === 0) return
    const batch = queue.splice(0, maxItems)
    running = batch.length
    try {
      const outputs = await run(batch.map((w) => w.input))
      for (const [i, w] of batch.entries()) w.resolve(outputs[i]!)
    } catch (error) {
      for (const w of batch) w.reject(error)
    } finally {
      running = 0
      // what waited while this batch ran has waited long enough
      if (queue.length > 0) setImmediate(flush)
    }
  }

  return {
    submit(inputs) {
      if (queue.length + inputs.length > maxQueue)
        return Promise.reject(
          new EspalierError(
            'OVERLOADED',
            `serving: ${queue.length} requests wait and ${inputs.length} more came; at most ${maxQueue} may wait`,
            {
              remedy: 'Try again in a moment, or ask less at once.',
            },
          ),
        )
      const outputs = inputs.map((input) => new Promise<Output>((resolve, reject) => queue.push({ input, resolve, reject })))
      if (queue.length >= maxItems) void flush()
      else timer ??= setTimeout(flush, maxAgeMs)
      return Promise.all(outputs)
    },
    get pending() {
      return queue.length + running
    },
  }
}
