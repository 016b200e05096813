import { contentHash } from '../../util/hash.js'
import type { EdgeFact, Fact } from '../fact.js'
import { kindSlugs } from '../identity.js'
import type { FactStream } from '../ledger/staging-store.js'
import { candidatesOf, openTargetOf, unresolvedOf } from '../resolve/resolve.js'
import { partsOfId, type Scope } from '../resolve/scope.js'

type Place = Pick<Scope, 'projectId' | 'systemId'>

/** In the place of an open end: an id that no node ever has, one for each thing that is looked for. */
const openEndId = ({ projectId, systemId }: Place, mark: object): string =>
  `${projectId}/${systemId}/${kindSlugs.Column}:?${contentHash(mark).slice(0, 32)}`

export const isOpenEnd = (id: string): boolean => /\/column:\?[0-9a-f]{32}$/.test(id)

/**
 * The statement of an edge with open ends as the ledger keeps it: an edge to ids that do not exist, so that nobody is shown it, with
 * its marks. What the ends are is derived from the histories (derive.ts), so that it does not matter what is known when it comes.
 */
export function keepOpen(fact: Fact, place: Place): Fact {
  if (fact.fact !== 'edge' || (fact.sourceId !== '' && fact.targetId !== '')) return fact
  const [mark, target] = [unresolvedOf(fact), openTargetOf(fact)]
  const endFor = (found: object | null) => (found ? openEndId(place, found) : '')
  return {
    ...fact,
    sourceId: fact.sourceId || endFor(mark),
    targetId: fact.targetId || endFor(target ?? (fact.sourceId === '' ? null : mark)),
  }
}

/** The open ends of one ingest: kept open as its facts stream by. */
export class OpenEnds {
  /** whether there were any */
  any = false
  constructor(private readonly place: Place) {}

  kept(facts: FactStream): FactStream {
    return typeof facts === 'function' ? () => this.each(facts()) : () => this.each(facts)
  }

  private each(facts: Iterable<Fact> | AsyncIterable<Fact>): Iterable<Fact> | AsyncIterable<Fact> {
    return Symbol.iterator in facts ? this.now(facts) : this.later(facts)
  }

  private keep(fact: Fact): Fact {
    const kept = keepOpen(fact, this.place)
    this.any ||= kept !== fact
    return kept
  }

  private *now(facts: Iterable<Fact>): Generator<Fact> {
    for (const fact of facts) yield this.keep(fact)
  }

  private async *later(facts: AsyncIterable<Fact>): AsyncGenerator<Fact> {
    for await (const fact of facts) yield this.keep(fact)
  }
}

/** The statement as its text made it: '' where the ledger keeps an open end. */
export const reopen = (edge: EdgeFact): EdgeFact => ({
  ...edge,
  sourceId: isOpenEnd(edge.sourceId) ? '' : edge.sourceId,
  targetId: isOpenEnd(edge.targetId) ? '' : edge.targetId,
})

/** A table or view, whichever it is: both have their columns' ids by their name. */
export function relationOf(id: string): string | null {
  const parts = partsOfId(id)
  return parts?.systemId ? `${parts.projectId}/${parts.systemId}:${parts.qualifiedName}` : null
}

const withoutLast = /\.(?:`(?:[^`]|``)*`|[^.`]*)$/
/** The table of a column by the column's id alone. */
export function relationOfColumn(id: string): string | null {
  const relation = relationOf(id)
  return relation !== null && withoutLast.test(relation) ? relation.replace(withoutLast, '') : null
}

/** By which names a table may be meant: its qualified name and its last part, lower-case. */
export function tableNames(id: string): string[] {
  const qualified = (partsOfId(id)?.qualifiedName ?? '').toLowerCase()
  return [...new Set([qualified, qualified.slice(qualified.lastIndexOf('.') + 1)])]
}

/** What an open edge hangs on, as `open_end` has it. */
export function needsOf(edge: EdgeFact): string[] {
  const [mark, target] = [unresolvedOf(edge), openTargetOf(edge)]
  const needs = new Set<string>()
  const named = (name: string) => needs.add(`t:${name.toLowerCase()}`)
  if (target) named(target.table_name)
  if (mark && 'table_name' in mark) named(mark.table_name)
  else if (mark && 'star' in mark) {
    for (const id of [...mark.candidates, edge.targetId]) needs.add(`r:${relationOf(id)}`)
    needs.add(`n:${edge.targetId}`)
  } else if (mark) for (const id of candidatesOf(mark)) needs.add(`n:${id}`)
  return [...needs]
}

/** What changes for open edges when a table or view, or a column of it, does; without those that hang on the very id of a node. */
export function needsOfRelation(relation: string): string[] {
  const at = relation.indexOf(':')
  const qualified = relation.slice(at + 1)
  return [`r:${relation}`, ...tableNames(`p/s/table:${qualified}`).map((name) => `t:${name}`)]
}
