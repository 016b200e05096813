import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ingest } from '../../../src/catalog/ingest.js'
import { readAnnotationHistories, readAnnotationsOf, saveAnnotations } from '../../../src/catalog/people/annotation-store.js'
import { readGlossary, readGlossaryHistory, removeTerm, saveTerm } from '../../../src/catalog/people/glossary-store.js'
import { drainOutbox } from '../../../src/catalog/projection/drain.js'
import { rebuildGraph } from '../../../src/catalog/projection/rebuild.js'
import { readChanges } from '../../../src/catalog/reads/read-store.js'
import type { GraphEngine } from '../../../src/graph/engine.js'
import { openGrafeo } from '../../../src/graph/grafeo.js'
import type { Database } from '../../../src/postgres/sql.js'
import { createLogger } from '../../../src/util/log.js'
import { freshDatabase } from '../../support/database.js'

const day = (n: number) => new Date(Date.UTC(2024, 0, n))
const account = 'bank/hive/table:core.account'
const column = 'bank/hive/column:core.account.owner'
const ddl = 'CREATE TABLE core.account (id BIGINT, owner STRING);'

let database: Database
let engine: GraphEngine
beforeEach(async () => {
  database = (await freshDatabase()).database
  engine = await openGrafeo({ folder: null, log: createLogger('silent') })
  await engine.prepare()
  await load(ddl, 1)
})
afterEach(() => engine.close())

const load = (text: string, n: number) =>
  ingest(database, {
    ...{ projectId: 'bank', systemId: 'hive', complete: true, observedAt: day(n), now: day(n) },
    inputs: [{ dialect: 'hive-ddl', file: 'core.sql', text }],
  })
const say = (actor: string, now: Date, ...edits: Parameters<typeof saveAnnotations>[1]) =>
  database.transaction((client) => saveAnnotations(client, edits, { actor, now }))

async function shown(id: string): Promise<unknown[]> {
  await drainOutbox(database, engine)
  const text = 'MATCH (n:Node {id: $id}) RETURN n.owners, n.tags, n.terms, n.description_by_people, toString(n.annotated_at), n.name'
  return (await engine.read({ text, parameters: { id } })).rows[0]!
}

describe("people's words", () => {
  it('have a history of their own, readable as of any moment', async () => {
    await say('ann', day(2), { nodeId: account, owners: { set: ['team-a'] }, tags: { add: ['pii'] } })
    await say('bob', day(3), { nodeId: account, tags: { add: ['gold'] }, description: 'Accounts of customers' })
    await say('cid', day(4), { nodeId: account, tags: { remove: ['pii'] }, owners: { set: [] } })
    expect(await readAnnotationsOf(database, account)).toEqual({
      ...{ owners: [], tags: ['gold'], terms: [], description: 'Accounts of customers', annotatedAt: day(4) },
    })
    expect(await readAnnotationsOf(database, account, { asOf: day(3) })).toEqual({
      ...{ owners: ['team-a'], tags: ['pii', 'gold'], terms: [], description: 'Accounts of customers', annotatedAt: day(3) },
    })
    expect(await readAnnotationsOf(database, account, { asOf: day(1) })).toMatchObject({ tags: [], annotatedAt: null })
    const [history, none] = await readAnnotationHistories(database, [account, column])
    expect(none).toEqual([])
    expect(history!.map(({ field, actor, before, after }) => [field, actor, before, after])).toEqual([
      ['owners', 'ann', [], ['team-a']],
      ['tags', 'ann', [], ['pii']],
      ['description', 'bob', [], ['Accounts of customers']],
      ['tags', 'bob', ['pii'], ['pii', 'gold']],
      ['owners', 'cid', ['team-a'], []],
      ['tags', 'cid', ['pii', 'gold'], ['gold']],
    ])
  })

  it('write nothing when they say what is there, and keep every step of one moment', async () => {
    expect(await say('ann', day(2), { nodeId: account, tags: { add: ['a'] } })).toHaveLength(1)
    expect(await say('ann', day(2), { nodeId: account, tags: { add: ['a'] } })).toEqual([])
    for (const tag of ['b', 'c', 'd']) await say('ann', day(2), { nodeId: account, tags: { add: [tag] } })
    const [history] = await readAnnotationHistories(database, [account])
    expect(history!.map(({ after }) => after.join(''))).toEqual(['a', 'ab', 'abc', 'abcd'])
    // two edits of one request are one step
    await say('ann', day(2), { nodeId: account, tags: { add: ['e'] } }, { nodeId: account, tags: { remove: ['a', 'e'] } })
    expect((await readAnnotationHistories(database, [account]))[0]!.map(({ after }) => after.join('')).slice(4)).toEqual(['bcd'])
  })

  it('of many speakers at once lose nothing', async () => {
    const tags = Array.from({ length: 12 }, (_, i) => `t${i}`)
    await Promise.all(
      tags.map((tag) => say('ann', day(2), { nodeId: account, tags: { add: [tag] } }, { nodeId: column, tags: { add: [tag] } })),
    )
    expect((await readAnnotationsOf(database, account)).tags.sort()).toEqual([...tags].sort())
    expect((await readAnnotationsOf(database, column)).tags.sort()).toEqual([...tags].sort())
    expect(await shown(account)).toMatchObject({ 1: expect.arrayContaining(tags) })
  })

  it('survive every ingest: changed facts, a node that goes and comes back, late snapshots; the graph shows both', async () => {
    await say('ann', day(2), { nodeId: column, owners: { set: ['ann', 'bob'] }, tags: { add: ['pii'] }, description: 'Who owns it' })
    const words = [['ann', 'bob'], ['pii'], null, 'Who owns it', expect.stringMatching(/^2024-01-02T00:00:00/), 'owner']
    expect(await shown(column)).toEqual(words)
    await load(ddl.replace('owner STRING', 'owner INT'), 5)
    expect(await shown(column)).toEqual(words)
    await load('CREATE TABLE core.account (id BIGINT);', 6)
    expect(await shown(column)).toBeUndefined()
    expect(await readAnnotationsOf(database, column)).toMatchObject({ tags: ['pii'] })
    await say('bob', day(7), { nodeId: column, tags: { add: ['lost'] } })
    await load(ddl, 8)
    expect(await shown(column)).toMatchObject({ 1: ['pii', 'lost'] })
    await load(ddl.replace('owner STRING', 'owner DATE'), 7)
    expect(await shown(column)).toMatchObject({ 0: ['ann', 'bob'], 1: ['pii', 'lost'] })
    const before = await shown(column)
    await rebuildGraph({ database, engine })
    expect(await shown(column)).toEqual(before)
    // no fact of the ledger was touched by what people said
    expect(await readChanges(database, { nodeId: column, kinds: ['property_changed'] })).toEqual([])
  })

  it('that are all taken away leave the node as it was', async () => {
    await say('ann', day(2), { nodeId: account, owners: { set: ['ann'] }, tags: { set: ['x'] }, description: 'd' })
    await say('ann', day(3), { nodeId: account, owners: { set: [] }, tags: { set: [] }, description: null })
    expect((await shown(account)).slice(0, 4)).toEqual([null, null, null, null])
  })

  it('refuse all when one node does not exist', async () => {
    const edits = [account, 'bank/hive/table:core.acount'].map((nodeId) => ({ nodeId, tags: { add: ['x'] } }))
    await expect(say('ann', day(2), ...edits)).rejects.toMatchObject({
      ...{ code: 'NOT_FOUND', message: 'there is no node "bank/hive/table:core.acount" in the catalog now' },
      remedy: expect.stringContaining('search'),
    })
    expect((await readAnnotationsOf(database, account)).tags).toEqual([])
    const many = Array.from({ length: 1_001 }, () => ({ nodeId: account, tags: { add: ['x'] } }))
    await expect(say('ann', day(2), ...many)).rejects.toMatchObject({ code: 'BAD_INPUT' })
  })

  it('reach the graph beside an ingest that runs meanwhile, whichever comes first', async () => {
    let loading: Promise<unknown> = Promise.resolve()
    await database.transaction(async (client) => {
      await saveAnnotations(client, [{ nodeId: column, tags: { add: ['held'] } }], { actor: 'ann', now: day(2) })
      // the ingest gets as far as the outbox and waits there
      loading = load(ddl.replace('owner STRING', 'owner INT'), 5)
      const waits = `select count(*) as n from pg_stat_activity where datname = current_database() and wait_event = 'advisory'`
      for (let tries = 0; (await database.query<{ n: number }>(waits)).rows[0]!.n === 0; tries++) {
        if (tries > 500) throw new Error('the ingest never came to the outbox')
        await new Promise((resolve) => setTimeout(resolve, 10))
      }
    })
    await loading
    expect((await shown(column))[1]).toEqual(['held'])
    const { rows } = await engine.read({ text: 'MATCH (n:Node {id: $id}) RETURN n.data_type', parameters: { id: column } })
    expect(rows).toEqual([['int']])
  })
})

describe('the glossary', () => {
  const define = (name: string, definition: string, n: number) =>
    database.transaction((client) => saveTerm(client, { projectId: 'bank', name, definition }, { actor: 'ann', now: day(n) }))
  const remove = (name: string, n: number) =>
    database.transaction((client) => removeTerm(client, 'bank', name, { actor: 'bob', now: day(n) }))

  it('holds the terms that nodes may carry, with their own history', async () => {
    await define('Customer', 'Who pays', 2)
    await define('Customer', 'Who pays', 3)
    await define('Customer', 'Who has an account', 4)
    await expect(say('ann', day(5), { nodeId: account, terms: { add: ['Custumer'] } })).rejects.toMatchObject({
      ...{ code: 'NOT_FOUND', remedy: 'Did you mean "Customer"?' },
    })
    await say('ann', day(5), { nodeId: account, terms: { add: ['Customer'] } })
    expect((await shown(account))[2]).toEqual(['Customer'])
    await expect(remove('Customer', 6)).rejects.toMatchObject({ code: 'CONFLICT', message: expect.stringContaining(account) })
    await say('ann', day(6), { nodeId: account, terms: { set: [] } })
    await remove('Customer', 7)
    expect(await readGlossary(database, 'bank')).toEqual([])
    expect(await readGlossary(database, 'bank', { asOf: day(3) })).toMatchObject([{ name: 'Customer', definition: 'Who pays' }])
    await define('Customer', 'Anew', 8)
    expect((await readGlossaryHistory(database, 'bank', 'Customer')).map(({ actor, before, after }) => [actor, before, after])).toEqual([
      ['ann', null, 'Who pays'],
      ['ann', 'Who pays', 'Who has an account'],
      ['bob', 'Who has an account', null],
      ['ann', null, 'Anew'],
    ])
    await expect(remove('Nothing', 9)).rejects.toMatchObject({ code: 'NOT_FOUND' })
    await expect(define('Empty', ' ', 9)).rejects.toMatchObject({ code: 'BAD_INPUT' })
  })
})
