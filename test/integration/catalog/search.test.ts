import { beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { deleteFromCatalog } from '../../../src/catalog/deletion/deletion-store.js'
import { ingest } from '../../../src/catalog/ingest.js'
import { saveAnnotations } from '../../../src/catalog/people/annotation-store.js'
import { type SearchRequest, search } from '../../../src/catalog/search/search-store.js'
import type { Database } from '../../../src/postgres/sql.js'
import { freshDatabase } from '../../support/database.js'

const day = (n: number) => new Date(Date.UTC(2024, 0, n))
let database: Database

const take = (text: string, n: number, { projectId = 'bank', systemId = 'hive', complete = true } = {}) =>
  ingest(database, {
    ...{ projectId, systemId, complete, observedAt: day(n), now: day(20) },
    inputs: [{ dialect: 'hive-ddl', file: 'core.sql', text }],
  })
const find = async (text: string, more: Partial<SearchRequest> = {}) => {
  const answer = await search(database, { text, ...more })
  return { ...answer, ids: answer.hits.map(({ id }) => id.replace(/^.*:/, '')), total: await answer.count() }
}
const say = (nodeId: string, tags: string[]) =>
  database.transaction((client) => saveAnnotations(client, [{ nodeId, tags: { set: tags } }], { actor: 'ann', now: day(2) }))

const ddl = `CREATE TABLE core.customer (id BIGINT COMMENT 'the key', born DATE, email STRING) COMMENT 'Who pays us';
CREATE TABLE core.customer_address (customer_id BIGINT, street STRING, \`Überweisung\` STRING);
CREATE TABLE sales.order_line (order_id BIGINT, customer_id BIGINT, amount DECIMAL(10,2) COMMENT 'paid by the customer');
CREATE VIEW sales.customer_amounts AS SELECT customer_id, amount FROM sales.order_line;`

/** The index is what indexing everything anew would give. */
async function expectInStep(): Promise<void> {
  const { rows } = await database.query(
    `select coalesce(n.id, k.id) as id, n.id is null as is_superfluous, e.node is null as is_missing from node n
     full join (search_entry e join node_key k on k.key = e.node) on n.key = e.node
     where n.key is null or e.node is null or not tsvector_to_array(e.words) @> (search_words(n.qualified_name) || ('#' || n.kind))`,
  )
  expect(rows).toEqual([])
}

describe('search', () => {
  beforeAll(async () => {
    database = (await freshDatabase()).database
    await take(ddl, 1)
    await take('CREATE TABLE core.customer (id BIGINT);', 1, { systemId: 'second' })
    await take('CREATE TABLE other.customer (id BIGINT);', 1, { projectId: 'else' })
  })

  it('finds names in every spelling, the whole name first', async () => {
    for (const text of ['customer_address', 'CustomerAddress', 'customer address'])
      expect((await find(text, { projectId: 'bank' })).ids[0]).toBe('core.customer_address')
    const { ids, total } = await find('customer', { projectId: 'bank', systemId: 'hive' })
    expect(ids.slice(0, 3)).toEqual(['core.customer', 'core.customer_address', 'sales.customer_amounts'])
    expect(ids).toContain('sales.order_line.amount')
    expect(total).toBe(ids.length)
    expect((await find('cust addr')).ids[0]).toBe('core.customer_address')
  })

  it('finds comments and words in other alphabets of case', async () => {
    expect((await find('who pays')).ids).toEqual(['core.customer'])
    expect((await find('überweisung')).ids).toEqual(['core.customer_address.Überweisung'.toLowerCase()])
    expect((await find('ÜBERWEISUNG')).ids).toHaveLength(1)
  })

  it('forgives slips, and says so', async () => {
    const { ids, corrections } = await find('custmoer adress')
    expect(ids[0]).toBe('core.customer_address')
    expect(corrections).toEqual([
      { word: 'custmoer', meant: ['customer'] },
      { word: 'adress', meant: ['address'] },
    ])
    expect((await find('emial')).ids).toEqual(['core.customer.email'])
    // a word that nothing is like does not hide what the others find
    expect((await find('email xylophone')).ids).toEqual(['core.customer.email'])
    expect((await find('xylophone')).ids).toEqual([])
  })

  it('is narrowed by kind, project and system', async () => {
    expect((await find('customer', { kinds: ['View'] })).ids).toEqual(['sales.customer_amounts'])
    expect((await find('customer', { projectId: 'else' })).ids).toEqual(['other.customer', 'other.customer.id'])
    expect((await find('customer', { projectId: 'bank', systemId: 'second', kinds: ['Table'] })).ids).toEqual(['core.customer'])
    expect(await find('customer', { projectId: 'nobody' })).toMatchObject({ ids: [], total: 0, hasMore: false })
    expect((await find('customer', { kinds: [] })).ids).toEqual([])
  })

  it('goes on where a page ended, and meets no one twice', async () => {
    const all = (await find('customer')).hits
    const seen: string[] = []
    for (let after: SearchRequest['after'] | undefined; ; ) {
      const page = await search(database, { text: 'customer', first: 2, ...(after ? { after } : {}) })
      seen.push(...page.hits.map(({ id }) => id))
      if (!page.hasMore) break
      after = page.hits.at(-1)!
    }
    expect(seen).toEqual(all.map(({ id }) => id))
  })

  it.each(["it's", "a\\'b", "' | '", ':*', '& ! ()', '"', "'; drop table node; --", '\0', '=customer', '#Table'])(
    'bears the text %j',
    async (text) => {
      const asked = find(text)
      if (/[\p{L}\p{N}]/u.test(text)) expect(await asked).toMatchObject({ hits: expect.any(Array) })
      else await expect(asked).rejects.toMatchObject({ code: 'BAD_INPUT', message: expect.stringContaining('letters or digits') })
    },
  )
})

describe('the index', () => {
  beforeEach(async () => {
    database = (await freshDatabase()).database
    await take(ddl, 1)
  })

  it('follows every change of the ledger: changed comments, what goes, what comes late, deletions', async () => {
    await expectInStep()
    const second = await take(ddl.replace('Who pays us', 'Whom we love').replace('email STRING', 'phone STRING'), 5)
    expect((await find('love')).ids).toEqual(['core.customer'])
    expect((await find('pays')).ids).toEqual([])
    expect((await find('phone')).ids).toEqual(['core.customer.phone'])
    expect((await find('email')).ids).toEqual([])
    await take('CREATE TABLE core.latecomer (zebra INT);', 6, { complete: false })
    await take('CREATE TABLE core.never (giraffe INT);', 4, { complete: false })
    expect((await find('zebra')).ids).toEqual(['core.latecomer.zebra'])
    expect((await find('giraffe')).ids).toEqual([])
    await expectInStep()
    await database.transaction((client) => deleteFromCatalog(client, { kind: 'snapshot', snapshotId: second.snapshotId! }))
    await expectInStep()
    expect((await find('email')).ids).toEqual(['core.customer.email'])
    expect((await find('giraffe')).ids).toEqual(['core.never.giraffe'])
    expect((await find('phone')).ids).toEqual([])
    // no suggestion tells of what was deleted
    const { rows } = await database.query(`select word from search_word where word in ('phone', 'love', 'email')`)
    expect(rows).toEqual([{ word: 'email' }])
    await database.transaction((client) => deleteFromCatalog(client, { kind: 'project', projectId: 'bank' }))
    expect((await database.query('select count(*) as n from search_entry')).rows).toEqual([{ n: 0 }])
    expect((await database.query('select count(*) as n from search_word')).rows).toEqual([{ n: 0 }])
  })

  it("holds people's words, through every ingest", async () => {
    const nodeId = 'bank/hive/table:core.customer'
    await say(nodeId, ['Golden-Record', 'pii'])
    expect((await find('golden')).hits).toMatchObject([
      { id: nodeId, highlights: [{ field: 'tags', text: 'Golden-Record', matches: [{ start: 0, length: 6 }] }] },
    ])
    expect((await find('goldn record')).ids).toEqual(['core.customer'])
    await take(ddl.replace('Who pays us', 'Anew'), 5)
    expect((await find('golden anew')).ids).toEqual(['core.customer'])
    await take('CREATE TABLE core.other (a INT);', 6)
    expect((await find('golden')).ids).toEqual([])
    await take(ddl, 7)
    expect((await find('golden')).ids).toEqual(['core.customer'])
    await say(nodeId, [])
    expect((await find('golden')).ids).toEqual([])
  })

  it('bears names and comments of every kind', async () => {
    const strange = [`it's`, 'a\\\\b', 'x'.repeat(3000), '漢字 テスト', '😀 smile', `tab\tand ; "quotes"`]
    const tables = strange.map((comment, i) => `CREATE TABLE odd.t${i} (a INT COMMENT '${comment.replaceAll("'", "\\'")}');`).join('\n')
    await take(tables, 3, { complete: false })
    expect((await find('漢字')).ids).toEqual(['odd.t3.a'])
    expect((await find('smile')).ids).toEqual(['odd.t4.a'])
    expect((await find('quotes')).ids).toEqual(['odd.t5.a'])
  })
})
