import { EspalierError } from '../../util/error.js'
import { sha256 } from '../../util/hash.js'
import { type Problem, problem } from '../../util/problem.js'
import { seeded } from '../../util/random.js'
import type { JsonValue } from '../../vocabulary.js'
import type { DatasetKind } from '../version.js'
import { assignParts } from './assign.js'
import { collectKeys } from './keys.js'
import { findLeakage } from './leakage.js'
import { type SplitOptions, splitOptions } from './options.js'

/** Which row is in which part. */
export interface SplitPlan {
  options: SplitOptions
  /** number of the part in `options.parts`, one a row */
  membership: Uint8Array
  /** SHA-256 of the membership, lower-case hex */
  membershipHash: string
  /** part -> rows */
  counts: Record<string, number>
  /** leakage, as warnings */
  problems: Problem[]
}

/** Options with defaults, or BAD_INPUT with each problem. */
export function parseSplitOptions(given: unknown): SplitOptions {
  const parsed = splitOptions.safeParse(given ?? {})
  if (parsed.success) return parsed.data
  const problems = parsed.error.issues.map((issue) =>
    problem({
      code: 'bad-option',
      where: ['split', ...issue.path.map(String)].join('.'),
      found: shown(given, issue.path),
      expected: issue.message,
    }),
  )
  throw new EspalierError('BAD_INPUT', `split options: ${parsed.error.issues[0]!.message}`, { problems, remedy: 'Correct these options.' })
}

function shown(given: unknown, path: readonly PropertyKey[]): string {
  const value = path.reduce<unknown>((at, key) => (at as Record<PropertyKey, unknown> | undefined)?.[key], given)
  return JSON.stringify(value) ?? 'nothing'
}

/** Reads the rows once, holding some thirty bytes of each, and decides the part of every row. */
export async function planSplit(
  rows: Iterable<JsonValue> | AsyncIterable<JsonValue>,
  kind: DatasetKind,
  given: unknown = {},
): Promise<SplitPlan> {
  const options = parseSplitOptions(given)
  const keys = await collectKeys(rows, kind, options)
  const membership = assignParts(keys, options, seeded(options.seed).fork('split'))
  return {
    options,
    membership,
    membershipHash: sha256(membership),
    counts: countParts(membership, options.parts),
    problems: findLeakage(keys, membership, options.parts),
  }
}

export function countParts(membership: Uint8Array, names: readonly string[]): Record<string, number> {
  const counts = names.map(() => 0)
  for (const part of membership) counts[part]!++
  return Object.fromEntries(names.map((name, i) => [name, counts[i]!]))
}

/** The rows of one part, in order. */
export async function* rowsOfPart<Row>(
  rows: Iterable<Row> | AsyncIterable<Row>,
  membership: Uint8Array,
  part: number,
): AsyncGenerator<Row> {
  let number = 0
  for await (const row of rows) if (membership[number++] === part) yield row
}
