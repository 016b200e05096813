import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  type Assertion,
  effectsOf,
  endOfPositions,
  existenceOf,
  foldHistory,
  intersect,
  maskHistory,
  type PlacedSnapshot,
  positionOf,
  turnsOf,
  versionAt,
} from '../../../src/catalog/ledger/temporal.js'

const forever = Number.POSITIVE_INFINITY

describe('positions', () => {
  it('sort by time, then by hash, before 1970 too', () => {
    const hash = (c: string) => c.repeat(64)
    const positions = [
      positionOf(new Date(-1e12), hash('f')),
      positionOf(new Date(-1), hash('0')),
      positionOf(new Date(0), hash('0')),
      positionOf(new Date(0), hash('a')),
      positionOf(new Date(1e12), hash('0')),
    ]
    expect([...positions].sort()).toEqual(positions)
    expect(positions[4]! < endOfPositions).toBe(true)
    for (const position of positions) expect(position).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/)
  })
})

/** Snapshots as a list of what each does to one fact; one stream per snapshot, so that nothing is run-length encoded. */
const worlds = fc.array(
  fc.record({
    at: fc.integer({ min: 0, max: 5 }),
    says: fc.option(fc.constantFrom('x', 'y', 'z'), { nil: null }),
    isComplete: fc.boolean(),
    isOwn: fc.boolean(),
    removes: fc.boolean(),
  }),
  { maxLength: 8 },
)

describe('the history of a fact', () => {
  it('is, at every time, what replaying the snapshots up to then leaves', () => {
    fc.assert(
      fc.property(worlds, (world) => {
        const ordered = world.map((s, i) => ({ ...s, position: positionOf(new Date(s.at), String(i).repeat(64)), stream: i }))
        ordered.sort((a, b) => (a.position < b.position ? -1 : 1))
        const snapshots: PlacedSnapshot[] = ordered.map((s) => ({ ...s, scope: s.isOwn ? 1 : 2 }))
        const assertions: Assertion[] = ordered.flatMap((s) =>
          s.says === null ? [] : [{ stream: s.stream, from: s.position, to: endOfPositions, version: s.says }],
        )
        const removals = new Set(ordered.filter((s) => s.removes).map((s) => s.position))
        const pieces = foldHistory(effectsOf({ scope: 1, assertions, removals }, snapshots))
        for (let time = -1; time <= 6; time++) {
          let state: string | null = null
          for (const s of ordered.filter((s) => s.at <= time)) {
            if (s.says !== null) state = s.says
            else if ((s.isComplete && s.isOwn) || s.removes) state = null
          }
          expect(versionAt(pieces, time)).toBe(state)
        }
        pieces.forEach((piece, i) => {
          expect(piece.from).toBeLessThan(piece.to)
          const next = pieces[i + 1]
          if (next) expect(piece.to < next.from || (piece.to === next.from && piece.version !== next.version)).toBe(true)
        })
      }),
    )
  })

  it('lays partial versions over the state before them', () => {
    const overlay = (before: string | null, version: string) => (version.startsWith('+') ? `${before ?? ''}${version}` : version)
    const effects = [
      { at: 1, version: '+a' },
      { at: 2, version: 'full' },
      { at: 3, version: '+b' },
      { at: 3, version: '+c' },
      { at: 4, version: null },
      { at: 5, version: '+d' },
    ]
    expect(foldHistory(effects, overlay).map((p) => [p.from, p.to, p.version])).toEqual([
      [1, 2, '+a'],
      [2, 3, 'full'],
      [3, 4, 'full+b+c'],
      [5, forever, '+d'],
    ])
  })
})

describe('masking', () => {
  const spans = fc
    .uniqueArray(fc.integer({ min: 0, max: 12 }), { maxLength: 8 })
    .map((cuts) => cuts.sort((a, b) => a - b))
    .map((cuts) => cuts.flatMap((from, i) => (i % 2 === 0 ? [{ from, to: cuts[i + 1] ?? forever }] : [])))
  const covers = (list: readonly { from: number; to: number }[], time: number) => list.some(({ from, to }) => from <= time && time < to)

  it('shows an edge exactly while both ends exist, and loses nothing of it', () => {
    fc.assert(
      fc.property(spans, spans, spans, (edge, source, target) => {
        const pieces = edge.map((span) => ({ ...span, version: 'v' }))
        const masked = maskHistory(pieces, intersect(source, target))
        for (let time = 0; time <= 13; time++) {
          const shown = masked.filter((p) => p.isVisible)
          expect(covers(shown, time)).toBe(covers(edge, time) && covers(source, time) && covers(target, time))
          expect(covers(masked, time)).toBe(covers(edge, time))
        }
      }),
    )
  })

  it('knows existence apart from versions', () => {
    const pieces = [
      { from: 1, to: 2 },
      { from: 2, to: 4 },
      { from: 5, to: forever },
    ]
    expect(existenceOf(pieces)).toEqual([
      { from: 1, to: 4 },
      { from: 5, to: forever },
    ])
    expect(pieces[0]).toEqual({ from: 1, to: 2 })
  })
})

describe('turns', () => {
  it('tell every coming, change and going once', () => {
    const pieces = [
      { from: 1, to: 2, version: 'x' },
      { from: 2, to: 4, version: 'y' },
      { from: 5, to: forever, version: 'y' },
    ]
    expect(turnsOf(pieces)).toEqual([
      { at: 1, before: null, after: 'x' },
      { at: 2, before: 'x', after: 'y' },
      { at: 4, before: 'y', after: null },
      { at: 5, before: null, after: 'y' },
    ])
  })
})
