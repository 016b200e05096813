/**
 * Iterators written by hand, not as async generators: a generator's `return()` waits for the pending `next()`, so a subscription to
 * something quiet would never be cleaned up.
 */

/** The items of `source` that pass; leaving it leaves the source. */
export function filtered<T>(source: AsyncIterableIterator<T>, passes: (item: T) => boolean): AsyncIterableIterator<T> {
  const iterator: AsyncIterableIterator<T> = {
    async next() {
      for (;;) {
        const step = await source.next()
        if (step.done || passes(step.value)) return step
      }
    },
    return: async () => (await source.return?.()) ?? { value: undefined, done: true },
    throw: async (error) => {
      await source.return?.()
      throw error
    },
    [Symbol.asyncIterator]: () => iterator,
  }
  return iterator
}

/** What becomes of each item of `source`; leaving it leaves the source. */
export function mapped<T, U>(source: AsyncIterableIterator<T>, become: (item: T) => U): AsyncIterableIterator<U> {
  const stepOf = (step: IteratorResult<T>): IteratorResult<U> => (step.done ? step : { value: become(step.value), done: false })
  const iterator: AsyncIterableIterator<U> = {
    next: async () => stepOf(await source.next()),
    async return() {
      await source.return?.()
      return { value: undefined, done: true }
    },
    async throw(error) {
      await source.return?.()
      throw error
    },
    [Symbol.asyncIterator]: () => iterator,
  }
  return iterator
}

/**
 * An iterator that is fed from outside; `open` runs at the first `next()` and answers what closes it. A reader slower than `capacity`
 * items loses the oldest.
 */
export function pushed<T>(open: (push: (item: T) => void) => Promise<() => Promise<void>>, capacity = 1_000): AsyncIterableIterator<T> {
  const items: T[] = []
  const waiting: ((step: IteratorResult<T>) => void)[] = []
  const done: IteratorResult<T> = { value: undefined, done: true }
  let opened: Promise<() => Promise<void>> | undefined
  let isOver = false
  const push = (item: T) => {
    const next = waiting.shift()
    if (next) next({ value: item, done: false })
    else if (items.push(item) > capacity) items.shift()
  }
  const end = async () => {
    isOver = true
    for (const next of waiting.splice(0)) next(done)
    const close = await opened?.catch(() => undefined)
    await close?.()
  }
  const iterator: AsyncIterableIterator<T> = {
    async next() {
      if (isOver) return done
      await (opened ??= open(push))
      const item = items.shift()
      if (item !== undefined) return { value: item, done: false }
      return isOver ? done : new Promise((resolve) => waiting.push(resolve))
    },
    async return() {
      await end()
      return done
    },
    async throw(error) {
      await end()
      throw error
    },
    [Symbol.asyncIterator]: () => iterator,
  }
  return iterator
}
