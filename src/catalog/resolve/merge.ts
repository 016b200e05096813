import { canonicalJson } from '../../util/hash.js'
import { type Problem, problem } from '../../util/problem.js'
import type { Properties } from '../../vocabulary.js'
import type { FactContent } from '../change.js'

/** One of several statements about the same fact in one ingest. */
export interface Statement {
  content: FactContent
  /** it only adds to what others say */
  isPartial: boolean
  /** where it was read, for the problem */
  place: string
}

export interface Merged {
  content: FactContent
  isPartial: boolean
  problems: Problem[]
}

/**
 * Makes one content of several (in order of reading): all their properties together; where they contradict, the last word counts, as
 * in a script that runs top-down, and a problem tells of it. `id` is only for the problem.
 */
export function mergeStatements(id: string, statements: readonly Statement[]): Merged {
  const properties: Properties = {}
  const saidAt = new Map<string, string>()
  const problems: Problem[] = []
  for (const { content, place } of statements)
    for (const [key, value] of Object.entries(content.properties)) {
      const earlier = saidAt.get(key)
      if (earlier !== undefined && canonicalJson(properties[key]) !== canonicalJson(value))
        problems.push(contradiction(id, key, canonicalJson(properties[key]), canonicalJson(value), earlier, place))
      // as defineProperty would: a key called __proto__ is data
      Object.defineProperty(properties, key, { value, enumerable: true, writable: true, configurable: true })
      saidAt.set(key, place)
    }
  // who defines a thing spells its name; who only mentions it does so where nobody defines it
  const { content: last } = statements.findLast((statement) => !statement.isPartial) ?? statements.at(-1)!
  const isPartial = statements.every((statement) => statement.isPartial)
  return { content: { name: last.name, qualifiedName: last.qualifiedName, properties }, isPartial, problems }
}

/** A partial statement over the state before it: the names and all properties stay that it does not speak of. */
export const overlayContent = (before: FactContent, partial: FactContent): FactContent => ({
  ...before,
  properties: { ...before.properties, ...partial.properties },
})

const contradiction = (id: string, key: string, before: string, after: string, earlier: string, place: string): Problem =>
  problem({
    severity: 'warning',
    code: 'contradiction',
    where: place,
    found: `${key} = ${after} for ${id}`,
    expected: `${before}, as ${earlier} says`,
    suggestion: 'The later one was kept. Make the two agree, or ingest them into two systems.',
  })
