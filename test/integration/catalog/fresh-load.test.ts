import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { deleteFromCatalog, sweepContents } from '../../../src/catalog/deletion/deletion-store.js'
import type { Fact } from '../../../src/catalog/fact.js'
import { type FactIngest, ingestFacts } from '../../../src/catalog/ingest.js'
import type { Connection, Database } from '../../../src/postgres/sql.js'
import { seeded } from '../../../src/util/random.js'
import { freshDatabase } from '../../support/database.js'
import { tell, tellStored } from '../../support/ledger-telling.js'

const provenance = { dialect: 'test', file: 'estate.sql', location: 'line 1' }
const at = (day: number) => new Date(Date.UTC(2025, 0, day))

type Kind = 'Database' | 'Table' | 'Column'
const idOf = (kind: Kind, name: string) => `p/s/${kind.toLowerCase()}:${name}`
const node = (kind: Kind, qualifiedName: string, properties: Record<string, string> = {}): Fact => ({
  ...{ fact: 'node', id: idOf(kind, qualifiedName), kind, name: qualifiedName.slice(qualifiedName.lastIndexOf('.') + 1), qualifiedName },
  ...{ properties, provenance },
})
const edge = (sourceId: string, label: 'HAS_COLUMN' | 'CONTAINS' | 'REFERENCES', targetId: string): Fact => ({
  ...{ fact: 'edge', sourceId, label, targetId, properties: label === 'REFERENCES' ? { name: 'fk' } : {}, provenance },
})
const column = (name: string, c: number): Fact =>
  node('Column', name, {
    data_type: c % 3 ? 'int' : 'string',
    comment: `what's in ${name}: \\ 100 %`,
    ...(c % 5 ? {} : { description: 'Half @home' }),
  })

interface Shape {
  tables: number
  width: number
  name?: (table: number) => string
}

/** Tables with their columns, some of them in a database; each refers to the one before it. */
function estate({ tables, width, name = (t) => `d.Table_${t}` }: Shape): Fact[] {
  const facts: Fact[] = [node('Database', 'd')]
  for (let t = 0; t < tables; t++) {
    facts.push(node('Table', name(t)))
    if (t % 2) facts.push(edge(idOf('Database', 'd'), 'CONTAINS', idOf('Table', name(t))))
    for (let c = 0; c < width; c++) {
      const own = `${name(t)}.customer_Name_${c}`
      facts.push(column(own, c), edge(idOf('Table', name(t)), 'HAS_COLUMN', idOf('Column', own)))
    }
    if (t > 0)
      facts.push(edge(idOf('Column', `${name(t)}.customer_Name_0`), 'REFERENCES', idOf('Column', `${name(t - 1)}.customer_Name_0`)))
  }
  return facts
}

const load = (database: Database, facts: FactIngest['facts'], options: Partial<FactIngest> = {}) =>
  ingestFacts(database, {
    ...{ projectId: 'p', systemId: 's', complete: true, observedAt: at(1), now: at(9), facts },
    ...{ sources: [{ dialect: 'test', file: 'estate.sql' }], ...options },
  })

const rows = async (database: Database, text: string) => (await database.query(text)).rows
/** All that search and graph rest on, by ids. */
const tellBeside = async (database: Database) => ({
  entries: await rows(database, 'select k.id, e.words::text from search_entry e join node_key k on k.key = e.node order by 1'),
  words: await rows(database, 'select word from search_word order by 1'),
  parents: await rows(database, 'select k.id, p.id as parent from node_key k join node_key p on p.key = k.parent order by 1'),
  hints: await rows(
    database,
    'select k.id, h.location, h.begins, h.ends from node_history h join node_key k on k.key = h.node order by 1, 2, 3, 4',
  ),
  indexes: await rows(database, `select indexdef from pg_indexes where schemaname = 'public' order by 1`),
  refreshed: await rows(
    database,
    `select distinct k.id from graph_outbox o, node_key k where o.change ? 'nodes' and (case when jsonb_typeof(o.change -> 'nodes') = 'object'
       then k.key between (o.change -> 'nodes' ->> 'from')::bigint and (o.change -> 'nodes' ->> 'to')::bigint
       else o.change -> 'nodes' @> to_jsonb(k.key) end) and k.scope is not null order by 1`,
  ),
})

/** The same brought in at once and by comparing, into ledgers that `before` has made. */
async function bothWays(facts: readonly Fact[], before?: (database: Database) => Promise<unknown>) {
  const told = []
  for (const bulkFrom of [1, Number.POSITIVE_INFINITY]) {
    const { database } = await freshDatabase()
    await before?.(database)
    const { snapshotId: _, ...report } = await load(database, () => facts, { bulkFrom })
    told.push({ database, report, ledger: await tell(database), stored: await tellStored(database), beside: await tellBeside(database) })
  }
  const [fresh, compared] = told
  expect(fresh!.report).toEqual(compared!.report)
  expect(fresh!.ledger).toEqual(compared!.ledger)
  expect(fresh!.stored).toEqual(compared!.stored)
  expect(fresh!.beside).toEqual(compared!.beside)
  return fresh!
}

describe('a system that nothing is known of', () => {
  it('is brought in at once, and the ledger is what comparing gives', async () => {
    const { database, report } = await bothWays(estate({ tables: 40, width: 20 }))
    expect(report.nodes.added).toBe(40 * 21 + 3)
    expect(report.edges.added).toBe(40 * 20 + 39 + 20 + 21 + 1)
    // and what comes after it, before it, and when it goes is the same too
    const changed = estate({ tables: 40, width: 19 })
    expect((await load(database, () => changed, { observedAt: at(3) })).nodes.removed).toBe(40)
    expect((await load(database, () => changed, { observedAt: at(4) })).changes).toBe(0)
  })

  it('may have its facts in any order, its columns far from their tables, and names in other alphabets', async () => {
    const facts = estate({ tables: 2, width: 2_200, name: (t) => `d.Таблица_${t}` })
    const edges = facts.filter((fact) => fact.fact === 'edge')
    const nodes = facts.filter((fact) => fact.fact === 'node')
    const { ledger } = await bothWays([...edges.slice(0, 200), ...nodes, ...edges.slice(200)])
    const ordered = await bothWays(facts)
    const content = ({ nodes, edges, changes, metrics, snapshots }: typeof ledger) => ({ nodes, edges, changes, metrics, snapshots })
    expect(content(ordered.ledger)).toEqual(content(ledger))
  })

  it('may lie beside others, say what they say, and be spoken of by people already', async () => {
    await bothWays(estate({ tables: 10, width: 10 }), async (database) => {
      await load(database, estate({ tables: 3, width: 3 }).map(elsewhere), { systemId: 'x', bulkFrom: 1 })
      await load(database, estate({ tables: 5, width: 10 }).map(abroad), { projectId: 'q', bulkFrom: 1 })
      await database.query(`insert into search_said (node_id, words) values ('p/s/table:d.Table_1', 'mine:1'::tsvector)`)
    })
  })

  it('comes as always where a fact is told twice, in part, or taken back, however late', async () => {
    const facts = estate({ tables: 4, width: 20 })
    const again = { ...(facts[1] as Fact & { fact: 'node' }), properties: { comment: 'again' } }
    await bothWays([...facts, again])
    await bothWays([...facts, { ...again, partial: true }])
    await bothWays([...facts, { fact: 'removal', id: idOf('Table', 'd.Table_2'), provenance }])
    await bothWays([...facts, facts.at(-1)!])
  }, 30_000)

  it('comes as always where what was told first is told again after forty thousand others', async () => {
    const { database } = await freshDatabase()
    const facts = estate({ tables: 1, width: 41_000 })
    const { nodes, problems } = await load(database, () => [
      ...facts,
      { ...node('Table', 'd.Table_0'), properties: { comment: 'again' } } as Fact,
    ])
    expect(nodes.added).toBe(41_004)
    expect(problems).toEqual([])
    expect(await rows(database, `select properties from node where id = '${idOf('Table', 'd.Table_0')}'`)).toEqual([
      { properties: { comment: 'again' } },
    ])
  }, 30_000)

  it('is found by the same words, whatever signs its names and texts are made of', async () => {
    const rng = seeded(7)
    const signs = [...` _.-/:,()[]"\`'\\=#@%&*<>!?;|~^$+{}aAbBzZ019`, 'Id', 'HTTPServer', '  ']
    const said = (most: number) =>
      Array.from({ length: 1 + Math.floor(rng.next() * most) }, () => signs[Math.floor(rng.next() * signs.length)]).join('')
    const facts = Array.from({ length: 400 }, (_, i): Fact => {
      const fact = node('Column', `${said(9)}${i}`, { comment: said(40), ...(i % 3 ? {} : { description: said(20) }) }) as Fact & {
        fact: 'node'
      }
      return { ...fact, name: i % 50 ? said(12) : 'x'.repeat(600) }
    })
    await bothWays(facts)
  })

  it('leaves nothing where its facts end too soon, or it was only tried', async () => {
    const { database } = await freshDatabase()
    const before = await tellBeside(database)
    const facts = estate({ tables: 10, width: 2_000 })
    for (const length of [5_000, 17_321, 25_000, 38_000])
      await expect(
        load(database, function* () {
          yield* facts.slice(0, length)
          throw new Error('cut off')
        }),
      ).rejects.toThrow('cut off')
    expect((await load(database, facts, { dryRun: true })).nodes.added).toBe(20_013)
    expect(await tellBeside(database)).toEqual(before)
    expect((await tellStored(database)).contents).toEqual([])
    expect((await load(database, facts)).nodes.added).toBe(20_013)
  }, 60_000)

  it('is the same where no connection can be had beside its own, or that one is lost, at whichever question', async () => {
    const told = []
    const facts = estate({ tables: 6, width: 1_000 })
    for (const lostAt of [null, 0, 1, 2, 5, 8, 10, 13, 16]) {
      const { database } = await freshDatabase()
      await load(database, estate({ tables: 3, width: 1_000 }).map(abroad), { projectId: 'q', bulkFrom: 1 })
      const asked = { count: 0 }
      const connect = () => (lostAt === 0 ? Promise.reject(new Error('no more connections')) : losing(database, lostAt, asked))
      await load({ ...database, connect }, () => facts, { bulkFrom: 1 })
      if (lostAt !== null && lostAt > 0) expect(asked.count).toBeGreaterThanOrEqual(lostAt)
      told.push({ ledger: await tell(database), stored: await tellStored(database), beside: await tellBeside(database) })
    }
    for (const other of told) expect(other).toEqual(told[0])
  }, 120_000)

  it('may come while others do, whatever they have in common', async () => {
    const facts = estate({ tables: 6, width: 700 })
    const projects = ['q', 'r', 't', 'u']
    const told = []
    for (const isAtOnce of [false, true]) {
      const { database } = await freshDatabase()
      await load(database, estate({ tables: 2, width: 700 }))
      const bring = (projectId: string) => load(database, () => facts.map(renamed('p/s/', `${projectId}/s/`)), { projectId, bulkFrom: 1 })
      if (isAtOnce) await Promise.all(projects.map(bring))
      else for (const projectId of projects) await bring(projectId)
      const { snapshots, ...ledger } = await tell(database)
      const ids = snapshots.map((snapshot) => snapshot['id'])
      expect(new Set(ids).size).toBe(5)
      const { assertions, contents } = await tellStored(database)
      const { entries, ...beside } = await tellBeside(database)
      // marked by the keys of scopes
      const words = entries.map((entry) => JSON.stringify(entry).replace(/'@\d+'/, "'@'"))
      told.push({ ledger, contents, beside, words, assertions: assertions.map(({ fact, version }) => `${fact} ${version}`).sort() })
    }
    expect(told[1]).toEqual(told[0])
  }, 60_000)

  it('keeps contents that it shares with what is deleted meanwhile', async () => {
    const { database } = await freshDatabase()
    const facts = estate({ tables: 10, width: 2_000 })
    await load(database, estate({ tables: 1, width: 1 }).map(renamed('p/s/', 'r/s/')), { projectId: 'r' })
    await load(database, facts.map(abroad), { projectId: 'q' })
    await database.transaction((client) => deleteFromCatalog(client, { kind: 'project', projectId: 'q' }))
    let sweep: Promise<number> | undefined
    await load(database, async function* () {
      for (const [i, fact] of facts.entries()) {
        // by then the first batches have been found known, every one of them
        if (i === 30_000) {
          sweep = sweepContents(database)
          await Promise.race([sweep, waitsForLock(database)])
        }
        yield fact
      }
    })
    await sweep
    const [{ n }] = (await rows(database, `select count(*) as n from node where project_id = 'p'`)) as [{ n: number }]
    expect(n).toBe(20_013)
    expect((await load(database, facts, { observedAt: at(3) })).changes).toBe(0)
  }, 60_000)

  it('may have been told of after a time that is told of later', async () => {
    const { database } = await freshDatabase()
    const { database: other } = await freshDatabase()
    const [first, second] = [estate({ tables: 5, width: 10 }), estate({ tables: 5, width: 8 })]
    await load(database, first, { observedAt: at(5), bulkFrom: 1 })
    await load(database, second, { observedAt: at(2) })
    await load(other, second, { observedAt: at(2), bulkFrom: Number.POSITIVE_INFINITY })
    await load(other, first, { observedAt: at(5) })
    expect(await tell(database)).toEqual(await tell(other))
    expect(await tellStored(database)).toEqual(await tellStored(other))
  })
})

/** A connection whose server ends it while it is asked for the `lostAt`-th time. */
async function losing(database: Database, lostAt: number | null, asked: { count: number }): Promise<Connection> {
  const connection = await database.connect()
  const { rows } = await connection.query<{ pid: number }>('select pg_backend_pid() as pid')
  const lose = () => (++asked.count === lostAt ? database.query('select pg_terminate_backend($1, 5000)', [rows[0]!.pid]) : undefined)
  return {
    ...connection,
    async query(text, values) {
      await lose()
      return connection.query(text, values)
    },
    copyFrom(statement) {
      void lose()
      return connection.copyFrom(statement)
    },
  }
}

async function waitsForLock(database: Database): Promise<void> {
  const waiting = `select 1 from pg_locks where relation = 'fact_version'::regclass and not granted`
  while ((await database.query(waiting)).rows.length === 0) await delay(20)
}

const renamed = (from: string, to: string) => (fact: Fact) => JSON.parse(JSON.stringify(fact).replaceAll(from, to)) as Fact
const elsewhere = renamed('p/s/', 'p/x/')
const abroad = renamed('p/s/', 'q/s/')
