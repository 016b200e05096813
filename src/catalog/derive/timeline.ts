import type { Span } from '../ledger/temporal.js'

/** A value that holds in [from, to) milliseconds; to = Infinity while it lasts. */
export interface Stretch<T> extends Span {
  value: T
}

export const holdsAt = ({ from, to }: Span, at: number): boolean => from <= at && at < to

/** The moments at which something begins or ends inside a span, its own beginning first. */
export function cutsWithin(span: Span, changes: Iterable<Span>): number[] {
  const cuts = new Set([span.from])
  for (const { from, to } of changes) for (const at of [from, to]) if (at > span.from && at < span.to) cuts.add(at)
  return [...cuts].sort((a, b) => a - b)
}

/** A value for each moment from `cuts` on (sorted) to the end of the span, adjacent equal ones joined; null leaves a gap. */
export function stretchesOf<T>(
  span: Span,
  cuts: readonly number[],
  valueAt: (at: number) => T | null,
  isSame: (a: T, b: T) => boolean,
): Stretch<T>[] {
  const out: Stretch<T>[] = []
  cuts.forEach((from, i) => {
    const to = cuts[i + 1] ?? span.to
    const value = valueAt(from)
    if (value === null) return
    const last = out.at(-1)
    if (last && last.to === from && isSame(last.value, value)) last.to = to
    else out.push({ from, to, value })
  })
  return out
}

/** What is left of a span outside of others (sorted, disjoint). */
export function gapsOf(span: Span, taken: readonly Span[]): Span[] {
  const gaps: Span[] = []
  let from = span.from
  for (const each of taken) {
    if (each.to <= from || each.from >= span.to) continue
    if (each.from > from) gaps.push({ from, to: each.from })
    from = Math.max(from, each.to)
  }
  if (from < span.to) gaps.push({ from, to: span.to })
  return gaps
}

/** Of several values at a time the one with the greatest version: the same whoever came first. */
export function mergeVersions<T extends { version: string }>(parts: readonly Stretch<T>[]): Stretch<T>[] {
  if (parts.length < 2) return [...parts]
  const span = { from: Math.min(...parts.map((p) => p.from)), to: Math.max(...parts.map((p) => p.to)) }
  const bestAt = (at: number) =>
    parts.reduce<T | null>((best, part) => (holdsAt(part, at) && (!best || part.value.version > best.version) ? part.value : best), null)
  return stretchesOf(span, cutsWithin(span, parts), bestAt, (a, b) => a.version === b.version)
}
