import type { CatalogNode, EdgeLabel } from '../../vocabulary.js'
import { editSimilarity } from '../links/names.js'
import { type Evidence, type Known, otherEnd } from './task.js'

/** Links looked at from one node: a target of thousands is known well enough by its first ones. */
const mostLinks = 64

const sourcesOf = (node: CatalogNode, label: EdgeLabel, known: Known): CatalogNode[] =>
  known
    .edges(node.id, [label])
    .filter((e) => e.targetId === node.id)
    .slice(0, mostLinks)
    .map((e) => known.index.node(e.sourceId)!)

/** How much the query is named like those that are known to link to the node: what one spells so, another does too. */
const knownAs = (label: EdgeLabel): Evidence => ({
  name: 'known-as',
  of(query, node, known) {
    const asked = known.index.spelling(query).name
    return Math.max(0, ...sourcesOf(node, label, known).map((source) => editSimilarity(asked, known.index.spelling(source).name)))
  },
})

/** How many of those that are known to link to the node have the query's very name (log). */
const sameNameLinks = (label: EdgeLabel): Evidence => ({
  name: 'same-name-links',
  of(query, node, known) {
    const asked = known.index.spelling(query).name
    return Math.log1p(sourcesOf(node, label, known).filter((source) => known.index.spelling(source).name === asked).length)
  },
})

/** Links known between the parts of two owners, in one direction (log). */
const ownersLinked = (label: EdgeLabel, direction: 'there' | 'back'): Evidence => ({
  name: `owners-linked-${direction}`,
  of(query, node, { index, edges }) {
    const [a, b] = [index.ownerOf(query.id)?.id, index.ownerOf(node.id)?.id]
    if (a === undefined || b === undefined || a === b) return 0
    const [from, to] = direction === 'there' ? [a, b] : [b, a]
    let links = 0
    for (const part of index.partsOf(from))
      for (const e of edges(part.id, [label])) if (e.sourceId === part.id && index.ownerOf(e.targetId)?.id === to) links++
    return Math.log1p(links)
  },
})

/** What links of one kind say about another of that kind. */
export const linkEvidence = (label: EdgeLabel): Evidence[] => [
  knownAs(label),
  sameNameLinks(label),
  ownersLinked(label, 'there'),
  ownersLinked(label, 'back'),
]

/** How many nodes the query touches by one label and the node by another: what a job writes and the next one reads (log). */
export const sharedEnds = (name: string, byQuery: EdgeLabel, byNode: EdgeLabel): Evidence => ({
  name,
  of(query, node, known) {
    if (query.id === node.id) return 0
    const ends = (id: string, label: EdgeLabel) => new Set(known.edges(id, [label]).map((e) => otherEnd(e, id)))
    const own = ends(query.id, byQuery)
    return own.size === 0 ? 0 : Math.log1p([...ends(node.id, byNode)].filter((id) => own.has(id)).length)
  },
})
