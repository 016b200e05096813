import { conditionPlace, petriNetOf } from './petri-net.js'
import { type Reachability, relaxedReachability } from './petri-reachability.js'
import { isSameDay, type Step, waitsOf } from './workflow.js'

/** Who waits for whom: `from` cannot start before `to` has set one of the conditions. */
export interface Dependency<S> {
  from: S
  to: S
  conditions: string[]
  /** only over conditions of another day */
  crossDay: boolean
}

/** Everything about the order of jobs that follows from their conditions. */
export interface Order<S> {
  dependencies: Dependency<S>[]
  /** conditions that something here sets */
  produced: ReadonlySet<string>
  /** conditions that are waited for and that nothing here sets -> who waits */
  dangling: Map<string, S[]>
  /** groups that wait for each other in a ring within one day */
  cycles: S[][]
  /** those that can never start, whatever runs -> the conditions that keep them (none where only their folder does) */
  stuck: Map<S, string[]>
}

/** DEPENDS_ON, dangling conditions, cycles and what is never released, from the conditions of jobs and folders alone. */
export function planOrder<S extends Step>(steps: readonly S[], reach: Reachability = relaxedReachability(petriNetOf(steps))): Order<S> {
  const producers = producersOf(steps)
  const dependencies = steps.flatMap((step) => dependenciesOf(step, producers))
  return {
    dependencies,
    produced: new Set(producers.keys()),
    dangling: findDangling(steps, producers),
    cycles: findCycles(steps, dependencies),
    stuck: findStuck(steps, reach),
  }
}

type Producers<S> = ReadonlyMap<string, ReadonlySet<S>>

function producersOf<S extends Step>(steps: readonly S[]): Producers<S> {
  const producers = new Map<string, Set<S>>()
  for (const step of steps)
    for (const set of step.sets)
      if (set.sign === '+') {
        const before = producers.get(set.condition)
        if (before) before.add(step)
        else producers.set(set.condition, new Set([step]))
      }
  return producers
}

function dependenciesOf<S extends Step>(step: S, producers: Producers<S>): Dependency<S>[] {
  const found = new Map<S, { conditions: Set<string>; crossDay: boolean }>()
  for (const wait of waitsOf(step))
    for (const producer of producers.get(wait.condition) ?? []) {
      if (producer === step) continue
      const entry = found.get(producer) ?? { conditions: new Set(), crossDay: true }
      entry.conditions.add(wait.condition)
      entry.crossDay &&= !isSameDay(wait.odate)
      found.set(producer, entry)
    }
  return [...found].map(([to, { conditions, crossDay }]) => ({ from: step, to, conditions: [...conditions].sort(), crossDay }))
}

function findDangling<S extends Step>(steps: readonly S[], producers: Producers<S>): Map<string, S[]> {
  const dangling = new Map<string, S[]>()
  for (const step of steps)
    for (const condition of new Set(waitsOf(step).map((w) => w.condition)))
      if (!producers.has(condition)) {
        const before = dangling.get(condition)
        if (before) before.push(step)
        else dangling.set(condition, [step])
      }
  return dangling
}

/** Strongly connected components of more than one member (Tarjan 1972, with a stack of our own: chains can be long). */
function findCycles<S extends Step>(steps: readonly S[], dependencies: readonly Dependency<S>[]): S[][] {
  const next = new Map<S, S[]>(steps.map((s) => [s, []]))
  for (const d of dependencies) if (!d.crossDay) next.get(d.from)!.push(d.to)
  const place = new Map(steps.map((s, i) => [s, i]))
  const index = new Map<S, number>()
  const low = new Map<S, number>()
  const path: S[] = []
  const onPath = new Set<S>()
  const cycles: S[][] = []
  for (const root of steps) {
    if (index.has(root)) continue
    const work: { at: S; child: number }[] = [{ at: root, child: 0 }]
    while (work.length > 0) {
      const frame = work.at(-1)!
      const { at } = frame
      if (frame.child === 0) {
        index.set(at, index.size)
        low.set(at, index.get(at)!)
        path.push(at)
        onPath.add(at)
      }
      const to = next.get(at)![frame.child++]
      if (to) {
        if (!index.has(to)) work.push({ at: to, child: 0 })
        else if (onPath.has(to)) low.set(at, Math.min(low.get(at)!, index.get(to)!))
        continue
      }
      work.pop()
      const parent = work.at(-1)?.at
      if (parent) low.set(parent, Math.min(low.get(parent)!, low.get(at)!))
      if (low.get(at) !== index.get(at)) continue
      const members = path.splice(path.lastIndexOf(at))
      for (const member of members) onPath.delete(member)
      if (members.length > 1) cycles.push(members.sort((a, b) => place.get(a)! - place.get(b)!))
    }
  }
  return cycles
}

/** What can't fire in the net of these steps alone; conditions of another day are taken as given, those that nothing here sets are not. */
function findStuck<S extends Step>(steps: readonly S[], { marked, enabled }: Reachability): Map<S, string[]> {
  const starting = new Set([...enabled].map((t) => t.step))
  const isStuck = (step: S) => !starting.has(step.id) && (step.kind === 'job' || step.sets.length > 0 || waitsOf(step).length > 0)
  const lacking = (step: S) =>
    waitsOf(step)
      .filter((w) => !marked.has(conditionPlace(w).key))
      .map((w) => w.condition)
  return new Map(steps.filter(isStuck).map((step) => [step, lacking(step)]))
}
