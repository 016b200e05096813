import type { CatalogEdge, CatalogNode } from '../vocabulary.js'

/** place -> transition -> place: a condition that one job waits for and that another (or the same) one sets. */
export interface WorkflowStep {
  place: string
  transition: string
  next: string
}

export interface WorkflowPatterns {
  jobs: number
  conditions: number
  /** jobs that depend on another, each pair once */
  dependencies: number
  /** by id, at most 200; `stepCount` is how many there are */
  steps: WorkflowStep[]
  stepCount: number
  /** jobs of the longest chain, the first to run first; [] where nothing depends on anything */
  longestChain: string[]
  /** jobs that lie on a cycle or behind one: they have no place in a chain; at most 200 */
  cyclic: string[]
  cyclicCount: number
  /** how many jobs wait for how many (fan-in), and are waited for by how many (fan-out) */
  fanIn: Record<string, number>
  fanOut: Record<string, number>
  /** the ten with the most of either */
  widest: { job: string; fanIn: number; fanOut: number }[]
}

const mostSteps = 200
const add = (map: Map<string, Set<string>>, key: string, value: string) => {
  const set = map.get(key)
  if (set) set.add(value)
  else map.set(key, new Set([value]))
}

/** Learns how jobs follow each other, from the facts that hold at one moment. The order of nodes and edges does not matter. */
export function learnWorkflows(nodes: readonly CatalogNode[], edges: readonly CatalogEdge[]): WorkflowPatterns {
  const jobs = nodes
    .filter((node) => node.kind === 'ControlMJob')
    .map((node) => node.id)
    .sort()
  const conditions = new Set(nodes.filter((node) => node.kind === 'ControlMCondition').map((node) => node.id))
  const known = new Set(jobs)
  const waitsFor = new Map<string, Set<string>>()
  const waitedBy = new Map<string, Set<string>>()
  const inputs = new Map<string, Set<string>>()
  const outputs = new Map<string, Set<string>>()
  for (const { sourceId, label, targetId } of edges) {
    if (label === 'DEPENDS_ON' && known.has(sourceId) && known.has(targetId)) {
      add(waitsFor, sourceId, targetId)
      add(waitedBy, targetId, sourceId)
    } else if (label === 'BLOCKS' && conditions.has(sourceId) && known.has(targetId)) add(inputs, targetId, sourceId)
    else if (label === 'RELEASES' && known.has(sourceId) && conditions.has(targetId)) add(outputs, sourceId, targetId)
  }
  const steps = jobs.flatMap((transition) =>
    [...(inputs.get(transition) ?? [])]
      .sort()
      .flatMap((place) => [...(outputs.get(transition) ?? [])].sort().map((next) => ({ place, transition, next }))),
  )
  const degree = (map: Map<string, Set<string>>, job: string) => map.get(job)?.size ?? 0
  const widest = jobs
    .map((job) => ({ job, fanIn: degree(waitsFor, job), fanOut: degree(waitedBy, job) }))
    .filter((row) => row.fanIn + row.fanOut > 0)
  return {
    ...{ jobs: jobs.length, conditions: conditions.size },
    dependencies: [...waitsFor.values()].reduce((sum, set) => sum + set.size, 0),
    ...{ steps: steps.slice(0, mostSteps), stepCount: steps.length },
    ...longestChain(jobs, waitsFor, waitedBy),
    fanIn: histogram(jobs.map((job) => degree(waitsFor, job))),
    fanOut: histogram(jobs.map((job) => degree(waitedBy, job))),
    widest: widest.sort((a, b) => b.fanIn + b.fanOut - a.fanIn - a.fanOut || (a.job < b.job ? -1 : 1)).slice(0, 10),
  }
}

function histogram(values: readonly number[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const value of values) counts[value] = (counts[value] ?? 0) + 1
  return counts
}

/** Longest path of a directed acyclic graph in topological order (Kahn 1962); what a cycle holds back is told apart. */
function longestChain(jobs: readonly string[], waitsFor: Map<string, Set<string>>, waitedBy: Map<string, Set<string>>) {
  const open = new Map(jobs.map((job) => [job, waitsFor.get(job)?.size ?? 0]))
  const length = new Map<string, number>()
  const before = new Map<string, string>()
  const ready = jobs.filter((job) => open.get(job) === 0)
  for (let next = 0; next < ready.length; next++) {
    const job = ready[next]!
    const here = length.get(job) ?? 1
    length.set(job, here)
    for (const after of [...(waitedBy.get(job) ?? [])].sort()) {
      const known = length.get(after) ?? 0
      if (here + 1 > known || (here + 1 === known && job < before.get(after)!)) {
        length.set(after, here + 1)
        before.set(after, job)
      }
      open.set(after, open.get(after)! - 1)
      if (open.get(after) === 0) ready.push(after)
    }
  }
  const last = [...ready].sort((a, b) => length.get(b)! - length.get(a)! || (a < b ? -1 : 1))[0]
  const chain: string[] = []
  for (let job = last; job !== undefined; job = before.get(job)) chain.unshift(job)
  const cyclic = jobs.filter((job) => open.get(job)! > 0)
  return { longestChain: chain.length > 1 ? chain : [], cyclic: cyclic.slice(0, mostSteps), cyclicCount: cyclic.length }
}
