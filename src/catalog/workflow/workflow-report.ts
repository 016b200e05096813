import { petriNetOf } from './petri-net.js'
import { type Explanation, explainDead, type Hold, relaxedReachability } from './petri-reachability.js'
import { isSameDay, type Step, waitsOf } from './workflow.js'
import { type Order, planOrder } from './workflow-order.js'

/**
 * Why a job can never start: it waits for a condition that nothing sets; or only for jobs (or its folder) that can't start for such a
 * reason; or it is in a ring whose members all wait for each other; or behind one.
 */
export const deathReasons = ['condition-never-set', 'behind-dead-job', 'deadlock', 'behind-deadlock'] as const
export type DeathReason = (typeof deathReasons)[number]

/** One link: `id` waits for `condition` (null: for its folder to start), which only `setBy` and others as dead would set (null: nothing). */
export interface ChainLink {
  id: string
  condition: string | null
  odate: string | null
  setBy: string | null
}

export interface DeadJob {
  /** of a job, or of a folder with conditions */
  id: string
  name: string
  kind: 'job' | 'folder'
  reason: DeathReason
  /** names of conditions it waits for that can never be there; none where only its folder holds it back */
  missing: string[]
  /** the condition that nothing sets, at the root of it all; null where a ring is */
  root: string | null
  /** the shortest way to the root of the matter, itself first; its first 50 links */
  chain: ChainLink[]
  isChainPartial: boolean
}

export interface ConditionUse {
  name: string
  /** ids of jobs and folders: who sets it, or who waits for it */
  steps: string[]
  /** of one waited for: only as set on another day, which holds nothing up here */
  isOtherDay: boolean
}

export interface Cycle {
  /** ids */
  steps: string[]
  /** over which they wait for each other */
  conditions: string[]
  /** none of them can ever start; else an OR, or a condition from outside, opens the ring */
  isDeadlock: boolean
}

export interface WorkflowReport {
  jobs: number
  conditions: number
  deadJobs: DeadJob[]
  /** set, and waited for by nobody */
  unconsumedConditions: ConditionUse[]
  /** waited for, and set by nothing */
  danglingConditions: ConditionUse[]
  cycles: Cycle[]
  /** every job that is not among the dead can start, in some order of events; else one may still starve another */
  isExact: boolean
  /** a list was cut at the limit */
  isPartial: boolean
}

export interface WorkflowOptions {
  /** names of conditions that come from outside (other systems, people): taken as set */
  given?: readonly string[]
  /** items of each list at most (default 1,000) */
  limit?: number
}

/**
 * What the conditions of jobs and folders say about their order: who can never start and why, what is set for nobody and waited for in
 * vain, and rings. Whoever is called dead can't start whatever happens (petri-reachability.ts); conditions of another day are taken as set.
 */
export function workflowReport(steps: readonly Step[], { given = [], limit = 1_000 }: WorkflowOptions = {}): WorkflowReport {
  const net = petriNetOf(steps)
  const reach = relaxedReachability(net, placesOf(net, new Set(given)))
  const order = planOrder(steps, reach)
  const explain = explainDead(net, reach)
  const ringOf = new Map(order.cycles.filter((c) => c.every((s) => order.stuck.has(s))).flatMap((c) => c.map((s) => [s.id, c] as const)))
  const dead = [...order.stuck].slice(0, limit).map(([step, missing]) => deadJob(step, missing, explain(step.id), ringOf.has(step.id)))
  const waited = usesOf(steps, (step) => waitsOf(step))
  const set = usesOf(steps, (step) => step.sets.filter((s) => s.sign === '+'))
  const dangling = [...waited].filter(([name]) => !set.has(name) && !given.includes(name))
  const unconsumed = [...set].filter(([name]) => !waited.has(name))
  const lists = [order.stuck.size, dangling.length, unconsumed.length, order.cycles.length]
  return {
    jobs: steps.filter((s) => s.kind === 'job').length,
    conditions: new Set([...waited.keys(), ...set.keys()]).size,
    deadJobs: dead,
    unconsumedConditions: unconsumed.slice(0, limit).map(([, use]) => ({ ...use, isOtherDay: false })),
    danglingConditions: dangling.slice(0, limit).map(([, use]) => use),
    cycles: cyclesOf(order).slice(0, limit),
    isExact: reach.isExact && steps.every((s) => s.isExact),
    isPartial: lists.some((length) => length > limit),
  }
}

/** Keys of the places of conditions by name, whatever their day. */
const placesOf = (net: ReturnType<typeof petriNetOf>, names: ReadonlySet<string>): string[] =>
  names.size === 0 ? [] : [...net.places.values()].filter((p) => p.condition && names.has(p.condition.condition)).map((p) => p.key)

function deadJob({ id, name, kind }: Step, missing: string[], { chain, root, isChainPartial }: Explanation, isInRing: boolean): DeadJob {
  const reason = root ? (chain.length === 1 ? 'condition-never-set' : 'behind-dead-job') : isInRing ? 'deadlock' : 'behind-deadlock'
  return {
    id,
    name,
    kind,
    reason,
    missing: [...new Set(missing)],
    root: root?.condition?.condition ?? null,
    chain: chain.map(linkOf),
    isChainPartial,
  }
}

const linkOf = ({ step, place, filledBy }: Hold): ChainLink => ({
  id: step,
  condition: place.condition?.condition ?? null,
  odate: place.condition?.odate ?? null,
  setBy: filledBy,
})

function usesOf(steps: readonly Step[], of: (step: Step) => readonly { condition: string; odate: string }[]): Map<string, ConditionUse> {
  const uses = new Map<string, ConditionUse>()
  for (const step of steps)
    for (const { condition, odate } of of(step)) {
      const use = uses.get(condition) ?? { name: condition, steps: [], isOtherDay: true }
      if (use.steps.at(-1) !== step.id) use.steps.push(step.id)
      use.isOtherDay &&= !isSameDay(odate)
      uses.set(condition, use)
    }
  return uses
}

function cyclesOf({ cycles, dependencies, stuck }: Order<Step>): Cycle[] {
  const ring = new Map(cycles.flatMap((members, i) => members.map((m) => [m, i] as const)))
  const conditions = cycles.map(() => new Set<string>())
  for (const { from, to, conditions: names, crossDay } of dependencies) {
    const at = ring.get(from)
    if (at !== undefined && !crossDay && ring.get(to) === at) for (const name of names) conditions[at]!.add(name)
  }
  return cycles.map((members, i) => ({
    steps: members.map((m) => m.id),
    conditions: [...conditions[i]!].sort(),
    isDeadlock: members.every((m) => stuck.has(m)),
  }))
}
