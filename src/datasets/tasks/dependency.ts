import type { CatalogEdge } from '../../vocabulary.js'
import type { EstateIndex } from '../links/estate.js'
import { linkEvidence, sharedEnds } from './evidence.js'
import { nameFit, sameOwner, sameSort, sum } from './rules.js'
import type { LinkTask } from './task.js'

const conditionEdges = ['BLOCKS', 'RELEASES', 'CLEARS'] as const

/**
 * The edges that would give a dependency of a job away: every dependency from and to it, the conditions it waits for and those it sets,
 * since a DEPENDS_ON is nothing but a condition that one job sets and another waits for. A condition that nobody else waits for goes
 * whole: set by one job and missed by none, it would point to the answer. Petri nets, which say the same once more, are no part of
 * candidate graphs.
 */
export function hiddenDependencies(index: EstateIndex, sourceId: string): Set<CatalogEdge> {
  const hidden = new Set<CatalogEdge>()
  for (const edge of index.incident(sourceId, ['DEPENDS_ON', ...conditionEdges])) {
    hidden.add(edge)
    if (edge.label === 'BLOCKS') for (const e of hiddenOf(index, edge)) hidden.add(e)
  }
  return hidden
}

function hiddenOf(index: EstateIndex, wait: CatalogEdge): readonly CatalogEdge[] {
  const all = index.incident(wait.sourceId, conditionEdges)
  return all.some((e) => e.label === 'BLOCKS' && e.targetId !== wait.targetId) ? [wait] : all
}

const readsItsOutput = sharedEnds('reads-what-it-writes', 'READS', 'WRITES')

/** Which job does this job wait for? */
export const dependency: LinkTask = {
  name: 'dependency',
  component: 'dependency-ranker',
  description: 'which job does this job wait for?',
  label: 'DEPENDS_ON',
  kinds: () => ['ControlMJob', 'ControlMFolder'],
  walked: ['CONTAINS', 'DEPENDS_ON', 'BLOCKS', 'RELEASES', 'READS', 'WRITES', 'SCHEDULES', 'REQUIRES'],
  unknown: ['DEPENDS_ON', ...conditionEdges],
  knownByDefault: 'none',
  grade: () => 1,
  hidden: hiddenDependencies,
  // a job waits for what makes its input, mostly of its own folder
  rule: sum([1, nameFit], [0.5, sameSort], [0.5, sameOwner], [1, readsItsOutput.of]),
  evidence: [
    ...linkEvidence('DEPENDS_ON'),
    readsItsOutput,
    sharedEnds('writes-what-it-reads', 'WRITES', 'READS'),
    sharedEnds('reads-the-same', 'READS', 'READS'),
  ],
  remedy: 'Ingest Control-M definitions whose jobs set and wait for conditions, or name other projects.',
}
