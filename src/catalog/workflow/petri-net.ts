import { contentHash } from '../../util/hash.js'
import { type Waited, waitedKey } from './start-logic.js'
import { type ConditionSet, isSameDay, type Step } from './workflow.js'

/** A place holds a token or none: a condition is set or not, and setting it again changes nothing. */
export interface Place {
  /** stable within its system; the qualified name of the PetriPlace */
  key: string
  name: string
  role: 'condition' | 'ordered' | 'started'
  /** of an empty net */
  tokens: 0 | 1
  /** of the role `condition` */
  condition?: Waited
  /** id of the job or folder, of the other roles */
  step?: string
}

/** How an arc of weight 1 moves the token. From a place: `consume` takes it, `read` only looks. To a place: `produce` sets it, `clear` (a reset arc) takes it where it is. */
export type ArcKind = 'consume' | 'read' | 'produce' | 'clear'

export interface Arc {
  place: string
  kind: ArcKind
  /** it happens only when the job ends with this code */
  on?: string
  /** it is for a run of another day: the token comes to its place on that day */
  odate?: string
}

/** One way for a job or folder to start. Fires once for each order of the job; a cyclic job any number of times. */
export interface Transition {
  key: string
  name: string
  /** id of the job or folder */
  step: string
  inputs: Arc[]
  outputs: Arc[]
}

export interface PetriNet {
  places: Map<string, Place>
  transitions: Transition[]
}

/**
 * The Petri net of jobs and folders (W. van der Aalst, "The application of Petri nets to workflow management", 1998; read and reset arcs
 * as in the literature on extended nets):
 * - a place for each condition of the run's own day; a wait for another day has a place of its own, which holds a token from the start
 *   (that day's run is taken to have gone well);
 * - a place `ordered …` with one token for each job and folder, so that it runs once; only a cyclic job puts it back;
 * - a transition for each job, or one for each alternative of its in-conditions;
 * - an in-condition that the job deletes itself is consumed, any other only read; out-conditions produce, deletions of what it does not
 *   wait for clear;
 * - a folder with conditions of its own starts in a transition too, and all within it reads its place `started …`. Its out-conditions
 *   come with its start: whether each job within runs on a day is a matter of calendars, which the net does not know.
 *
 * Time windows, calendars, resources and confirmations are no part of it.
 */
export function petriNetOf(steps: readonly Step[]): PetriNet {
  const net: PetriNet = { places: new Map(), transitions: [] }
  const gates = new Map(steps.filter(isGate).map((s) => [s.id, s]))
  const folders = new Map(steps.map((s) => [s.id, s.folder]))
  for (const step of steps) if (step.kind === 'job' || gates.has(step.id)) addStep(net, step, gateAround(step, folders, gates))
  return net
}

const isGate = ({ kind, alternatives, sets }: Step): boolean =>
  kind === 'folder' && (sets.length > 0 || alternatives.some((a) => a.length > 0))

function gateAround(step: Step, folders: ReadonlyMap<string, string | null>, gates: ReadonlyMap<string, Step>): Step | undefined {
  const seen = new Set<string>()
  for (let at = step.folder; at !== null && !seen.has(at); at = folders.get(at) ?? null) {
    const gate = gates.get(at)
    if (gate) return gate
    seen.add(at)
  }
  return undefined
}

function addStep(net: PetriNet, step: Step, gate: Step | undefined): void {
  const ordered = addPlace(net, { ...own('ordered', step), tokens: 1 })
  const common: Arc[] = [{ place: ordered, kind: step.isCyclic ? 'read' : 'consume' }]
  if (gate) common.push({ place: addPlace(net, own('started', gate)), kind: 'read' })
  const started: Arc[] = step.kind === 'folder' ? [{ place: addPlace(net, own('started', step)), kind: 'produce' }] : []
  for (const alternative of step.alternatives) {
    const inputs = alternative.map((waited): Arc => {
      const place = addPlace(net, conditionPlace(waited))
      return { place, kind: step.sets.some((s) => s.on === '' && deletes(s, waited)) ? 'consume' : 'read' }
    })
    const taken = new Set(inputs.filter((i) => i.kind === 'consume').map((i) => i.place))
    const outputs = step.sets.flatMap((s) => outputOf(net, s, taken))
    const key = `${step.kind}:${step.path}${step.alternatives.length > 1 ? `#${contentHash(alternative).slice(0, 8)}` : ''}`
    net.transitions.push({ key, name: step.name, step: step.id, inputs: [...common, ...inputs], outputs: [...started, ...outputs] })
  }
}

function outputOf(net: PetriNet, set: ConditionSet, taken: ReadonlySet<string>): Arc[] {
  const on = set.on === '' ? {} : { on: set.on }
  // what is set for another day is there when that day comes: it lies in the place of the day's own run
  const [odate, day] = set.sign === '+' && !isSameDay(set.odate) ? [{ odate: set.odate }, 'run-date'] : [{}, set.odate]
  const place = conditionPlace({ condition: set.condition, odate: day })
  if (set.sign === '-' && set.on === '' && taken.has(place.key)) return []
  return [{ place: addPlace(net, place), kind: set.sign === '+' ? 'produce' : 'clear', ...on, ...odate }]
}

const deletes = (set: ConditionSet, waited: Waited): boolean =>
  set.sign === '-' &&
  set.condition === waited.condition &&
  (set.odate === 'any' || set.odate === waited.odate || (isSameDay(set.odate) && isSameDay(waited.odate)))

function addPlace(net: PetriNet, place: Place): string {
  if (!net.places.has(place.key)) net.places.set(place.key, place)
  return place.key
}

const own = (role: 'ordered' | 'started', { kind, path, name, id }: Step): Place => ({
  key: `${role} ${kind}:${path}`,
  name: `${role} ${name}`,
  role,
  tokens: 0,
  step: id,
})

/** The place of a condition: one for its own day (whatever the date is called), one for each other day. */
export function conditionPlace(waited: Waited): Place {
  const { condition, odate } = waited
  const role = 'condition'
  if (isSameDay(odate))
    return { key: `condition:${condition}`, name: condition, role, tokens: 0, condition: { condition, odate: 'run-date' } }
  return { key: `condition ${waitedKey(waited)}`, name: condition, role, tokens: 1, condition: { condition, odate } }
}
