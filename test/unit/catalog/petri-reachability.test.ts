import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type PetriNet, petriNetOf, type Transition } from '../../../src/catalog/workflow/petri-net.js'
import { explainDead, relaxedReachability } from '../../../src/catalog/workflow/petri-reachability.js'
import type { Step } from '../../../src/catalog/workflow/workflow.js'
import { stepsOf } from '../../support/workflow-steps.js'

/**
 * Every marking that the net can come to, one firing at a time, deletions and all: what the relaxation is checked against. Outputs that
 * hang on an end code happen for one code at a time, or for none.
 */
function stepsThatFire(net: PetriNet): Set<string> {
  const fired = new Set<string>()
  const initial = new Set([...net.places.values()].filter((p) => p.tokens > 0).map((p) => p.key))
  const seen = new Set<string>()
  const queue = [initial]
  for (let marking = queue.pop(); marking; marking = queue.pop()) {
    const key = [...marking].sort().join('\n')
    if (seen.has(key)) continue
    seen.add(key)
    for (const transition of net.transitions)
      if (transition.inputs.every((i) => marking.has(i.place))) {
        fired.add(transition.step)
        for (const code of ['', ...transition.outputs.map((o) => o.on ?? '')]) queue.push(fire(marking, transition, code))
      }
  }
  return fired
}

function fire(marking: ReadonlySet<string>, { inputs, outputs }: Transition, code: string): Set<string> {
  const next = new Set(marking)
  const happens = outputs.filter((o) => o.on === undefined || o.on === code)
  for (const { place, kind } of inputs) if (kind === 'consume') next.delete(place)
  for (const { place, kind } of happens) if (kind === 'clear') next.delete(place)
  for (const { place, kind } of happens) if (kind === 'produce') next.add(place)
  return next
}

const starting = (steps: readonly Step[], given: string[] = []) => {
  const reach = relaxedReachability(petriNetOf(steps), given)
  return [...new Set([...reach.enabled].map((t) => t.step))].sort()
}

describe('what can start', () => {
  it('is what waits for nothing, and what that releases', () => {
    const steps = stepsOf({ A: { sets: ['X'] }, B: { waits: ['X'], sets: ['Y'] }, C: { waits: ['Y', 'Z'] }, D: { waits: ['Y', 'or Z'] } })
    expect(starting(steps)).toEqual(['A', 'B', 'D'])
    expect(starting(steps, ['condition:Z'])).toEqual(['A', 'B', 'C', 'D'])
  })

  it('is nothing within a ring; an OR or another day opens it', () => {
    const ring = { A: { waits: ['Y'], sets: ['X'] }, B: { waits: ['X'], sets: ['Y'] } }
    expect(starting(stepsOf(ring))).toEqual([])
    expect(starting(stepsOf({ ...ring, C: { sets: ['Z'] }, A: { waits: ['Y', 'or Z'], sets: ['X'] } }))).toEqual(['A', 'B', 'C'])
    expect(starting(stepsOf({ ...ring, A: { waits: ['Y@previous'], sets: ['X'] } }))).toEqual(['A', 'B'])
  })

  it('is exact where nobody takes what another needs, and says so', () => {
    const exact = (steps: readonly Step[]) => relaxedReachability(petriNetOf(steps)).isExact
    expect(exact(stepsOf({ A: { sets: ['X'] }, B: { waits: ['X'], sets: ['-X'] } }))).toBe(true)
    const rivals = stepsOf({ A: { sets: ['X'] }, B: { waits: ['X'], sets: ['-X', 'Y'] }, C: { waits: ['X', 'Y'] } })
    expect(exact(rivals)).toBe(false)
    // C starves in truth: B takes X before it sets Y. The relaxation does not see it, and does not claim to
    expect(starting(rivals)).toEqual(['A', 'B', 'C'])
    expect(stepsThatFire(petriNetOf(rivals))).toEqual(new Set(['A', 'B']))
    expect(exact(stepsOf({ A: { sets: ['X on OK', 'Y on NOTOK'] }, B: { waits: ['X', 'Y'] } }))).toBe(false)
  })
})

const conditions = ['P', 'Q', 'R', 'S']
const wait = fc
  .tuple(fc.constantFrom('', '', 'or '), fc.constantFrom(...conditions), fc.constantFrom('', '', '', '@previous', '@any'))
  .map((w) => w.join(''))
const set = fc
  .tuple(
    fc.constantFrom('', '', '', '-'),
    fc.constantFrom(...conditions),
    fc.constantFrom('', '', '', '@next', '@any'),
    fc.constantFrom('', '', '', '', ' on NOTOK'),
  )
  .map((s) => s.join(''))
const written = fc.record({
  waits: fc.array(wait, { maxLength: 3 }),
  sets: fc.array(set, { maxLength: 3 }),
  isCyclic: fc.boolean(),
  folder: fc.constantFrom(undefined, 'F'),
})
const estate = fc.record({ jobs: fc.array(written, { minLength: 1, maxLength: 5 }), folder: fc.option(written) }).map(({ jobs, folder }) =>
  stepsOf({
    ...Object.fromEntries(jobs.map((job, i) => [`J${i}`, job as Parameters<typeof stepsOf>[0][string]])),
    ...(folder ? { F: { kind: 'folder' as const, waits: folder.waits, sets: folder.sets } } : {}),
  }),
)

describe('against every order of events in small nets', () => {
  it('nothing that the relaxation calls dead ever starts; where it is exact, all the rest does', () => {
    let [exact, dead] = [0, 0]
    fc.assert(
      fc.property(estate, (steps) => {
        const net = petriNetOf(steps)
        const reach = relaxedReachability(net)
        const truth = stepsThatFire(net)
        const claimed = new Set([...reach.enabled].map((t) => t.step))
        for (const step of truth) expect(claimed.has(step)).toBe(true)
        if (reach.isExact) expect(claimed).toEqual(truth)
        if (reach.isExact) exact++
        if (claimed.size < new Set(net.transitions.map((t) => t.step)).size) dead++
      }),
      { numRuns: 1_000 },
    )
    // or the test would say nothing
    expect(exact).toBeGreaterThan(100)
    expect(dead).toBeGreaterThan(100)
  })

  it('the places never marked are a siphon: whatever fills one needs a token from one', () => {
    fc.assert(
      fc.property(estate, (steps) => {
        const net = petriNetOf(steps)
        const { marked } = relaxedReachability(net)
        const isEmpty = (key: string) => !marked.has(key)
        for (const { inputs, outputs } of net.transitions)
          if (outputs.some((o) => o.kind === 'produce' && isEmpty(o.place))) expect(inputs.some((i) => isEmpty(i.place))).toBe(true)
      }),
    )
  })

  it('every dead step has a chain of dead steps, each waiting for what the next would set', () => {
    fc.assert(
      fc.property(estate, (steps) => {
        const net = petriNetOf(steps)
        const reach = relaxedReachability(net)
        const explain = explainDead(net, reach)
        const alive = new Set([...reach.enabled].map((t) => t.step))
        for (const id of new Set(net.transitions.map((t) => t.step))) {
          if (alive.has(id)) continue
          const { chain, root, isChainPartial } = explain(id)
          expect(isChainPartial).toBe(false)
          expect(chain[0]!.step).toBe(id)
          for (const [i, { step, place, filledBy }] of chain.entries()) {
            expect(alive.has(step)).toBe(false)
            expect(reach.marked.has(place.key)).toBe(false)
            expect(net.transitions.some((t) => t.step === step && t.inputs.some((a) => a.place === place.key))).toBe(true)
            const fillers = net.transitions.filter((t) => t.outputs.some((o) => o.kind === 'produce' && o.place === place.key))
            if (filledBy === null) expect(fillers).toEqual([])
            else expect(fillers.map((t) => t.step)).toContain(filledBy)
            if (i + 1 < chain.length) expect(chain[i + 1]!.step).toBe(filledBy)
          }
          if (root) expect(chain.at(-1)).toMatchObject({ place: root, filledBy: null })
          else expect(chain.map((h) => h.step)).toContain(chain.at(-1)!.filledBy)
        }
      }),
      { numRuns: 500 },
    )
  })
})
