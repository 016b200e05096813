import { closing } from './brackets.js'
import type { Token } from './tokenizer.js'

/** Most hops of a variable-length relationship: beyond it the number of paths explodes. */
export const mostHops = 30

/** Is `{…}` in a pattern a quantifier (`{1,5}`) without an upper bound, or with one that is too large? */
export function isUnboundedQuantifier(inner: readonly Token[]): boolean {
  if (inner.length === 0 || !inner.every((t) => t.kind === 'number' || t.text === ',')) return false
  const most = inner.at(-1)!
  return most.kind !== 'number' || Number(most.text) > mostHops
}

/**
 * The `*` of a variable-length relationship (`-[r:A|B*1..5]-`, the tokens between its brackets) that does not say its upper bound, or one
 * that is too large: its index; -1 where there is none.
 */
export function findUnboundedHops(inner: readonly Token[]): number {
  let depth = 0
  for (const [i, { kind, text, upper }] of inner.entries()) {
    if (kind === 'mark' && text in closing) depth++
    else if (kind === 'mark' && ')]}'.includes(text)) depth--
    if (depth > 0) continue
    if (upper === 'WHERE') return -1
    if (kind === 'mark' && text === '*') return isBounded(inner.slice(i + 1)) ? -1 : i
  }
  return -1
}

/** `3`, `1..3`, `..3` after the star. */
function isBounded(rest: readonly Token[]): boolean {
  const stop = rest.findIndex((t) => t.kind !== 'number' && t.text !== '.')
  const range = rest
    .slice(0, stop < 0 ? undefined : stop)
    .map((t) => t.text)
    .join('')
  const [, exact, most] = /^(?:(\d+)|\d*\.\.(\d+))$/.exec(range) ?? []
  const bound = exact ?? most
  return bound !== undefined && Number(bound) <= mostHops
}
