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
