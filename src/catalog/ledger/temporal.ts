/**
 * The temporal algebra of the ledger, as pure functions.
 *
 * Snapshots of a project are ordered by position: (observed_at, content hash). A snapshot does one of three things to a fact:
 *
 *   asserts it    the snapshot's content holds the fact, with a version (the hash of what it says); a partial version only adds to
 *                 what is there (ALTER of a table from another file), and where nothing is it makes the fact;
 *   removes it    the content lacks it, and the snapshot is a complete one of the fact's own system, or takes it away by name
 *                 (DROP TABLE takes the table, its columns, and the edges that touch them);
 *   is silent     otherwise: a partial snapshot says nothing of what it lacks.
 *
 * The history of a fact is the fold of these effects in order of position: a function of the *set* of snapshots, so the order in
 * which they arrive cannot matter. Of several snapshots with one observed_at only the last state is a state at that time. Edges are
 * also masked by their ends: an edge whose end does not exist is asserted, but not visible.
 *
 * The ledger keeps what every snapshot said, run-length encoded (table `assertion`). A snapshot later than all others needs no fold:
 * it is compared with the current rows in SQL (ledger-store.ts). One that comes late makes the facts it changes be folded again by
 * the functions here (rewrite-store.ts). Tests hold the two against each other.
 */

/** Sorts as its bytes do, in JavaScript and as a Postgres uuid. */
export type Position = string

/** Greater than every position. */
export const endOfPositions: Position = 'ffffffff-ffff-ffff-ffff-ffffffffffff'

/**
 * Less than every position: from here on says, what the first snapshot of a stream says that was brought in before its position was known
 * (fresh-store.ts). The same as from that snapshot on, until another one comes before it: then `placeFirst` (assertion-store.ts) makes it so.
 */
export const startOfPositions: Position = '00000000-0000-0000-0000-000000000000'

/** The position of a snapshot: 8 bytes of time (milliseconds, offset so that dates before 1970 sort first), 8 bytes of content hash. */
export function positionOf(observedAt: Date, contentHash: string): Position {
  const time = (BigInt(observedAt.getTime()) + 2n ** 62n).toString(16).padStart(16, '0')
  return `${time.slice(0, 8)}-${time.slice(8, 12)}-${time.slice(12)}-${contentHash.slice(0, 4)}-${contentHash.slice(4, 16)}`
}

export interface PlacedSnapshot {
  position: Position
  /** milliseconds since 1970 */
  at: number
  stream: number
  scope: number
  isComplete: boolean
}

/** The snapshots of `stream` positioned in [from, to) assert the fact with this version. */
export interface Assertion {
  stream: number
  from: Position
  to: Position
  version: string
}

export interface FactRecord {
  /** the system whose complete snapshots speak of this fact */
  scope: number
  assertions: readonly Assertion[]
  /** positions of the snapshots that take it away by name */
  removals: ReadonlySet<Position>
}

/** What a version makes of the state before it (null: none): a full version itself, a partial one both together. */
export type Overlay = (before: string | null, version: string) => string

const fullVersions: Overlay = (_, version) => version

/** What a snapshot does to a fact at a time: gives it this version, or (null) takes it away. */
export interface Effect {
  at: number
  version: string | null
}

/** One stretch of a fact's history, valid in [from, to) milliseconds; to = Infinity while it lasts. */
export interface Piece {
  from: number
  to: number
  version: string
}

/** What the snapshots (sorted by position) do to one fact, silence left out. */
export function effectsOf(fact: FactRecord, snapshots: readonly PlacedSnapshot[]): Effect[] {
  const effects: Effect[] = []
  for (const { position, at, stream, scope, isComplete } of snapshots) {
    const said = fact.assertions.find((a) => a.stream === stream && a.from <= position && position < a.to)
    if (said) effects.push({ at, version: said.version })
    else if ((isComplete && scope === fact.scope) || fact.removals.has(position)) effects.push({ at, version: null })
  }
  return effects
}

/** The history that effects (in order) make: no empty piece, and adjacent pieces differ. */
export function foldHistory(effects: readonly Effect[], overlay: Overlay = fullVersions): Piece[] {
  const pieces: Piece[] = []
  let state: string | null = null
  effects.forEach(({ at, version }, i) => {
    state = version === null ? null : overlay(state, version)
    // of several effects at one time only the last leaves a state behind
    if (effects[i + 1]?.at === at) return
    const last = pieces.at(-1)
    const open = last?.to === Number.POSITIVE_INFINITY ? last : undefined
    if (open?.version === state || (!open && state === null)) return
    if (open) open.to = at
    if (state !== null) pieces.push({ from: at, to: Number.POSITIVE_INFINITY, version: state })
  })
  return pieces
}

export interface Span {
  from: number
  to: number
}

/** When something existed at all: adjacent pieces joined. */
export function existenceOf(pieces: readonly Span[]): Span[] {
  const spans: Span[] = []
  for (const { from, to } of pieces) {
    const last = spans.at(-1)
    if (last?.to === from) last.to = to
    else spans.push({ from, to })
  }
  return spans
}

/** The times that lie in both lists of spans (each sorted and disjoint). */
export function intersect(a: readonly Span[], b: readonly Span[]): Span[] {
  const out: Span[] = []
  for (let i = 0, j = 0; i < a.length && j < b.length; ) {
    const from = Math.max(a[i]!.from, b[j]!.from)
    const to = Math.min(a[i]!.to, b[j]!.to)
    if (from < to) out.push({ from, to })
    if (a[i]!.to < b[j]!.to) i++
    else j++
  }
  return out
}

export interface MaskedPiece extends Piece {
  isVisible: boolean
}

/** Cuts an edge's pieces where its ends come and go. */
export function maskHistory(pieces: readonly Piece[], ends: readonly Span[]): MaskedPiece[] {
  const out: MaskedPiece[] = []
  for (const piece of pieces) {
    let from = piece.from
    for (const span of intersect([piece], ends)) {
      if (from < span.from) out.push({ ...piece, from, to: span.from, isVisible: false })
      out.push({ ...piece, ...span, isVisible: true })
      from = span.to
    }
    if (from < piece.to) out.push({ ...piece, from, isVisible: false })
  }
  return out
}

/** A moment where the state of a fact changes: from a version (or nothing) to another (or nothing). */
export interface Turn {
  at: number
  before: string | null
  after: string | null
}

/** Every turn in a history (of visible pieces), in order of time. */
export function turnsOf(pieces: readonly Piece[]): Turn[] {
  return pieces.flatMap((piece, i) => {
    const previous = pieces[i - 1]
    const next = pieces[i + 1]
    const before = previous?.to === piece.from ? previous.version : null
    const turns: Turn[] = before === piece.version ? [] : [{ at: piece.from, before, after: piece.version }]
    if (piece.to !== Number.POSITIVE_INFINITY && next?.from !== piece.to) turns.push({ at: piece.to, before: piece.version, after: null })
    return turns
  })
}

/** The version in force at a time, null for none. */
export const versionAt = (pieces: readonly Piece[], at: number): string | null =>
  pieces.find(({ from, to }) => from <= at && at < to)?.version ?? null
