import type { Rng } from '../../util/random.js'
import { nameTokens } from '../../util/words.js'
import { remember } from '../links/estate.js'
import { anonymousRoles } from './anonymous.js'
import type { TestCase } from './case.js'
import { type Domain, typedTables } from './columns.js'

/** What a table is called, whatever its number and spelling: `Customers` and `customer` are one. */
const titleOf = (name: string): string =>
  nameTokens(name)
    .join('_')
    .replace(/(?<=[^s])s$/, '')

/** Tables of a domain by title; titles that two tables share tell nothing. */
function titled({ estate }: Domain): Map<string, string> {
  const known = new Map<string, string | null>()
  const names = new Map(estate.nodes.map(({ id, name }) => [id, name]))
  for (const { tableId } of typedTables(estate)) {
    const title = titleOf(names.get(tableId)!)
    known.set(title, known.has(title) ? null : tableId)
  }
  return new Map([...known].filter((entry): entry is [string, string] => entry[1] !== null))
}

/**
 * Level 5: tables that two domains call by the same name are taken to have the same part in both. One of them is shown without any name,
 * with the tables around it as nameless, and is to be found again among the tables of the other domain.
 */
export function analogies(domains: readonly Domain[], limit: number, rng: Rng): TestCase[] {
  const byTitle = new Map<string, { domain: Domain; tableId: string }[]>()
  for (const domain of domains) for (const [title, tableId] of titled(domain)) remember(byTitle, title, () => []).push({ domain, tableId })
  const shared = [...byTitle].filter(([, tables]) => tables.length >= 2).sort(([a], [b]) => (a < b ? -1 : 1))
  const rolesOf = new Map<string, ReturnType<typeof anonymousRoles>>()
  const pairs = shared.flatMap(([title, tables]) => {
    const order = rng.shuffle(tables)
    return order.map((table, i) => ({ title, table, other: order[(i + 1) % order.length]! }))
  })
  return rng.sample(pairs, limit).flatMap(({ title, table, other }): TestCase[] => {
    const candidates = typedTables(other.domain.estate).map(({ tableId }) => tableId)
    if (candidates.length < 2) return []
    const role = remember(rolesOf, table.domain.name, () => anonymousRoles(table.domain.estate))(table.tableId)
    const there = remember(rolesOf, other.domain.name, () => anonymousRoles(other.domain.estate))
    // the table that the others hang on most: the best guess that looks at nothing asked
    const hub = [...candidates].sort((a, b) => there(b).table.referencedBy - there(a).table.referencedBy || (a < b ? -1 : 1))[0]!
    return [
      {
        ...{ id: `L5 ${table.tableId} -> ${other.domain.name}`, level: 5, from: other.domain.name },
        group: `${title} ${table.domain.name} -> ${other.domain.name}`,
        question: { ask: 'role', role, candidates: rng.shuffle(candidates) },
        expected: other.tableId,
        majority: hub,
        choices: candidates.length,
      },
    ]
  })
}
