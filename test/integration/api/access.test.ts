import { Readable } from 'node:stream'
import type { GraphQLObjectType } from 'graphql'
import { SignJWT } from 'jose'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createKey } from '../../../src/access/key-store.js'
import { type Scope, scopeNames, unlimitedScopes } from '../../../src/access/scopes.js'
import { readAudit, saveProject } from '../../../src/access/store.js'
import { permissions } from '../../../src/api/permissions.js'
import { buildApiSchema } from '../../../src/api/schema.js'
import { trainingDataTable } from '../../../src/api/training-data/routes.js'
import { ingest } from '../../../src/catalog/ingest.js'
import { awaitProjection } from '../../../src/catalog/projection/projection.js'
import { importDataset } from '../../../src/datasets/exchange/import.js'
import { createRun, transition } from '../../../src/runs/store.js'
import { type LiveServer, liveServer } from './live-server.js'
import { type TestPlatform, testPlatform } from './test-platform.js'

const secret = 'the secret that signs tokens in this test'
const ddl = 'create table pay.invoice (id bigint, amount decimal(10,2)); create table pay.customer (id bigint);'
const as = (key: string) => ({ 'x-api-key': key })

describe('keys, tokens, scopes and projects', () => {
  let platform: TestPlatform
  let server: LiveServer
  const keys: Record<string, string> = {}
  const key = async (name: string, scopes: Scope[], projects?: string[]) => {
    keys[name] = (await createKey(platform.database, { name, scopes, projects: projects ?? null, createdBy: 'test' })).token
  }
  let runs: { bank: string; shop: string }

  beforeAll(async () => {
    platform = await testPlatform()
    const now = new Date('2026-01-01T00:00:00Z')
    for (const projectId of ['bank', 'shop']) {
      await saveProject(platform.database, { id: projectId })
      await ingest(platform.database, {
        projectId,
        systemId: 'warehouse',
        inputs: [{ dialect: 'hive-ddl', file: 'pay.sql', text: ddl }],
        now,
      })
    }
    const ids = await Promise.all(
      ['bank', 'shop'].map((projectId) =>
        createRun(platform.database, { kind: 'learn-patterns', options: { projectIds: [projectId] }, projectId }),
      ),
    )
    for (const { id } of ids) await transition(platform.database, id, 'cancelled')
    runs = { bank: ids[0]!.id, shop: ids[1]!.id }
    await awaitProjection(platform.database, platform.graph)
    server = await liveServer({
      ...platform,
      config: { ...platform.config, tokens: { secret, scopesClaim: 'scope', projectsClaim: 'projects' } },
      ownerKey: 'the-owner-of-the-folder',
    } as TestPlatform)
    await key('admin', ['admin'])
    await key('reader', ['catalog:read'])
    await key('teller', ['catalog:read', 'catalog:write', 'training:execute', 'training_data:read', 'model:deploy'], ['bank'])
    await key(
      'stranger',
      scopeNames.filter((scope) => !unlimitedScopes.includes(scope)),
      ['elsewhere'],
    )
  })
  afterAll(() => server?.close())

  const codeOf = async (query: string, headers: Record<string, string> = {}, variables = {}) =>
    (await server.post(query, variables, headers)).errors?.[0]?.extensions.code ?? null

  test('nobody comes in without a key; health is open, metrics are not', async () => {
    expect(await codeOf('{ projects { id } }')).toBe('UNAUTHENTICATED')
    expect((await server.post('{ __typename }')).status).toBe(401)
    expect(await codeOf('{ projects { id } }', as('esp_000000000000_0000000000000000000000000000000000000000000'))).toBe('UNAUTHENTICATED')
    const base = server.url.replace('/graphql', '')
    expect((await fetch(`${base}/healthz`)).status).toBe(200)
    expect((await fetch(`${base}/metrics`)).status).toBe(401)
    expect((await fetch(`${base}/metrics`, { headers: as(keys['reader']!) })).status).toBe(200)
  })

  test('a key, a bearer token and the owner of the home folder do', async () => {
    const who = async (headers: Record<string, string>) => (await server.post('{ whoAmI { name projects } }', {}, headers)).data?.whoAmI
    expect(await who(as(keys['admin']!))).toEqual({ name: 'key:admin', projects: null })
    expect(await who({ authorization: `Bearer ${keys['teller']}` })).toEqual({ name: 'key:teller', projects: ['bank'] })
    expect(await who(as('the-owner-of-the-folder'))).toEqual({ name: 'local', projects: null })
    const jwt = new SignJWT({ scope: 'catalog:read', projects: ['shop'] }).setProtectedHeader({ alg: 'HS256' }).setSubject('ada')
    const token = await jwt.setExpirationTime('1m').sign(new TextEncoder().encode(secret))
    expect(await who({ authorization: `Bearer ${token}` })).toEqual({ name: 'user:ada', projects: ['shop'] })
  })

  test('a key that was revoked or is over opens nothing, from the next request on', async () => {
    const { key: made, token } = await createKey(platform.database, { name: 'brief', scopes: ['catalog:read'], createdBy: 'test' })
    expect(await codeOf('{ projects { id } }', as(token))).toBe(null)
    expect(await codeOf(`mutation { revokeKey(id: "${made.id}") { id } }`, as(keys['admin']!))).toBe(null)
    expect(await codeOf('{ projects { id } }', as(token))).toBe('UNAUTHENTICATED')
    const past = await createKey(platform.database, { name: 'past', scopes: ['catalog:read'], expiresAt: new Date(0), createdBy: 'test' })
    expect(await codeOf('{ projects { id } }', as(past.token))).toBe('UNAUTHENTICATED')
  })

  test('no secret is stored', async () => {
    const { rows } = await platform.database.query('select api_key::text as row from api_key')
    const all = rows.map(({ row }) => row).join('\n')
    for (const token of Object.values(keys)) expect(all).not.toContain(token.split('_').slice(2).join('_'))
  })

  test('scopes and projects that cannot go together are refused', async () => {
    const make = (scopes: string[], projects: string[] | null) =>
      createKey(platform.database, { name: 'x', scopes, projects, createdBy: 'test' })
    await expect(make(['graph:cypher'], ['bank'])).rejects.toThrow(/cannot be limited/)
    await expect(make(['admin'], ['bank'])).rejects.toThrow(/cannot be limited/)
    await expect(make(['catalog:reed'], null)).rejects.toMatchObject({ remedy: expect.stringContaining('catalog:read') })
    await expect(make([], null)).rejects.toThrow(/none/)
    await expect(make(['catalog:read'], [])).rejects.toThrow(/empty/)
  })

  test('a limited key reads its own project, by list, by id and by graph, and no other', async () => {
    const teller = as(keys['teller']!)
    const { data } = await server.post(
      `{ projects { id } tables(sort: [{ id: ASC }]) { id columns { id } } tablesConnection { aggregate { count { nodes } } }
         databasesConnection { edges { node { tablesConnection { totalCount edges { node { projectId } } } } } } }`,
      {},
      teller,
    )
    expect(data.projects).toEqual([{ id: 'bank' }])
    expect(data.tables.map((table: { id: string }) => table.id)).toEqual([
      'bank/warehouse/table:pay.customer',
      'bank/warehouse/table:pay.invoice',
    ])
    expect(data.tablesConnection.aggregate.count.nodes).toBe(2)
    expect(JSON.stringify(data)).not.toContain('shop')
    expect(await codeOf(`{ catalogNode(id: "bank/warehouse/table:pay.invoice") { id } }`, teller)).toBe(null)
    expect(await codeOf(`{ catalogNode(id: "shop/warehouse/table:pay.invoice") { id } }`, teller)).toBe('FORBIDDEN')
    expect(await codeOf('{ search(text: "invoice", projectId: "shop") { totalCount } }', teller)).toBe('FORBIDDEN')
    expect(await codeOf('{ search(text: "invoice", projectId: "bank") { totalCount } }', teller)).toBe(null)
    expect(await codeOf('{ search(text: "invoice") { totalCount } }', teller)).toBe('FORBIDDEN')
    expect(await codeOf(`{ run(id: "${runs.bank}") { id } }`, teller)).toBe(null)
    expect(await codeOf(`{ run(id: "${runs.shop}") { id } }`, teller)).toBe('FORBIDDEN')
    expect(await codeOf('{ run(id: "11111111-1111-4111-8111-111111111111") { id } }', teller)).toBe('FORBIDDEN')
    const where = 'where: { projectId: { eq: "shop" } }'
    expect((await server.post(`{ tables(${where}) { id } }`, {}, teller)).data.tables).toEqual([])
    const or = 'where: { OR: [{ projectId: { eq: "shop" } }, { name: { contains: "a" } }] }'
    expect(JSON.stringify((await server.post(`{ tables(${or}) { id } }`, {}, teller)).data)).not.toContain('shop')
    const byVariable = await server.post(
      'query ($w: TableWhere) { tables(where: $w) { id } ...F } fragment F on Query { t: tables(where: $w) { id } }',
      { w: { projectId: { eq: 'shop' } } },
      teller,
    )
    expect(byVariable.data).toEqual({ tables: [], t: [] })
  })

  test('writing, training and Cypher ask for their scopes', async () => {
    const reader = as(keys['reader']!)
    expect(await codeOf('mutation { createProject(input: { id: "new" }) { id } }', reader)).toBe('FORBIDDEN')
    expect(await codeOf('mutation { startRun(kind: TRAIN_GGNN) { id } }', reader)).toBe('FORBIDDEN')
    expect(await codeOf('{ cypher(query: "MATCH (n) RETURN count(n)") { rows } }', reader)).toBe('FORBIDDEN')
    expect(await codeOf('{ cypher(query: "MATCH (n) RETURN count(n) AS n") { rows } }', as(keys['admin']!))).toBe(null)
    expect(await codeOf('mutation { startRun(kind: LEARN_PATTERNS, options: { projectIds: ["shop"] }) { id } }', as(keys['teller']!))).toBe(
      'FORBIDDEN',
    )
    expect(await codeOf('mutation { startRun(kind: LEARN_PATTERNS) { id } }', as(keys['teller']!))).toBe('FORBIDDEN')
  })

  test('a run goes on only from runs of the projects that its caller may see, and history alone opens none', async () => {
    const made = await createRun(platform.database, {
      kind: 'train-ggnn',
      options: { projectIds: ['bank', 'shop'] },
      projectId: 'bank',
    })
    await transition(platform.database, made.id, 'cancelled')
    const start = (options: object) =>
      codeOf('mutation ($o: JSON) { startRun(kind: TRAIN_GGNN, options: $o) { id } }', as(keys['teller']!), { o: options })
    for (const options of [
      { resume: runs.shop },
      { resume: `${runs.shop}@3` },
      { projectIds: ['bank'], resume: runs.shop },
      { resume: made.id },
      { resume: 'latest' },
      { glean: { enable: true, projectId: 'bank' } },
      { projectIds: ['bank'], glean: { enable: true, projectId: 'shop' } },
      { projectIds: ['bank'], datasetVersionId: 'unknown' },
    ])
      expect([options, await start(options)]).toEqual([options, 'FORBIDDEN'])
    // let through, and then there is nothing to go on from
    expect(await start({ projectIds: ['bank'], resume: 'latest' })).toBe('NOT_FOUND')
    const download = (id: string) =>
      fetch(new URL(`/runs/${id}/files/profile.json`, server.url), { headers: as(keys['teller']!) }).then((response) => response.status)
    expect([await download(runs.shop), await download(runs.bank)]).toEqual([403, 404])
  })

  test("the server's own files are for its owner: no key reads or writes a path", async () => {
    const paths =
      'mutation { ingest(projectId: "bank", systemId: "files", sources: [{ dialect: "hive-ddl", path: "/etc/hostname" }]) { snapshotId } }'
    expect(await codeOf(paths, as(keys['admin']!))).toBe('FORBIDDEN')
    expect(
      await codeOf(
        'mutation { exportToGlean(projectId: "bank", systemId: "warehouse", dir: "/tmp/x") { __typename } }',
        as(keys['admin']!),
      ),
    ).toBe('FORBIDDEN')
    expect(await codeOf('{ projects { id } }', as('the-owner-of-the-folder'))).toBe(null)
  })

  test('every root field of the platform has a row, and no row is without its field', async () => {
    const schema = await buildApiSchema()
    const graphFields = (field: { args: readonly { name: string }[] }) => field.args.some((argument) => argument.name === 'where')
    for (const root of ['Query', 'Mutation', 'Subscription'] as const) {
      const fields = Object.values((schema.getType(root) as GraphQLObjectType).getFields()).filter((field) => !graphFields(field))
      expect(fields.map((field) => field.name).sort()).toEqual(Object.keys(permissions[root]).sort())
    }
  })

  test('a stranger, whatever its scopes, is refused by every operation or finds nothing', async () => {
    const schema = await buildApiSchema()
    const stranger = as(keys['stranger']!)
    const harmless = new Set([
      'whoAmI',
      'patternsOf',
      'evaluationOf',
      'projectionLag',
      'gleanStatus',
      'projects',
      'awaitProjection',
      'datasetFormats',
    ])
    for (const root of ['Query', 'Mutation'] as const)
      for (const field of Object.values((schema.getType(root) as GraphQLObjectType).getFields())) {
        const { query, variables } = operationOf(root, field)
        const { data, errors } = await server.post(query, variables, stranger)
        const isGraph = field.args.some((argument) => argument.name === 'where')
        if (isGraph)
          expect([field.name, data[field.name]]).toEqual([field.name, field.name.endsWith('Connection') ? { totalCount: 0 } : []])
        else if (!harmless.has(field.name)) expect([field.name, errors?.[0]?.extensions.code]).toEqual([field.name, 'FORBIDDEN'])
        else expect(`${field.name} ${JSON.stringify({ data, errors })}`).not.toMatch(/bank|shop|FORBIDDEN|INTERNAL/)
      }
  })

  test('by REST a stranger is refused everything, the same whether a dataset is there or not, and the teller only what it may not', async () => {
    const { version } = await importDataset(platform.database, platform.blobs, {
      dataset: { projectId: 'bank', name: 'words', kind: 'labeled-text' },
      source: Readable.from([Buffer.from('{"text":"hello there","expected_intent":"greet","expected_sentiment":"neutral"}')]),
      file: 'words.jsonl',
      now: new Date(),
    })
    const walk = async (key: string, id: string) => {
      const found: [string, number][] = []
      for (const [method, path] of trainingDataTable) {
        const at = new URL(`/api/training-data${path.replace(':id', id)}`, server.url)
        const body = path === '/datasets' ? '{"project_id":"bank","name":"x"}' : '{}'
        if (path === '/import') at.search = '?project_id=bank&name=x'
        const init =
          method === 'post'
            ? { method: 'POST', body, headers: { ...as(key), 'content-type': 'application/json' } }
            : { method, headers: as(key) }
        // what takes it away comes last
        if (method !== 'delete') found.push([`${method} ${path}`, (await fetch(at, init)).status])
      }
      return found
    }
    const everything = (status: number) =>
      trainingDataTable.filter(([method]) => method !== 'delete').map(([method, path]) => [`${method} ${path}`, status])
    const unknown = '11111111-1111-4111-8111-111111111111'
    for (const id of [version.datasetId, unknown, 'nonsense']) expect(await walk(keys['stranger']!, id)).toEqual(everything(403))
    expect(await walk(keys['reader']!, version.datasetId)).toEqual(everything(403))
    // may read what is of its project, and change nothing
    const teller = await walk(keys['teller']!, version.datasetId)
    expect(teller.filter(([, status]) => status === 200).map(([route]) => route)).toEqual([
      'get /datasets/:id',
      'get /datasets/:id/data',
      'get /datasets/:id/export',
      'post /datasets/:id/convert',
      'get /datasets/:id/versions',
      'get /datasets/:id/statistics',
    ])
    expect(teller.filter(([, status]) => status !== 200).every(([, status]) => status === 403)).toBe(true)
    const remove = (key: string) =>
      fetch(new URL(`/api/training-data/datasets/${version.datasetId}`, server.url), { method: 'DELETE', headers: as(key) })
    expect([(await remove(keys['stranger']!)).status, (await remove(keys['teller']!)).status]).toEqual([403, 403])
    expect((await fetch(new URL('/uploads', server.url), { method: 'POST', body: 'x', headers: as(keys['teller']!) })).status).toBe(403)
    expect((await fetch(new URL(`/api/training-data/datasets/${version.datasetId}`, server.url))).status).toBe(401)
    const metrics = async (key: string) => (await fetch(new URL('/metrics', server.url), { headers: as(key) })).text()
    expect(await metrics(keys['stranger']!)).not.toContain('project="bank"')
    expect(await metrics(keys['teller']!)).toContain('training_dataset_size{dataset="words",project="bank"} 1')
    const denied = await readAudit(platform.database, { action: 'dataset-denied', actor: 'key:stranger', subject: version.datasetId })
    expect(denied.length).toBeGreaterThan(5)
    expect(await codeOf('mutation ($id: ID!) { deleteDataset(id: $id) { id } }', as(keys['teller']!), { id: version.datasetId })).toBe(
      'FORBIDDEN',
    )
    expect((await readAudit(platform.database, { action: 'dataset-denied', actor: 'key:teller', first: 1 }))[0]).toMatchObject({
      subject: version.datasetId,
      details: { deed: 'Mutation.deleteDataset' },
    })
  })

  test('an upload is of who sent it', async () => {
    await key('writer', ['training_data:write'], ['bank'])
    await key('other', ['training_data:write'], ['bank'])
    const sent = await fetch(new URL('/uploads?file=w.jsonl', server.url), {
      method: 'POST',
      body: '{"text":"hello you"}',
      headers: as(keys['writer']!),
    })
    const { id } = (await sent.json()) as { id: string }
    const use = 'mutation ($id: ID!) { importDataset(projectId: "bank", name: "sent", kind: LABELED_TEXT, uploadId: $id) { isNew } }'
    expect(await codeOf(use, as(keys['other']!), { id })).toBe('NOT_FOUND')
    expect(await codeOf(use, as(keys['writer']!), { id })).toBe(null)
  })

  test('a socket is shut without a key, and a revoked key ends what it began', async () => {
    const closed = await new Promise<{ code: number }>((resolve) =>
      server.socket({ lazy: false, on: { closed: (event) => resolve(event as { code: number }) }, onNonLazyError: () => {} }),
    )
    expect(closed.code).toBe(4401)
    const { key: made, token } = await createKey(platform.database, { name: 'watcher', scopes: ['catalog:read'], createdBy: 'test' })
    const client = server.socket({ connectionParams: { apiKey: token } })
    const followed = server.follow(client, 'subscription { snapshotIngested { id projectId } }')
    await expect
      .poll(
        async () =>
          (await platform.database.query("select count(*)::int as n from pg_stat_activity where query ilike 'listen%'")).rows[0].n,
      )
      .toBeGreaterThan(0)
    await ingest(platform.database, {
      projectId: 'bank',
      systemId: 'other',
      inputs: [{ dialect: 'hive-ddl', text: 'create table a (b int)' }],
      now: new Date(),
    })
    await followed.until((values) => values.length === 1)
    expect(JSON.stringify(followed.values)).toContain('"projectId":"bank"')
    await codeOf(`mutation { revokeKey(id: "${made.id}") { id } }`, as(keys['admin']!))
    await ingest(platform.database, {
      projectId: 'bank',
      systemId: 'other',
      inputs: [{ dialect: 'hive-ddl', text: 'create table a (b int, c int)' }],
      now: new Date(),
    })
    await expect(followed.completed).rejects.toBeDefined()
    expect(followed.values).toHaveLength(1)
  })
})

/** An operation that calls one field with the least that it takes, of ids that exist nowhere. */
function operationOf(root: 'Query' | 'Mutation', field: import('graphql').GraphQLField<unknown, unknown>) {
  const required = field.args.filter((argument) => String(argument.type).endsWith('!') && argument.defaultValue === undefined)
  const declared = required.map((argument) => `$${argument.name}: ${argument.type}`).join(', ')
  const given = required.map((argument) => `${argument.name}: $${argument.name}`).join(', ')
  const variables = Object.fromEntries(required.map((argument) => [argument.name, sample(argument.type)]))
  const selection = /^(String|Boolean|Int|Float|ID|JSON)!?$/.test(String(field.type).replace(/[[\]!]/g, ''))
    ? ''
    : field.name.endsWith('Connection') && field.args.some((it) => it.name === 'where')
      ? ' { totalCount }'
      : ' { __typename }'
  return {
    query: `${root.toLowerCase()} ${declared ? `(${declared})` : ''} { ${field.name}${given ? `(${given})` : ''}${selection} }`,
    variables,
  }
}

function sample(type: import('graphql').GraphQLInputType): unknown {
  const text = String(type).replace(/!$/, '')
  if (text.startsWith('[')) return [sample((type as unknown as { ofType: { ofType: never } }).ofType.ofType ?? (type as never))]
  const inner = (type as unknown as { ofType?: unknown }).ofType ?? type
  if (typeof (inner as { getFields?: unknown }).getFields === 'function') {
    const fields = Object.values(
      (inner as { getFields(): Record<string, { name: string; type: never; defaultValue?: unknown }> }).getFields(),
    )
    return Object.fromEntries(
      fields.filter((it) => String(it.type).endsWith('!') && it.defaultValue === undefined).map((it) => [it.name, sample(it.type)]),
    )
  }
  if (typeof (inner as { getValues?: unknown }).getValues === 'function')
    return (inner as { getValues(): { name: string }[] }).getValues()[0]!.name
  const scalars: Record<string, unknown> = { Int: 1, Float: 1, Boolean: true, DateTime: '2026-01-01T00:00:00Z', JSON: {} }
  return scalars[text] ?? 'shop/warehouse/table:pay.invoice'
}
