import type { CharSet } from './charset.js'

/**
 * A regular expression as what it matches, without the words for it: groups, flags, anchors and laziness are gone, because `=~` asks only
 * whether the whole text matches.
 */
export type Regex =
  | { kind: 'chars'; set: CharSet; least: number; most: number }
  | { kind: 'sequence'; parts: readonly Regex[] }
  | { kind: 'choice'; options: readonly Regex[] }
  | { kind: 'optional'; body: Regex }
  /** at least once, without an end */
  | { kind: 'loop'; body: Regex }

export type Chars = Extract<Regex, { kind: 'chars' }>

/** Thrown and caught in the room: why a pattern is refused. */
export class RegexRefusal extends Error {
  constructor(
    readonly expected: string,
    readonly suggestion: string,
  ) {
    super(expected)
  }
}

export const chars = (set: CharSet, least = 1, most = least): Chars => ({ kind: 'chars', set, least, most })
export const empty: Regex = { kind: 'sequence', parts: [] }
export const isUnbounded = (chars: Chars): boolean => chars.most === Number.POSITIVE_INFINITY

export function sequence(parts: readonly Regex[]): Regex {
  const flat = parts.flatMap((part) => (part.kind === 'sequence' ? part.parts : [part]))
  return flat.length === 1 ? flat[0]! : { kind: 'sequence', parts: flat }
}

/** Can it match the empty text? */
export function mayBeEmpty(regex: Regex): boolean {
  switch (regex.kind) {
    case 'chars':
      return regex.least === 0
    case 'sequence':
      return regex.parts.every(mayBeEmpty)
    case 'choice':
      return regex.options.some(mayBeEmpty)
    case 'optional':
      return true
    case 'loop':
      return false
  }
}

/** All the sets of characters in it. */
export function setsOf(regex: Regex): CharSet[] {
  switch (regex.kind) {
    case 'chars':
      return [regex.set]
    case 'sequence':
      return regex.parts.flatMap(setsOf)
    case 'choice':
      return regex.options.flatMap(setsOf)
    default:
      return setsOf(regex.body)
  }
}

export const hasLoop = (regex: Regex): boolean =>
  regex.kind === 'loop' ||
  (regex.kind === 'sequence' && regex.parts.some(hasLoop)) ||
  (regex.kind === 'choice' && regex.options.some(hasLoop)) ||
  (regex.kind === 'optional' && hasLoop(regex.body))
