/** Runs works in the order they come, each after the one before has ended, however it ended. */
export function oneByOne(): <T>(work: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve()
  return (work) => {
    const result = last.catch(() => {}).then(work)
    last = result
    return result
  }
}
