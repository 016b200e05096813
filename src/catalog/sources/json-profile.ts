import type { TypeTree } from '../../vocabulary.js'
import { DistinctCounter } from '../sql/distinct.js'

/** What kinds of value a place in the rows holds. */
export type Kind = 'boolean' | 'integer' | 'decimal' | 'string' | 'date' | 'timestamp' | 'array' | 'object'

/** A nested object with more keys than this is a map whose keys are data. */
const maxMembers = 1000
/** A table has at most this many columns; further keys are counted, not kept. */
export const maxColumns = 20_000

/** Everything that is learned about one place in the rows; memory does not grow with their number. */
export class Profile {
  readonly kinds = new Map<Kind, number>()
  /** values seen, nulls included */
  present = 0
  nulls = 0
  /** members of objects that stood here */
  members: Map<string, Profile> | null = null
  /** keys that found no room */
  dropped = 0
  /** all elements of arrays that stood here */
  element: Profile | null = null
  private distinct: DistinctCounter | null = null

  constructor(private readonly roomForMembers = maxMembers) {}

  add(value: unknown): void {
    this.present++
    if (value === null || value === undefined) {
      this.nulls++
      return
    }
    const kind = kindOf(value)
    this.kinds.set(kind, (this.kinds.get(kind) ?? 0) + 1)
    if (kind === 'object') this.addMembers(value as Record<string, unknown>)
    else if (kind === 'array') {
      this.element ??= new Profile()
      for (const element of value as unknown[]) this.element.add(element)
    } else {
      this.distinct ??= new DistinctCounter()
      this.distinct.add(value as string | number | boolean)
    }
  }

  private addMembers(value: Record<string, unknown>): void {
    this.members ??= new Map()
    for (const key of Object.keys(value)) {
      let member = this.members.get(key)
      if (!member) {
        if (this.members.size >= this.roomForMembers) {
          this.dropped++
          continue
        }
        member = new Profile()
        this.members.set(key, member)
      }
      member.add(value[key])
    }
  }

  /** Distinct scalars, or null where none stood here. */
  get distinctEstimate(): number | null {
    return this.distinct?.estimate() ?? null
  }

  /** Is every value an object (or null) whose keys are names, so that its members can be columns? */
  get isRecord(): boolean {
    return this.kinds.size === 1 && this.kinds.has('object') && this.dropped === 0 && this.members !== null && this.members.size > 0
  }
}

const datePattern = /^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])$/
const timestampPattern = /^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])[T ]\d{2}:\d{2}(?::\d{2}(?:[.,]\d+)?)?(?:Z|[+-]\d{2}:?\d{2})?$/

function kindOf(value: unknown): Kind {
  if (typeof value === 'boolean') return 'boolean'
  if (typeof value === 'number') return Number.isInteger(value) ? 'integer' : 'decimal'
  if (Array.isArray(value)) return 'array'
  if (typeof value === 'object') return 'object'
  const text = value as string
  if (text.length < 10 || text.length > 40 || text.charCodeAt(4) !== 45) return 'string'
  return datePattern.test(text) ? 'date' : timestampPattern.test(text) ? 'timestamp' : 'string'
}

/**
 * The type of a place over all its values: integers beside decimals are decimal, dates beside timestamps are timestamp, either beside
 * other texts is string; anything else together is `mixed<…>` with its set; only nulls is unknown.
 */
export function typeOf(profile: Profile): TypeTree {
  const kinds = new Set(profile.kinds.keys())
  if (kinds.has('decimal')) kinds.delete('integer')
  if (kinds.has('timestamp')) kinds.delete('date')
  if (kinds.has('string')) for (const kind of ['date', 'timestamp'] as const) kinds.delete(kind)
  const types = [...kinds].sort().map((kind) => treeOf(kind, profile))
  if (types.length === 0) return { name: 'unknown' }
  return types.length === 1 ? types[0]! : { name: 'mixed', elements: types }
}

function treeOf(kind: Kind, profile: Profile): TypeTree {
  if (kind === 'array') return { name: 'array', elements: [profile.element?.present ? typeOf(profile.element) : { name: 'unknown' }] }
  if (kind !== 'object') return { name: kind }
  const members = [...(profile.members ?? [])]
  if (members.length === 0) return { name: 'object' }
  if (profile.dropped > 0) return { name: 'map', elements: [{ name: 'string' }, typeOf(members[0]![1])] }
  return { name: 'object', fields: members.map(([name, member]) => ({ name, type: typeOf(member) })) }
}
