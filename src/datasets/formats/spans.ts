import type { EntitySpan } from '../records/labeled-text.js'
import type { SpanUnit } from './format.js'

export const isSpan = (value: unknown): value is EntitySpan =>
  Array.isArray(value) &&
  value.length === 4 &&
  typeof value[0] === 'string' &&
  typeof value[1] === 'string' &&
  Number.isInteger(value[2]) &&
  Number.isInteger(value[3])

const surrogatePair = /[\uD800-\uDBFF][\uDC00-\uDFFF]/

/**
 * A function that counts an offset of `text` in the other unit. Offsets past the end stay as far past it (such spans are kept, and told
 * by validation); one inside a surrogate pair, which no code point offset can say, moves to the pair's start.
 */
export function offsetMap(text: string, from: SpanUnit, to: SpanUnit): (offset: number) => number {
  if (from === to || !surrogatePair.test(text)) return (offset) => offset
  // code point i begins at UTF-16 offset starts[i]
  const starts: number[] = []
  for (let at = 0; at < text.length; at += text.codePointAt(at)! > 0xffff ? 2 : 1) starts.push(at)
  if (from === 'code-points')
    return (offset) => (offset < 0 ? offset : offset < starts.length ? starts[offset]! : text.length + offset - starts.length)
  return (offset) => (offset < 0 ? offset : offset >= text.length ? starts.length + offset - text.length : pointBefore(starts, offset))
}

/** Index of the last start at or before `offset`. */
function pointBefore(starts: readonly number[], offset: number): number {
  let [low, high] = [0, starts.length - 1]
  while (low < high) {
    const middle = (low + high + 1) >> 1
    if (starts[middle]! <= offset) low = middle
    else high = middle - 1
  }
  return low
}

/** Spans of `text` counted in the other unit, as lists or as objects of start and end; what is no span stays as it is. */
export function convertSpans<T>(text: string, entities: readonly T[], from: SpanUnit, to: SpanUnit): T[] {
  const map = offsetMap(text, from, to)
  return entities.map((entity) => {
    if (isSpan(entity)) return [entity[0], entity[1], map(entity[2]), map(entity[3])] as T
    const { start, end } = (entity ?? {}) as { start?: unknown; end?: unknown }
    return Number.isInteger(start) && Number.isInteger(end) ? { ...entity, start: map(start as number), end: map(end as number) } : entity
  })
}
