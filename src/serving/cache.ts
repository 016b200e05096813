/** Answers kept by key, the least recently used let go first. */
export interface Cache<Value> {
  get(key: string): Value | undefined
  set(key: string, value: Value): void
  readonly size: number
  readonly hits: number
  readonly misses: number
}

/** A cache of `capacity` entries at most; 0 keeps none. */
export function openCache<Value>(capacity: number): Cache<Value> {
  // a Map iterates in the order of insertion: an entry that is used is inserted again
  const entries = new Map<string, Value>()
  let [hits, misses] = [0, 0]
  return {
    get(key) {
      const value = entries.get(key)
      if (value === undefined) {
        misses++
        return undefined
      }
      hits++
      entries.delete(key)
      entries.set(key, value)
      return value
    },
    set(key, value) {
      entries.delete(key)
      entries.set(key, value)
      if (entries.size > capacity) entries.delete(entries.keys().next().value!)
    },
    get size() {
      return entries.size
    },
    get hits() {
      return hits
    },
    get misses() {
      return misses
    },
  }
}
