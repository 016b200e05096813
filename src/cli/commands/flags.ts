import { InvalidArgumentError } from 'commander'
import { didYouMean } from '../../util/closest.js'
import { type NodeKind, nodeKinds } from '../../vocabulary.js'

/** A whole number from 1 on. */
export function whole(text: string): number {
  const n = Number(text)
  if (!Number.isSafeInteger(n) || n < 1) throw new InvalidArgumentError('expected a whole number from 1 on')
  return n
}

/** Days: 1 to ten years. */
export function days(text: string): number {
  const n = Number(text)
  if (!Number.isSafeInteger(n) || n < 1 || n > 3_650) throw new InvalidArgumentError('expected a whole number of days, 1 to 3650')
  return n
}

/** A quality score. */
export function score(text: string): number {
  const n = Number(text)
  if (text.trim() === '' || !(n >= 0 && n <= 1)) throw new InvalidArgumentError('expected a number from 0 to 1')
  return n
}

/** A kind of node, in any case: `table` is Table. */
export function nodeKind(written: string): NodeKind {
  const kind = nodeKinds.find((known) => known.toLowerCase() === written.toLowerCase())
  if (kind) return kind
  throw new InvalidArgumentError(`expected one of ${nodeKinds.join(', ')}. ${didYouMean(written, nodeKinds) ?? ''}`.trimEnd())
}

/** A moment as ISO text with its zone; a date alone is its beginning in UTC. */
export function moment(text: string): string {
  const date = new Date(text)
  if (!/^\d{4}-\d\d-\d\d(T.*(Z|[+-]\d\d:?\d\d))?$/i.test(text) || Number.isNaN(date.getTime()))
    throw new InvalidArgumentError('expected ISO-8601 such as 2024-05-01 or 2024-05-01T12:00:00Z')
  return date.toISOString()
}

/** The id of a pattern set. */
export function patternSetId(text: string): string {
  if (!/^.+@[1-9]\d*$/.test(text)) throw new InvalidArgumentError('expected the id of a pattern set, such as shop@2 (patterns list)')
  return text
}
