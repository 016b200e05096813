import type { CatalogNode } from '../../vocabulary.js'
import { tasks } from '../tasks/index.js'
import { knownTo } from './candidate-graph.js'
import { type Estate, type EstateIndex, indexEstate } from './estate.js'
import { best } from './negatives.js'
import { type FeatureSpec, parseFeatureSpec } from './spec.js'

export interface CandidateTargetOptions {
  /** nodes at most (default 64) */
  limit?: number
  /** also those that the catalog already knows to be linked (default false: only new links are asked for) */
  includeKnown?: boolean
}

/**
 * The nodes worth ranking as targets of `sourceId` when no list is given: for foreign keys those of its own group and of the groups that
 * it is known to reference, for flows and dependencies, which cross groups freely, those of its project; best first by the task's rule of thumb. A recall step: it decides what is asked,
 * not the answer.
 */
export function candidateTargets(
  estate: Estate,
  sourceId: string,
  { limit = 64, includeKnown = false }: CandidateTargetOptions = {},
  spec: FeatureSpec = parseFeatureSpec({}),
): string[] {
  const index = indexEstate(estate)
  const query = index.node(sourceId)
  const { label, kinds, rule } = tasks[spec.task]
  if (!query || !kinds(spec.level).includes(query.kind)) return []
  const links = index.incident(sourceId, [label]).filter((e) => e.sourceId === sourceId)
  const known = new Set(links.map((e) => e.targetId))
  const pool = poolOf(index, sourceId, spec).filter(({ id }) => id !== sourceId && (includeKnown || !known.has(id)))
  const view = knownTo(index, sourceId, spec)
  return best(pool, limit, (node) => rule(query, node, view)).map(({ id }) => id)
}

function poolOf(index: EstateIndex, sourceId: string, { task, level, group: by }: FeatureSpec): readonly CatalogNode[] {
  const { label, kinds, name } = tasks[task]
  if (name !== 'foreign-key') return index.membersOf(index.groupOf(sourceId, 'project'), 'project', kinds(level))
  const own = index.groupOf(sourceId, by)
  const groups = new Set([own])
  for (const { id } of index.membersOf(own, by, kinds(level)))
    for (const edge of index.incident(id, [label])) if (edge.sourceId === id) groups.add(index.groupOf(edge.targetId, by))
  return [...groups].flatMap((group) => index.membersOf(group, by, kinds(level)))
}
