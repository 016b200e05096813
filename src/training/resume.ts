import { canonicalJson } from '../util/hash.js'
import { mayGrow, withoutEffectOnWeights } from './options.js'

type Options = Readonly<Record<string, unknown>>

const isMapping = (value: unknown): value is Options => typeof value === 'object' && value !== null && !Array.isArray(value)

/**
 * Options of an earlier run with what is given now over them, nested mappings member by member. A mapping that tells its kind by `name`
 * (a schedule, an optimizer) is replaced whole where the name is another: the members of one kind mean nothing to the next.
 */
export function overlayOptions(earlier: Options, given: Options): Options {
  if (given['name'] !== undefined && given['name'] !== earlier['name']) return given
  const merged: Record<string, unknown> = { ...earlier }
  for (const [name, value] of Object.entries(given)) {
    const before = merged[name]
    merged[name] = isMapping(value) && isMapping(before) ? overlayOptions(before, value) : value
  }
  return merged
}

/** Options of a run that say nothing of how its weights come to be, or that a resumed run may have others of. */
const free: ReadonlySet<string> = new Set([
  'resume',
  'component',
  'export',
  ...[...withoutEffectOnWeights, ...Object.keys(mayGrow)].map((name) => `training.${name}`),
])

/**
 * The paths of the options given now that an earlier run had otherwise. Those that may change on resuming don't count here: whether they
 * may change so, its checkpoint decides.
 */
export function disagreements(earlier: Options, given: Options, path = ''): string[] {
  return Object.entries(given).flatMap(([name, value]) => {
    const at = `${path}${name}`
    const before = earlier[name]
    if (free.has(at) || value === undefined) return []
    if (isMapping(value) && isMapping(before)) return disagreements(before, value, `${at}.`)
    return canonicalJson(value ?? null) === canonicalJson(before ?? null) ? [] : [at]
  })
}
