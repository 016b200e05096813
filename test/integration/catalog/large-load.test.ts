import { describe, expect, it } from 'vitest'
import type { Fact } from '../../../src/catalog/fact.js'
import { ingestFacts } from '../../../src/catalog/ingest.js'
import { search } from '../../../src/catalog/search/search-store.js'
import type { Database } from '../../../src/postgres/sql.js'
import { freshDatabase } from '../../support/database.js'
import { tell, tellStored } from '../../support/ledger-telling.js'

const tables = 700
const width = 30
const provenance = { dialect: 'test', file: 'estate.sql', location: 'line 1' }

function* estate(): Generator<Fact> {
  const node = (kind: 'Table' | 'Column', name: string, qualifiedName: string): Fact => ({
    fact: 'node',
    id: `p/s/${kind.toLowerCase()}:${qualifiedName}`,
    kind,
    name,
    qualifiedName,
    properties:
      kind === 'Column' ? { data_type: name.endsWith('1') ? 'int' : 'string', comment: `what's in ${name}: \\ 100 % für Ämter` } : {},
    provenance,
  })
  for (let t = 0; t < tables; t++) {
    yield node('Table', `T_${t}`, `d.T_${t}`)
    for (let c = 0; c < width; c++) {
      const name = c % 2 ? `customer_Name_${c}` : `it's\\odd ${c}`
      yield node('Column', name, `d.T_${t}.${name}`)
      const ends = { sourceId: `p/s/table:d.T_${t}`, targetId: `p/s/column:d.T_${t}.${name}` }
      yield { fact: 'edge', ...ends, label: 'HAS_COLUMN', properties: {}, provenance }
    }
  }
}

const at = new Date(Date.UTC(2025, 0, 1))
const load = (database: Database, bulkFrom?: number) =>
  ingestFacts(database, {
    ...(bulkFrom === undefined ? {} : { bulkFrom }),
    ...{ projectId: 'p', systemId: 's', complete: true, observedAt: at, now: at, facts: () => estate() },
    sources: [{ dialect: 'test', file: 'estate.sql' }],
  })

const indexes = async (database: Database) =>
  (await database.query(`select indexdef from pg_indexes where schemaname = 'public' order by 1`)).rows

/** Entries of the search index by the ids of their nodes. */
const entries = async (database: Database) =>
  (await database.query(`select k.id, e.words::text from search_entry e join node_key k on k.key = e.node order by 1`)).rows

describe('a large first load', () => {
  it('gives the ledger that it gives where its facts are compared and its indexes stay in place, and the same indexes', async () => {
    const [{ database: alone }, { database: watched }] = [await freshDatabase(), await freshDatabase()]
    const before = await indexes(alone)
    const first = await load(alone)
    // whoever has the tables open keeps their indexes
    const second = await watched.transaction(async (reader) => {
      await reader.query('select from node_key, search_entry')
      return load(watched, Number.POSITIVE_INFINITY)
    })
    expect(await indexes(alone)).toEqual(before)
    expect(first).toEqual(second)
    expect(first.nodes.added).toBe(tables * (width + 1) + 2)
    expect(await tell(alone)).toEqual(await tell(watched))
    expect(await tellStored(alone)).toEqual(await tellStored(watched))
    expect(await entries(alone)).toEqual(await entries(watched))
    const { hits } = await search(alone, { text: `it's\\odd 4`, kinds: ['Column'], first: 3 })
    expect(hits).toHaveLength(3)
    expect((await load(alone)).isReplay).toBe(true)
  }, 120_000)
})
