import type { CatalogEdge } from '../../vocabulary.js'
import type { EstateIndex } from '../links/estate.js'
import { linkEvidence } from './evidence.js'
import { isKey, linksItself, nameFit, namesakesLink, namesOwner, sameOwner, sameSort, sum } from './rules.js'
import type { LinkTask } from './task.js'

const references = ['REFERENCES'] as const

/** The name of the constraint that an edge was read from, where the source gave one. */
export function constraintOf(edge: CatalogEdge): string {
  const name = edge.properties['constraint'] ?? edge.properties['constraint_name']
  return typeof name === 'string' && name !== '' ? name : edge.discriminator
}

/**
 * The edges that would give a foreign key of `sourceId` away: every key from and to this column (not only the mirror of the one asked for:
 * a gap that only the answer has would tell it), the other column pairs of the same (composite) constraints, and the tables' own edges of
 * them. What is known of other keys stays visible.
 */
export function hiddenReferences(index: EstateIndex, sourceId: string): Set<CatalogEdge> {
  const incident = index.incident(sourceId, references)
  const hidden = new Set<CatalogEdge>(incident)
  for (const edge of incident) hideConstraint(index, edge, hidden)
  return hidden
}

function hideConstraint(index: EstateIndex, edge: CatalogEdge, hidden: Set<CatalogEdge>): void {
  const [from, to] = [index.ownerOf(edge.sourceId)?.id, index.ownerOf(edge.targetId)?.id]
  if (from === undefined || to === undefined) return
  const between = referencesBetween(index, from, to)
  const constraint = constraintOf(edge)
  const siblings = constraint === '' ? [edge] : between.columns.filter((e) => constraintOf(e) === constraint)
  for (const sibling of siblings) hidden.add(sibling)
  // A table edge that names no constraint of its own stands for all of them: it goes with the last one that is visible.
  const others = between.columns.some((e) => !hidden.has(e))
  for (const e of between.tables) if (!others || (constraint !== '' && constraintOf(e) === constraint)) hidden.add(e)
}

function referencesBetween(index: EstateIndex, from: string, to: string): { columns: CatalogEdge[]; tables: CatalogEdge[] } {
  const columns = index
    .partsOf(from)
    .flatMap((c) => index.incident(c.id, references))
    .filter((e) => index.ownerOf(e.sourceId)?.id === from && index.ownerOf(e.targetId)?.id === to)
  const tables = index
    .incident(from, references)
    .filter((e) => (e.sourceId === from && e.targetId === to) || (e.sourceId === to && e.targetId === from))
  return { columns, tables }
}

/** Which column does this column reference? */
export const foreignKey: LinkTask = {
  name: 'foreign-key',
  component: 'ranker',
  description: 'which column does this column reference?',
  label: 'REFERENCES',
  kinds: () => ['Column'],
  walked: ['HAS_COLUMN', 'REFERENCES', 'DATA_FLOW'],
  unknown: references,
  knownByDefault: 'others',
  grade: () => 1,
  hidden: hiddenReferences,
  rule: sum(
    [1, nameFit],
    [0.5, namesOwner],
    [0.5, sameSort],
    [0.5, isKey],
    [-0.5, sameOwner],
    [-0.5, linksItself('REFERENCES')],
    [0.5, namesakesLink('REFERENCES')],
  ),
  evidence: linkEvidence('REFERENCES'),
  remedy: 'Ingest DDL that declares foreign keys (ALTER TABLE … ADD CONSTRAINT … FOREIGN KEY), or name other projects.',
}
