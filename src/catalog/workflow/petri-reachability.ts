import type { PetriNet, Place, Transition } from './petri-net.js'

/** What can come about in a net at all. */
export interface Reachability {
  /** places that can get a token, by key */
  marked: ReadonlySet<string>
  /** transitions that can fire */
  enabled: ReadonlySet<Transition>
  /**
   * No token that one step takes away or clears is needed by another, and none hangs on a job's end code. Then what can fire here can
   * fire in the net itself; otherwise it may still be that one step starves another
   */
  isExact: boolean
}

/**
 * Reachability in the monotone relaxation of the net, in which no token is ever taken away (the delete relaxation of planning; Hoffmann
 * and Nebel, "The FF planning system", 2001): a least fixpoint, in time linear in the arcs. **Sound for death**: whatever can happen in
 * the net can happen in the relaxation, so a transition that is not enabled here never fires, in any order of events. The places not
 * marked are the largest siphon of the net without a token: all that could fill it needs a token from it.
 * `given`: places that hold a token besides those of the net itself.
 */
export function relaxedReachability(net: PetriNet, given: Iterable<string> = []): Reachability {
  const marked = new Set<string>(given)
  const enabled = new Set<Transition>()
  const readers = new Map<string, Transition[]>()
  const lacking = new Map<Transition, number>()
  for (const transition of net.transitions) {
    const inputs = new Set(transition.inputs.map((i) => i.place))
    lacking.set(transition, inputs.size)
    for (const place of inputs) pushTo(readers, place, transition)
  }
  for (const place of net.places.values()) if (place.tokens > 0) marked.add(place.key)
  const fresh = [...marked]
  const fire = (transition: Transition) => {
    enabled.add(transition)
    for (const { place, kind } of transition.outputs)
      if (kind === 'produce' && !marked.has(place)) {
        marked.add(place)
        fresh.push(place)
      }
  }
  for (const [transition, missing] of lacking) if (missing === 0) fire(transition)
  for (let place = fresh.pop(); place !== undefined; place = fresh.pop())
    for (const transition of readers.get(place) ?? []) {
      const missing = lacking.get(transition)! - 1
      lacking.set(transition, missing)
      if (missing === 0) fire(transition)
    }
  return { marked, enabled, isExact: isUncontended(net) }
}

function pushTo<K, V>(lists: Map<K, V[]>, key: K, value: V): void {
  const list = lists.get(key)
  if (list) list.push(value)
  else lists.set(key, [value])
}

/** Does no step take or clear a condition that another waits for, and no outcome hang on an end code? */
function isUncontended({ places, transitions }: PetriNet): boolean {
  const readers = new Map<string, Set<string>>()
  for (const { inputs, step } of transitions)
    for (const { place } of inputs) readers.set(place, (readers.get(place) ?? new Set()).add(step))
  return transitions.every(({ inputs, outputs, step }) => {
    if (outputs.some((o) => o.on !== undefined)) return false
    const taken = [...inputs.filter((i) => i.kind === 'consume'), ...outputs.filter((o) => o.kind === 'clear')]
    const isOther = (reader: string) => reader !== step
    return taken.every(({ place }) => places.get(place)!.role !== 'condition' || ![...(readers.get(place) ?? [])].some(isOther))
  })
}

/** One link of the chain that holds a step back: it waits for a place that never gets a token. */
export interface Hold {
  /** id of the job or folder */
  step: string
  place: Place
  /** who could fill the place, and can't start either; null where nothing fills it at all */
  filledBy: string | null
}

export interface Explanation {
  /** from the step itself towards the root of the matter, `longestChain` links at most */
  chain: Hold[]
  /** the place that nothing fills, at the end of the chain; null where it runs into a ring of steps that wait for each other */
  root: Place | null
  isChainPartial: boolean
}

export const longestChain = 50

/**
 * Why steps can never start: for each, the shortest chain to a place that nothing fills, or, where there is none, a chain that runs into
 * a ring. One witness of possibly many: every other way to fill the places on it is dead too.
 */
export function explainDead(net: PetriNet, { marked, enabled }: Reachability): (step: string) => Explanation {
  const fillers = new Map<string, Transition[]>()
  const readers = new Map<string, Transition[]>()
  const dead = new Map<string, Transition[]>()
  for (const transition of net.transitions) {
    for (const { place, kind } of transition.outputs) if (kind === 'produce') pushTo(fillers, place, transition)
    if (enabled.has(transition)) continue
    pushTo(dead, transition.step, transition)
    for (const { place } of transition.inputs) if (!marked.has(place)) pushTo(readers, place, transition)
  }
  const next = holdsFromRoots(net, marked, fillers, readers)
  const anyHold = (step: string): Hold => {
    const place = dead.get(step)![0]!.inputs.find((i) => !marked.has(i.place))!.place
    return { step, place: net.places.get(place)!, filledBy: fillers.get(place)?.[0]?.step ?? null }
  }
  return (first) => {
    const chain: Hold[] = []
    const seen = new Set<string>()
    let at: string | null = first
    for (; at !== null && !seen.has(at) && chain.length < longestChain; at = chain.at(-1)!.filledBy) {
      seen.add(at)
      chain.push(next.get(at) ?? anyHold(at))
    }
    return { chain, root: next.get(first)?.root ?? null, isChainPartial: at !== null && !seen.has(at) }
  }
}

/** Breadth first from the places that nothing fills: for each step behind them, the hold that leads to the nearest. */
function holdsFromRoots(
  net: PetriNet,
  marked: ReadonlySet<string>,
  fillers: ReadonlyMap<string, readonly Transition[]>,
  readers: ReadonlyMap<string, readonly Transition[]>,
): Map<string, Hold & { root: Place }> {
  const holds = new Map<string, Hold & { root: Place }>()
  const queue: { place: Place; filledBy: string | null; root: Place }[] = [...net.places.values()]
    .filter((p) => !marked.has(p.key) && !fillers.has(p.key))
    .map((place) => ({ place, filledBy: null, root: place }))
  for (let i = 0; i < queue.length; i++) {
    const { place, filledBy, root } = queue[i]!
    for (const transition of readers.get(place.key) ?? []) {
      if (holds.has(transition.step)) continue
      holds.set(transition.step, { step: transition.step, place, filledBy, root })
      for (const output of transition.outputs)
        if (output.kind === 'produce' && !marked.has(output.place))
          queue.push({ place: net.places.get(output.place)!, filledBy: transition.step, root })
    }
  }
  return holds
}
