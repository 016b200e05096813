import type { JsonValue } from '../../vocabulary.js'

/** What could be read of a JSON text that ends too soon. */
export interface CutOff {
  value: JsonValue
  /** keys and indices of the containers that were open at the end, outermost first: each misses what was still to come */
  open: (string | number)[]
}

interface Frame {
  close: '}' | ']'
  /** of an object: the key of the member at hand */
  key: string
  index: number
}

/**
 * Reads a JSON text that was cut off in the middle: what is complete up to the last comma or opening bracket, all that is open closed.
 * Null where that is not what is wrong with it.
 */
export function parseCutOff(text: string): CutOff | null {
  const frames: Frame[] = []
  let safe: { end: number; frames: Frame[] } | null = null
  let at = 0
  while (at < text.length) {
    const c = text[at]!
    if (c === '"') {
      const end = endOfString(text, at)
      if (end < 0) break
      const frame = frames.at(-1)
      if (frame?.close === '}' && isKey(text, end)) frame.key = text.slice(at, end)
      at = end
      continue
    }
    if (c === '{' || c === '[') {
      frames.push({ close: c === '{' ? '}' : ']', key: '', index: 0 })
      safe = { end: at + 1, frames: frames.map((f) => ({ ...f })) }
    } else if (c === '}' || c === ']') {
      if (frames.pop()?.close !== c) return null
    } else if (c === ',') {
      safe = { end: at, frames: frames.map((f) => ({ ...f })) }
      const frame = frames.at(-1)
      if (frame) frame.index++
    }
    at++
  }
  if (!safe || frames.length === 0) return null
  return close(text.slice(0, safe.end), safe.frames)
}

function close(kept: string, frames: readonly Frame[]): CutOff | null {
  try {
    const value = JSON.parse(
      kept +
        frames
          .toReversed()
          .map((f) => f.close)
          .join(''),
    ) as JsonValue
    // the innermost container is what the one around it is at; it has no member at hand itself
    return { value, open: frames.slice(0, -1).map((f) => (f.close === '}' ? (JSON.parse(f.key) as string) : f.index)) }
  } catch {
    return null
  }
}

/** Behind the closing quote; -1 where there is none. */
function endOfString(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at++) {
    if (text[at] === '\\') at++
    else if (text[at] === '"') return at + 1
  }
  return -1
}

function isKey(text: string, end: number): boolean {
  let at = end
  while (at < text.length && ' \t\r\n'.includes(text[at]!)) at++
  return text[at] === ':'
}
