export interface LatencySummary {
  /** requests ever */
  count: number
  /** milliseconds, over the last `window` requests; null before the first */
  p50: number | null
  p99: number | null
}

export interface Latency {
  record(milliseconds: number): void
  read(): LatencySummary
}

/** Latencies of the last `window` requests, in a ring. Percentiles by nearest rank. */
export function openLatency(window = 2048): Latency {
  const ring = new Float64Array(window)
  let count = 0
  return {
    record(milliseconds) {
      ring[count++ % window] = milliseconds
    },
    read() {
      const sorted = ring.slice(0, Math.min(count, window)).sort()
      const at = (share: number) => (sorted.length === 0 ? null : sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)]!)
      return { count, p50: at(0.5), p99: at(0.99) }
    },
  }
}
