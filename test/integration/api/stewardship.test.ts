import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type LiveServer, liveServer } from './live-server.js'
import { type TestPlatform, testPlatform } from './test-platform.js'

let platform: TestPlatform
let server: LiveServer
const ddl = `CREATE TABLE core.customer (id BIGINT, email STRING) COMMENT 'Who pays us';
CREATE TABLE core.account (id BIGINT, owner_id BIGINT);`
const ingest = (text: string, observedAt: string, projectId = 'bank') =>
  server.ask(
    `mutation ($text: String!, $at: DateTime!, $projectId: ID!) { ingest(projectId: $projectId, systemId: "hive", complete: true, observedAt: $at,
      hiveDdls: [{ text: $text, name: "core.sql" }]) { snapshotId quality { score } metrics { klDivergence } } }`,
    { text, at: observedAt, projectId },
  )
const customer = 'bank/hive/table:core.customer'
const email = 'bank/hive/column:core.customer.email'

beforeAll(async () => {
  platform = await testPlatform()
  server = await liveServer(platform)
  await ingest(ddl, '2024-01-01')
})
afterAll(() => server?.close())

describe("people's words", () => {
  test('are said by mutations, told by every node, kept in the audit, and shown by the graph', async () => {
    const {
      setOwners,
      addTags,
      describe: described,
    } = await server.ask(`mutation {
      setOwners(nodeId: "${customer}", owners: ["ann", "bob"]) { owners }
      addTags(nodeId: "${customer}", tags: ["gold"]) { id tags owners }
      describe(nodeId: "${customer}", description: "All who ever paid") { description tags annotationHistory { field actor before after } } }`)
    expect(setOwners).toEqual({ owners: ['ann', 'bob'] })
    expect(addTags).toEqual({ id: customer, tags: ['gold'], owners: ['ann', 'bob'] })
    expect(described).toEqual({
      description: 'All who ever paid',
      tags: ['gold'],
      annotationHistory: [
        { field: 'OWNERS', actor: 'local', before: [], after: ['ann', 'bob'] },
        { field: 'TAGS', actor: 'local', before: [], after: ['gold'] },
        { field: 'DESCRIPTION', actor: 'local', before: [], after: ['All who ever paid'] },
      ],
    })
    await server.ask('mutation { awaitProjection { lag } }')
    const { tables, audit } = await server.ask(`{
      tables(where: { tags: { includes: "gold" } }) { name owners tags terms descriptionByPeople annotatedAt }
      audit(action: "add-tags") { subject actor details } }`)
    expect(tables).toEqual([
      {
        name: 'customer',
        owners: ['ann', 'bob'],
        tags: ['gold'],
        terms: null,
        descriptionByPeople: 'All who ever paid',
        annotatedAt: expect.any(String),
      },
    ])
    expect(audit).toEqual([{ subject: customer, actor: 'local', details: { field: 'tags', before: [], after: ['gold'] } }])
    const { removeTags } = await server.ask(`mutation { removeTags(nodeId: "${customer}", tags: ["gold"]) { tags } }`)
    expect(removeTags).toEqual({ tags: [] })
  })

  test('many at once, with terms of the glossary; all or nothing', async () => {
    await server.ask('mutation { defineTerm(projectId: "bank", name: "PII", definition: "Tells who somebody is") { name } }')
    const { annotate } = await server.ask(`mutation ($a: [AnnotationInput!]!) { annotate(annotations: $a) { id tags terms } }`, {
      a: [
        { nodeId: email, addTags: ['a', 'b'], removeTags: ['a'], terms: ['PII'] },
        { nodeId: customer, tags: ['x'] },
      ],
    })
    expect(annotate).toEqual([
      { id: email, tags: ['b'], terms: ['PII'] },
      { id: customer, tags: ['x'], terms: [] },
    ])
    const { errors } = await server.post('mutation ($a: [AnnotationInput!]!) { annotate(annotations: $a) { id } }', {
      a: [
        { nodeId: customer, tags: ['y'] },
        { nodeId: email, terms: ['PIII'] },
      ],
    })
    expect(errors?.[0]).toMatchObject({ extensions: { code: 'NOT_FOUND', remedy: 'Did you mean "PII"?' } })
    const { catalogNode, glossary, glossaryHistory } = await server.ask(`{ catalogNode(id: "${customer}") { tags }
      glossary(projectId: "bank") { name definition actor } glossaryHistory(projectId: "bank") { name before after } }`)
    expect(catalogNode).toEqual({ tags: ['x'] })
    expect(glossary).toEqual([{ name: 'PII', definition: 'Tells who somebody is', actor: 'local' }])
    expect(glossaryHistory).toEqual([{ name: 'PII', before: null, after: 'Tells who somebody is' }])
    expect((await server.post('mutation { removeTerm(projectId: "bank", name: "PII") }')).errors?.[0]?.extensions.code).toBe('CONFLICT')
    expect(
      (await server.post('mutation { describe(nodeId: "bank/hive/table:nothing", description: "x") { id } }')).errors?.[0]?.extensions,
    ).toMatchObject({ code: 'NOT_FOUND' })
  })

  test('of all nodes of a page take one query', async () => {
    const statements = await platform.statements(() =>
      server.ask(
        '{ knowledgeGraph(projectId: "bank") { nodes(first: 50) { edges { node { owners tags terms description annotatedAt annotationHistory { at } } } } } }',
      ),
    )
    // whether there is such a project, nodes, words, histories of words
    expect(statements.length, statements.join('\n\n')).toBeLessThanOrEqual(4)
  })
})

describe('search', () => {
  test('finds by name, comment and tag, slips forgiven, in pages', async () => {
    const query = `query ($text: String!, $first: Int, $after: String, $kinds: [NodeKind!]) { search(text: $text, first: $first, after: $after, kinds: $kinds, projectId: "bank") {
      totalCount isPartial corrections { word meant } pageInfo { hasNextPage endCursor } edges { cursor score node { id kind tags } highlights { field text matches { start length } } } } }`
    const { search } = await server.ask(query, { text: 'custmer', kinds: ['Table'] })
    expect(search).toMatchObject({ totalCount: 1, isPartial: false, corrections: [{ word: 'custmer', meant: ['customer'] }] })
    expect(search.edges).toMatchObject([{ node: { id: customer, kind: 'Table', tags: ['x'] } }])
    expect(search.edges[0].highlights[0]).toEqual({ field: 'NAME', text: 'customer', matches: [{ start: 0, length: 8 }] })
    const seen: string[] = []
    for (let after: string | null = null; ; ) {
      const page: { edges: { node: { id: string } }[]; pageInfo: { hasNextPage: boolean; endCursor: string } } = (
        await server.ask(query, { text: 'core', first: 2, after })
      ).search
      seen.push(...page.edges.map((edge) => edge.node.id))
      if (!page.pageInfo.hasNextPage) break
      after = page.pageInfo.endCursor
    }
    expect(new Set(seen).size).toBe(seen.length)
    expect(seen).toHaveLength((await server.ask(query, { text: 'core' })).search.totalCount)
    expect((await server.post(query, { text: '???' })).errors?.[0]?.extensions.code).toBe('BAD_USER_INPUT')
    expect((await server.post(query, { text: 'x', after: 'WzFd' })).errors?.[0]?.message).toContain('is no cursor')
    const statements = await platform.statements(() => server.ask(query, { text: 'core' }))
    // scopes, candidates, their words, more candidates by near words, nodes, their tags, the total
    expect(statements.length, statements.join('\n\n')).toBeLessThanOrEqual(9)
  })
})

const preview = `token snapshots changes annotatedNodes glossaryTerms patternSets nodes { kind added changed removed } edges { label removed } kept { datasets runs }`

describe('deletion', () => {
  test('of a snapshot, confirmed by the token of what was seen', async () => {
    const { ingest: second } = await ingest('CREATE TABLE core.customer (id BIGINT);', '2024-02-01')
    const ask = () => server.ask(`{ deletionPreview(snapshotId: "${second.snapshotId}") { ${preview} } }`)
    const { deletionPreview } = await ask()
    expect(deletionPreview).toMatchObject({ snapshots: 1, annotatedNodes: 0 })
    expect(deletionPreview.nodes).toContainEqual({ kind: 'Column', added: 3, changed: 0, removed: 0 })
    expect((await ask()).deletionPreview.token).toBe(deletionPreview.token)
    const remove = (token: string) =>
      server.post('mutation ($id: ID!, $token: String!) { deleteSnapshot(snapshotId: $id, token: $token) { snapshots } }', {
        id: second.snapshotId,
        token,
      })
    expect((await remove('something')).errors?.[0]).toMatchObject({
      extensions: { code: 'CONFLICT', remedy: expect.stringContaining('deletionPreview') },
    })
    // something came since: what was seen is not what would be
    const { ingest: third } = await ingest('CREATE TABLE core.customer (id INT);', '2024-03-01')
    expect((await remove(deletionPreview.token)).errors?.[0]?.extensions.code).toBe('CONFLICT')
    const removeThird = await server.ask(`{ deletionPreview(snapshotId: "${third.snapshotId}") { token } }`)
    await server.ask(
      `mutation { deleteSnapshot(snapshotId: "${third.snapshotId}", token: "${removeThird.deletionPreview.token}") { token } }`,
    )
    expect((await remove((await ask()).deletionPreview.token)).data).toEqual({ deleteSnapshot: { snapshots: 1 } })
    await server.ask('mutation { awaitProjection { lag } }')
    const { snapshots, tables, audit } = await server.ask(
      '{ snapshots(projectId: "bank") { totalCount } tables(sort: [{ name: ASC }], where: { projectId: { eq: "bank" } }) { name tags } audit(action: "delete-snapshot") { subject } }',
    )
    expect(snapshots).toEqual({ totalCount: 1 })
    expect(tables).toEqual([
      { name: 'account', tags: null },
      { name: 'customer', tags: ['x'] },
    ])
    expect(audit.map((entry: { subject: string }) => entry.subject)).toEqual([second.snapshotId, third.snapshotId])
  })

  test('of a project and of a system; what does not exist says so', async () => {
    await ingest(ddl, '2024-01-01', 'gone')
    await server.ask('mutation { addTags(nodeId: "gone/hive/table:core.customer", tags: ["t"]) { id } }')
    const target = 'projectId: "gone", systemId: "hive"'
    const { deletionPreview: system } = await server.ask(`{ deletionPreview(${target}) { ${preview} } }`)
    expect(system).toMatchObject({ snapshots: 1, annotatedNodes: 1 })
    expect(await server.ask('{ systems(projectId: "gone") { id } }')).toEqual({ systems: [{ id: 'hive' }] })
    await server.ask(`mutation { deleteSystem(${target}, token: "${system.token}") { token } }`)
    expect(await server.ask('{ systems(projectId: "gone") { id } }')).toEqual({ systems: [] })
    const { deletionPreview: project } = await server.ask(`{ deletionPreview(projectId: "gone") { ${preview} } }`)
    await server.ask(`mutation { deleteProject(projectId: "gone", token: "${project.token}") { token } }`)
    expect((await server.ask('{ projects { id } }')).projects).toEqual([{ id: 'bank' }])
    const refused = async (args: string) => (await server.post(`{ deletionPreview(${args}) { token } }`)).errors?.[0]?.extensions.code
    expect(await refused('projectId: "gone"')).toBe('NOT_FOUND')
    expect(await refused('projectId: "bank", systemId: "nothing"')).toBe('NOT_FOUND')
    expect(await refused('snapshotId: "bank"')).toBe('NOT_FOUND')
    expect(await refused('systemId: "hive"')).toBe('BAD_USER_INPUT')
  })

  test('of a project waits for its runs', async () => {
    const { queueIngest } = await server.ask(
      'mutation ($text: String!) { queueIngest(projectId: "busy", systemId: "s", sources: [{ text: $text, name: "a.sql" }]) { id } }',
      { text: ddl },
    )
    const { errors } = await server.post('{ deletionPreview(projectId: "busy") { token } }')
    expect(errors?.[0]).toMatchObject({ message: 'project "busy" has runs under way: 1', extensions: { code: 'CONFLICT' } })
    await server.ask('mutation ($id: ID!) { cancelRun(id: $id) { state } }', { id: queueIngest.id })
    expect((await server.ask('{ deletionPreview(projectId: "busy") { snapshots kept { runs } } }')).deletionPreview).toEqual({
      snapshots: 0,
      kept: { runs: 1 },
    })
  })
})

describe('projects', () => {
  test('say what their ingests take by default', async () => {
    const update = (changes: object) =>
      server.post('mutation ($c: ProjectChanges!) { updateProject(id: "strict", changes: $c) { name rejectBelow idealDistribution } }', {
        c: changes,
      })
    expect((await update({ rejectBelow: 0.5 })).errors?.[0]?.extensions.code).toBe('NOT_FOUND')
    await server.ask(
      'mutation { createProject(input: { id: "strict" }) { id } saveSystem(projectId: "strict", input: { id: "hive", description: "The warehouse" }) { description } }',
    )
    const plain = (await ingest(ddl, '2024-01-01', 'strict')).ingest
    expect((await update({ name: 'Strict', rejectBelow: 1, idealDistribution: { number: 3, string: 1 } })).data).toEqual({
      updateProject: { name: 'Strict', rejectBelow: 1, idealDistribution: { number: 3, string: 1 } },
    })
    const again = `mutation ($text: String!) { ingest(projectId: "strict", systemId: "hive", observedAt: "2024-02-01", hiveDdls: [{ text: $text }]) { metrics { klDivergence } } }`
    const { errors } = await server.post(again, { text: ddl })
    expect(errors?.[0]?.extensions.code).toBe('GATE_FAILED')
    expect((await update({ rejectBelow: null })).data.updateProject).toEqual({
      name: 'Strict',
      rejectBelow: null,
      idealDistribution: { number: 3, string: 1 },
    })
    // three numbers and a string: that very distribution, but for the floor under the types that it lacks
    expect((await server.ask(again, { text: ddl })).ingest.metrics.klDivergence).toBeLessThan(1e-4)
    expect(plain.metrics.klDivergence).toBeGreaterThan(0.1)
    expect((await update({ idealDistribution: { strin: 1 } })).errors?.[0]?.extensions.remedy).toBe('Did you mean "string"?')
    expect((await server.post('{ project(id: "strct") { id } }')).errors?.[0]?.extensions.remedy).toBe('Did you mean "strict"?')
    expect((await server.ask('{ project(id: "strict") { systems { id description } } }')).project.systems).toEqual([
      { id: 'hive', description: 'The warehouse' },
    ])
  })
})
