import type { CatalogEdge } from '../../vocabulary.js'
import type { EstateIndex } from '../links/estate.js'
import { linkEvidence } from './evidence.js'
import { nameFit, namesakesLink, ownersAlike, sameName, sameOwner, sameSort, sum } from './rules.js'
import { type LinkTask, otherEnd } from './task.js'

const flows = ['DATA_FLOW'] as const

/** A table with its columns; a column stands for its table. */
function relationOf(index: EstateIndex, id: string): { id: string; ids: Set<string> } {
  const relation = index.node(id)?.kind === 'Column' ? (index.ownerOf(id)?.id ?? id) : id
  return { id: relation, ids: new Set([relation, id, ...index.partsOf(relation).map((part) => part.id)]) }
}

/**
 * The edges that would give a flow out of `sourceId` away: a statement tells of all its flows at once, so every flow between this table and
 * each table that it flows into goes, both ways, of columns and of the tables themselves. Queries and jobs that read the one and write the
 * other are no part of candidate graphs at all.
 */
export function hiddenFlows(index: EstateIndex, sourceId: string): Set<CatalogEdge> {
  const own = relationOf(index, sourceId)
  const ends = index
    .incident(sourceId, flows)
    .filter((e) => e.sourceId === sourceId)
    .map((e) => e.targetId)
  const others = new Set(ends.flatMap((id) => [...relationOf(index, id).ids]))
  const hidden = new Set<CatalogEdge>()
  for (const id of own.ids) for (const edge of index.incident(id, flows)) if (others.has(otherEnd(edge, id))) hidden.add(edge)
  return hidden
}

/** Where does the data of this column (or table) flow? */
export const lineage: LinkTask = {
  name: 'lineage',
  component: 'lineage-ranker',
  description: 'which column (or table) does the data of this one flow into?',
  label: 'DATA_FLOW',
  kinds: (level) => (level === 'column' ? ['Column'] : ['Table', 'View']),
  walked: ['HAS_COLUMN', 'REFERENCES', 'DATA_FLOW'],
  unknown: flows,
  knownByDefault: 'none',
  // what only steers a value (a filter, a join) is less than what becomes it
  grade: (edge) => (edge.properties['indirect'] === true ? 0.5 : 1),
  hidden: hiddenFlows,
  // data keeps its name and type on its way, and leaves its table
  rule: sum([1, nameFit], [0.5, sameName], [0.5, sameSort], [0.5, ownersAlike], [-0.5, sameOwner], [0.5, namesakesLink('DATA_FLOW')]),
  evidence: linkEvidence('DATA_FLOW'),
  remedy: 'Ingest views, CREATE TABLE AS or INSERT … SELECT statements beside the DDL of what they read, or name other projects.',
}
