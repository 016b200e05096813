import { type Holder, isSameDay, type Wait } from './control-m.js'

/** Who waits for whom: `from` cannot start before `to` has set one of the conditions. */
export interface Dependency {
  from: Holder
  to: Holder
  conditions: string[]
  /** only over conditions of another day */
  crossDay: boolean
}

/** Everything about the order of jobs that follows from their conditions. */
export interface Order {
  dependencies: Dependency[]
  /** conditions that are waited for and that nothing here sets -> who waits */
  dangling: Map<string, Holder[]>
  /** groups that wait for each other in a ring within one day */
  cycles: Holder[][]
  /** those that can never start, whatever runs -> the conditions that keep them */
  stuck: Map<Holder, string[]>
}

/** DEPENDS_ON, dangling conditions, cycles and what is never released, from the conditions of jobs and folders alone. */
export function planOrder(holders: readonly Holder[]): Order {
  const producers = new Map<string, Set<Holder>>()
  for (const holder of holders)
    for (const set of holder.sets)
      if (set.sign === '+') producers.set(set.condition, (producers.get(set.condition) ?? new Set()).add(holder))
  const dependencies = holders.flatMap((holder) => dependenciesOf(holder, producers))
  return {
    dependencies,
    dangling: findDangling(holders, producers),
    cycles: findCycles(holders, dependencies),
    stuck: findStuck(holders, producers),
  }
}

type Producers = ReadonlyMap<string, ReadonlySet<Holder>>

function dependenciesOf(holder: Holder, producers: Producers): Dependency[] {
  const found = new Map<Holder, { conditions: Set<string>; crossDay: boolean }>()
  for (const wait of holder.waits)
    for (const producer of producers.get(wait.condition) ?? []) {
      if (producer === holder) continue
      const entry = found.get(producer) ?? { conditions: new Set(), crossDay: true }
      entry.conditions.add(wait.condition)
      entry.crossDay &&= !isSameDay(wait.odate)
      found.set(producer, entry)
    }
  return [...found].map(([to, { conditions, crossDay }]) => ({ from: holder, to, conditions: [...conditions].sort(), crossDay }))
}

function findDangling(holders: readonly Holder[], producers: Producers): Map<string, Holder[]> {
  const dangling = new Map<string, Holder[]>()
  for (const holder of holders)
    for (const condition of new Set(holder.waits.map((w) => w.condition)))
      if (!producers.has(condition)) dangling.set(condition, [...(dangling.get(condition) ?? []), holder])
  return dangling
}

/** Strongly connected components of more than one member (Tarjan 1972, with a stack of our own: chains can be long). */
function findCycles(holders: readonly Holder[], dependencies: readonly Dependency[]): Holder[][] {
  const next = new Map<Holder, Holder[]>(holders.map((h) => [h, []]))
  for (const d of dependencies) if (!d.crossDay) next.get(d.from)!.push(d.to)
  const place = new Map(holders.map((h, i) => [h, i]))
  const index = new Map<Holder, number>()
  const low = new Map<Holder, number>()
  const path: Holder[] = []
  const onPath = new Set<Holder>()
  const cycles: Holder[][] = []
  for (const root of holders) {
    if (index.has(root)) continue
    const work: { at: Holder; child: number }[] = [{ at: root, child: 0 }]
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

/**
 * Least fixpoint: what waits for nothing starts; what waits starts when its conditions are set by something that starts (all of them, or
 * one where any is an "or"). Conditions of another day are taken as given; those that nothing here sets are not.
 */
function findStuck(holders: readonly Holder[], producers: Producers): Map<Holder, string[]> {
  const given = new Set<string>()
  const isGiven = (wait: Wait) => !isSameDay(wait.odate) || given.has(wait.condition)
  const waiting = new Set(holders)
  const waitingFor = new Map<string, Holder[]>()
  for (const holder of holders)
    for (const { condition } of holder.waits) waitingFor.set(condition, [...(waitingFor.get(condition) ?? []), holder])
  const queue = [...holders]
  for (let holder = queue.pop(); holder; holder = queue.pop()) {
    const { waits } = holder
    if (!waiting.has(holder) || !(waits.some((w) => w.andOr === 'or') ? waits.some(isGiven) : waits.every(isGiven))) continue
    waiting.delete(holder)
    for (const { condition, sign } of holder.sets) {
      if (sign === '-' || given.has(condition) || !producers.has(condition)) continue
      given.add(condition)
      queue.push(...(waitingFor.get(condition) ?? []))
    }
  }
  return new Map([...waiting].map((h) => [h, h.waits.filter((w) => !isGiven(w)).map((w) => w.condition)]))
}
