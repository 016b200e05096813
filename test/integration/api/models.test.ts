import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Artifact } from '../../../src/artifacts/store.js'
import { nodeFeatureWidth, queryFeatureWidth } from '../../../src/datasets/links/features.js'
import { candidateEdgeTypes, parseFeatureSpec } from '../../../src/datasets/links/spec.js'
import { ggnn } from '../../../src/models/ggnn.js'
import { initializeParameters } from '../../../src/models/parameters.js'
import { createRun } from '../../../src/runs/store.js'
import { ortExecutor } from '../../../src/tensor/ort.js'
import { startWorker } from '../../../src/worker/worker.js'
import { publishToy } from '../../support/published.js'
import { toyLists } from '../../support/toy-lists.js'
import { type LiveServer, liveServer } from './live-server.js'
import { type TestPlatform, testPlatform } from './test-platform.js'

let platform: TestPlatform
let server: LiveServer
let artifacts: Artifact[]
beforeAll(async () => {
  platform = await testPlatform()
  server = await liveServer(platform)
  const run = await createRun(platform.database, { kind: 'train-ggnn', options: {}, projectId: 'shop' })
  artifacts = []
  for (const [i, gate] of [true, true, false].entries()) {
    const gates = [{ metric: 'mrr', threshold: 0.5, value: gate ? 0.9 : 0.1, passed: gate }]
    const failed = gate ? {} : { force: { reason: 'for the test' } }
    artifacts.push(
      await publishToy(platform, {
        seed: i + 1,
        runId: run.id,
        projectId: 'shop',
        now: new Date(Date.UTC(2026, 0, i + 1)),
        gates,
        featureSpec: undefined,
        ...failed,
      } as never),
    )
  }
})
afterAll(() => server?.close())

describe('artifacts', () => {
  test('are listed newest first, filtered and paged; each leads to its run', async () => {
    const { artifacts: page } = await server.ask(
      '{ artifacts(component: "ranker", first: 2) { totalCount pageInfo { hasNextPage endCursor } edges { node { id passed run { kind } files { path size sha256 } manifest } } } }',
    )
    expect(page.totalCount).toBe(3)
    expect(page.edges.map((e: { node: Artifact }) => e.node.id)).toEqual([artifacts[2]!.id, artifacts[1]!.id])
    expect(page.edges[0].node).toMatchObject({ passed: false, run: { kind: 'TRAIN_GGNN' }, manifest: { component: 'ranker' } })
    expect(page.edges[0].node.files[0]).toEqual({
      path: expect.any(String),
      size: expect.stringMatching(/^\d+$/),
      sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
    })
    const rest = await server.ask(
      'query ($after: String!) { artifacts(component: "ranker", first: 2, after: $after) { edges { node { id } } } }',
      { after: page.pageInfo.endCursor },
    )
    expect(rest.artifacts.edges).toEqual([{ node: { id: artifacts[0]!.id } }])
    expect((await server.ask('{ artifacts(passed: false) { totalCount } }')).artifacts.totalCount).toBe(1)
  })

  test('move with promotions and back with roll-backs, all kept', async () => {
    const promote = (id: string, more = '') =>
      `mutation { promote(artifactId: "${id}", alias: PRODUCTION ${more}) { alias forced artifact { id aliases } } }`
    await server.ask(promote(artifacts[0]!.id))
    const { promote: second } = await server.ask(promote(artifacts[1]!.id, `expected: "${artifacts[0]!.id}" reason: "better"`))
    expect(second).toMatchObject({
      alias: 'PRODUCTION',
      forced: false,
      artifact: { id: artifacts[1]!.id, aliases: expect.arrayContaining(['PRODUCTION']) },
    })
    expect((await server.post(promote(artifacts[0]!.id, `expected: "${artifacts[0]!.id}"`))).errors?.[0]?.extensions.code).toBe('CONFLICT')
    const { rollback } = await server.ask(
      'mutation { rollback(component: "ranker", reason: "worse after all") { artifact { id } undoes } }',
    )
    expect(rollback).toEqual({ artifact: { id: artifacts[0]!.id }, undoes: expect.any(Number) })
    const { promotions, artifact } = await server.ask(
      '{ promotions(component: "ranker", alias: PRODUCTION) { reason actor artifact { id } } artifact(component: "ranker") { id } }',
    )
    expect(promotions.map((p: { reason: string | null; actor: string }) => [p.reason, p.actor])).toEqual([
      ['worse after all', 'local'],
      ['better', 'local'],
      [null, 'local'],
    ])
    expect(artifact.id).toBe(artifacts[0]!.id)
  })

  test('one that failed a gate is refused, unless forced with a reason', async () => {
    const id = artifacts[2]!.id
    expect(
      (await server.post(`mutation { promote(artifactId: "${id}", alias: STAGING) { alias } }`)).errors?.[0]?.extensions,
    ).toMatchObject({ code: 'GATE_FAILED', remedy: expect.any(String) })
    expect(
      (await server.post(`mutation { promote(artifactId: "${id}", alias: STAGING, force: true) { alias } }`)).errors?.[0]?.message,
    ).toContain('needs a reason')
    const { promote } = await server.ask(
      `mutation { promote(artifactId: "${id}", alias: STAGING, force: true, reason: "to look at it") { forced } }`,
    )
    expect(promote).toEqual({ forced: true })
  })

  test('are verified byte by byte; one that is not there is NOT_FOUND', async () => {
    const { verifyArtifact } = await server.ask(`{ verifyArtifact(id: "${artifacts[0]!.id}") { files { isIntact } problems { code } } }`)
    expect(verifyArtifact.problems).toEqual([])
    expect(verifyArtifact.files.every((f: { isIntact: boolean }) => f.isIntact)).toBe(true)
    expect((await server.post('{ verifyArtifact(id: "nothing@1") { artifactId } }')).errors?.[0]?.extensions.code).toBe('NOT_FOUND')
    expect(await server.ask('{ artifact(id: "nothing@1") { id } }')).toEqual({ artifact: null })
  })
})

describe('serving', () => {
  const rank = `query ($lists: [RankingListInput!]!) { rank(lists: $lists) { queryId artifactId candidates { index id score } } }`
  const [list] = toyLists(1, { seed: 9 })
  const wire = { queryId: list!.queryId, candidates: list!.candidates.map(({ id, nodeFeatures, edges }) => ({ id, nodeFeatures, edges })) }

  test('ranks lists with the artifact that production names', async () => {
    const { rank: ranked } = await server.ask(rank, { lists: [wire] })
    expect(ranked[0]).toMatchObject({ queryId: 'q0', artifactId: artifacts[0]!.id })
    const scores = ranked[0].candidates.map((c: { score: number }) => c.score)
    expect(scores).toEqual([...scores].sort((a, b) => b - a))
    const [direct] = await platform.serving.rank([list!])
    expect(ranked[0].candidates).toEqual(direct!.candidates)
    const { serving } = await server.ask('{ serving { latency cache pending artifacts } }')
    expect(serving).toMatchObject({ latency: { count: expect.any(Number) }, pending: 0 })
  })

  test('what the model cannot take is said with its place', async () => {
    const odd = { ...wire, candidates: [{ nodeFeatures: [[1, 2]], edges: [] }] }
    expect((await server.post(rank, { lists: [odd] })).errors?.[0]?.extensions.code).toBe('BAD_USER_INPUT')
    const bent = { ...wire, candidates: [{ nodeFeatures: [[1, 2, 3, 4]], edges: [[0]] }] }
    expect((await server.post(rank, { lists: [bent] })).errors?.[0]?.message).toContain('candidate 0: found the edge [0]')
  })

  test('predicts links of a column of the live catalog', async () => {
    const spec = parseFeatureSpec({})
    const modelOptions = ggnn.options.parse({
      features: nodeFeatureWidth(spec),
      queryFeatures: queryFeatureWidth(spec),
      edgeTypes: candidateEdgeTypes(spec).length,
      hidden: 8,
      steps: 2,
    })
    const wide = toyLists(4, { features: modelOptions.features }).map((l) => ({
      ...l,
      query: new Array(modelOptions.queryFeatures).fill(0),
    }))
    const linker = await publishToy(platform, {
      component: 'linker',
      modelOptions,
      parameters: initializeParameters(ggnn.parameters(modelOptions), 3),
      featureSpec: spec,
      validation: wide,
    })
    await server.ask(`mutation { promote(artifactId: "${linker.id}") { id } ingest(projectId: "shop", systemId: "hive", observedAt: "2026-01-01", hiveDdls: [{ text: """
      CREATE DATABASE s; USE s;
      CREATE TABLE customers (id INT, name STRING, PRIMARY KEY (id) DISABLE NOVALIDATE);
      CREATE TABLE orders (id INT, customer_id INT, CONSTRAINT fk FOREIGN KEY (customer_id) REFERENCES customers (id) DISABLE NOVALIDATE);
    """ }]) { changes } }`)
    const query = `query ($id: ID!, $known: Boolean! = false, $task: String! = "foreign-key") { predictLinks(nodeId: $id, k: 3, component: "linker", includeKnown: $known, task: $task) {
      task artifactId considered isPartial links { rank targetId isKnown score target { name kind } } } }`
    const id = 'shop/hive/column:s.orders.customer_id'
    const { predictLinks } = await server.ask(query, { id, known: true })
    expect(predictLinks).toMatchObject({ task: 'foreign-key', artifactId: linker.id, considered: 3, isPartial: false })
    expect(predictLinks.links).toHaveLength(3)
    expect(predictLinks.links.filter((l: { isKnown: boolean }) => l.isKnown)).toMatchObject([
      { targetId: 'shop/hive/column:s.customers.id', target: { name: 'id', kind: 'Column' } },
    ])
    expect((await server.ask(query, { id })).predictLinks.considered).toBe(2)
    expect((await server.post(query, { id: 'nothing' })).errors?.[0]?.extensions.code).toBe('NOT_FOUND')
    expect((await server.post(query, { id: 'shop/hive/table:s.orders' })).errors?.[0]?.message).toContain('Table')
    expect((await server.post(query, { id, task: 'foreign-keys' })).errors?.[0]?.extensions.remedy).toContain('foreign-key')
    // the estate is read once, until the ledger moves
    const reads = async (considered: number) => {
      const statements = await platform.statements(async () => {
        expect((await server.ask(query, { id })).predictLinks.considered).toBe(considered)
      })
      return statements.filter((text) => text.includes('written_edge')).length
    }
    expect([await reads(2), await reads(2)]).toEqual([0, 0])
    await server.ask(
      `mutation { ingest(projectId: "shop", systemId: "hive", observedAt: "2026-01-02", hiveDdls: [{ text: "CREATE TABLE s.regions (code INT)" }]) { changes } }`,
    )
    expect(await reads(3)).toBeGreaterThan(0)
    expect(await reads(3)).toBe(0)
    const unencoded = await server.post(`{ predictLinks(nodeId: "${id}") { considered } }`)
    expect(unencoded.errors?.[0]?.message).toContain('without a feature spec')
  })
})

describe('runs that work', () => {
  test('learning patterns: settled options, live events, a pattern set that answers predictions', async () => {
    for (const [at, type] of [
      ['2026-02-01', 'INT'],
      ['2026-03-01', 'BIGINT'],
    ])
      await server.ask(
        `mutation { ingest(projectId: "shop", systemId: "hive", observedAt: "${at}", hiveDdls: [{ text: "CREATE TABLE s.growing (id ${type}, label STRING)", name: "g.sql" }]) { changes } }`,
      )
    const worker = await startWorker({
      ...platform,
      executor: ortExecutor,
      executorFor: async () => ortExecutor,
      close: async () => undefined,
    })
    try {
      const { learnPatterns } = await server.ask('mutation { learnPatterns { id kind options } }')
      expect(learnPatterns).toMatchObject({ kind: 'LEARN_PATTERNS', options: { projectIds: ['shop'] } })
      const followed = server.follow(
        server.socket(),
        `subscription { runEvents(runId: "${learnPatterns.id}") { type ... on StateEvent { to } } }`,
      )
      await followed.completed
      expect(followed.values.at(-1).data.runEvents).toEqual({ type: 'state', to: 'COMPLETED' })
      const answer = await server.ask(`{
        patternSets(projectId: "shop") { id version format since snapshotIds summary columnPatterns relationshipPatterns run { id state } }
        patternSet(projectId: "shop") { id metricsPatterns temporalPatterns workflowPatterns schemaEvolution }
        predictColumnType(projectId: "shop", column: "label", table: "shop/hive/table:s.growing") { type probability count }
        predictFutureChanges(projectId: "shop", horizonDays: 30, first: 3) {
          asOf horizonDays changes { table column predictedChange from to probability } tables { id probability } columns { id probability } trainedOn }
        predictSchemaEvolution(projectId: "shop", currentType: "int", column: "id", horizonDays: 365) { type change probability }
        predictRelationshipType(projectId: "shop", sourceKind: Table, targetKind: Column) { label probability count } }`)
      expect(answer.patternSets).toMatchObject([
        { id: 'shop@1', version: 1, summary: { hasHistoricalData: true }, run: { id: learnPatterns.id, state: 'COMPLETED' } },
      ])
      expect(answer.patternSet).toMatchObject({
        id: 'shop@1',
        metricsPatterns: { points: expect.any(Number) },
        workflowPatterns: { jobs: 0 },
        schemaEvolution: { changePatterns: { distribution: { type_transition: 1 } } },
        temporalPatterns: {
          postgresTemporal: { state: 'read' },
          neo4jTemporal: { state: 'read', engine: 'grafeo', ledger: { isSame: true } },
          // none is configured: that is told, and no empty answer
          temporalMetrics: { state: 'failed', reason: expect.stringContaining('Glean is not configured') },
        },
      })
      expect(answer.predictColumnType[0]).toMatchObject({ type: 'string', count: expect.any(Number) })
      expect(answer.predictFutureChanges).toMatchObject({
        asOf: '2026-03-01T00:00:00.000Z',
        horizonDays: 30,
        trainedOn: { windows: expect.any(Number) },
      })
      expect(answer.predictFutureChanges.changes).toHaveLength(3)
      const probabilities = answer.predictSchemaEvolution.map((p: { probability: number }) => p.probability)
      expect(probabilities.reduce((a: number, b: number) => a + b)).toBeCloseTo(1)
      expect(answer.predictSchemaEvolution.map((p: { type: string }) => p.type)).toEqual(expect.arrayContaining(['int', 'bigint']))
      expect(answer.predictRelationshipType[0].label).toBe('HAS_COLUMN')
      const { learnPatterns: again } = await server.ask('mutation { learnPatterns(projectId: "shop", since: "2026-02-15") { id options } }')
      expect(again.options).toMatchObject({ projectIds: ['shop'], since: '2026-02-15T00:00:00.000Z' })
      await server.follow(server.socket(), `subscription { runEvents(runId: "${again.id}") { type } }`).completed
      const { comparePatternSets } = await server.ask(`{ comparePatternSets(before: "shop@1", after: "shop@2") {
        before { version } after { version since } summary { name before after change } transitions { name change } snapshotsRemoved notCompared } }`)
      expect(comparePatternSets).toMatchObject({
        before: { version: 1 },
        after: { version: 2, since: '2026-02-15T00:00:00.000Z' },
        notCompared: [],
      })
      expect(comparePatternSets.snapshotsRemoved.length).toBeGreaterThan(0)
    } finally {
      await worker.stop()
    }
  })

  test('options: nothing needs to be given, what is wrong is named with what was meant', async () => {
    const { startRun } = await server.ask(
      'mutation { startRun(kind: TRAIN_GGNN, name: "by hand", priority: 9) { state priority options projectId } }',
    )
    expect(startRun).toMatchObject({
      state: 'PENDING',
      priority: 9,
      projectId: 'shop',
      options: { projectIds: ['shop'], task: 'foreign-key', training: { epochs: expect.any(Number) }, asOf: expect.any(String) },
    })
    const { errors } = await server.post('mutation { startRun(kind: TRAIN_GGNN, options: { training: { epoch: 3 } }) { id } }')
    expect(errors?.[0]?.extensions).toMatchObject({
      code: 'BAD_USER_INPUT',
      problems: [{ code: 'unknown-option', found: 'epoch', suggestion: 'Did you mean "epochs"?' }],
    })
  })

  test('patterns of facts in hand, and what is wrong with a request', async () => {
    const query = 'query ($facts: JSON!) { patternsOf(facts: $facts) }'
    const nodes = [
      { id: 'a', kind: 'Table' },
      { id: 'b', kind: 'Column', properties: { data_type: 'int' } },
    ]
    const { patternsOf } = await server.ask(query, { facts: { nodes, edges: [{ sourceId: 'a', label: 'HAS_COLUMN', targetId: 'b' }] } })
    expect(patternsOf).toMatchObject({ columnPatterns: { typeDistribution: { int: 1 } }, summary: { nodes: 2, edges: 1 } })
    const refusals: [query: string, variables: Record<string, unknown>, message: string][] = [
      [query, { facts: { nodes: [{ id: 'a', kind: 'Tabel' }], edges: [] } }, 'the first at nodes.0.kind'],
      ['{ comparePatternSets(before: "shop", after: "shop@2") { notCompared } }', {}, 'pattern set "shop"'],
      ['{ predictFutureChanges(projectId: "shop", horizonDays: 0) { asOf } }', {}, 'expected 1 to 3650'],
      ['mutation { learnPatterns(projectId: "shop", projectIds: ["shop"]) { id } }', {}, 'found both projectId and projectIds'],
    ]
    for (const [asked, variables, message] of refusals)
      expect((await server.post(asked, variables)).errors?.[0]?.message).toContain(message)
  })

  test('no pattern set yet is NOT_FOUND with what to do', async () => {
    await server.ask('mutation { createProject(input: { id: "unlearned" }) { id } }')
    expect((await server.post('{ patternSet(projectId: "unlearned") { id } }')).errors?.[0]?.extensions).toMatchObject({
      code: 'NOT_FOUND',
      remedy: expect.stringContaining('learn'),
    })
  })
})
