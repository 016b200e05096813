import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createKey } from '../../../src/access/key-store.js'
import type { GraphExample } from '../../../src/models/graphs/graph-example.js'
import { initializeParameters } from '../../../src/models/parameters.js'
import { modelNamed } from '../../../src/models/registry.js'
import { publishToy } from '../../support/published.js'
import { type LiveServer, liveServer } from './live-server.js'
import { type TestPlatform, testPlatform } from './test-platform.js'

const model = modelNamed('ggnn-graph')
const modelOptions = model.options.parse({ features: 1, hidden: 8, steps: 1, labels: ['a', 'b', 'c'] })
const graphs = [1, 3].map((nodes) => ({
  id: `g${nodes}`,
  nodeFeatures: Array.from({ length: nodes }, (_, v) => [v]),
  edges: Array.from({ length: nodes - 1 }, (_, v) => [v, v + 1]),
}))
const query = `query ($graphs: [GraphInput!]!, $component: String! = "graph-classifier", $top: Int) {
  predictGraphs(graphs: $graphs, component: $component, top: $top) { id kind artifactId version precision answer probability outputs { value probability } } }`

let platform: TestPlatform
let server: LiveServer
let artifactId: string
beforeAll(async () => {
  platform = await testPlatform()
  server = await liveServer(platform)
  const validation = graphs.map((graph) => ({ ...graph, target: 'a' })) as unknown as GraphExample[]
  const artifact = await publishToy(platform, {
    ...{ component: 'graph-classifier', model, modelOptions, parameters: initializeParameters(model.parameters(modelOptions), 1) },
    ...{ validation, featureSpec: undefined, projectId: 'toys', metrics: {}, gates: [] },
  } as never)
  artifactId = artifact.id
  await server.ask(`mutation { promote(artifactId: "${artifactId}") { id } }`)
})
afterAll(() => server?.close())

describe('predictGraphs', () => {
  test('answers in the order of the graphs, with the likeliest choices, as serving does', async () => {
    const { predictGraphs } = await server.ask(query, { graphs, top: 2 })
    const direct = await platform.serving.answer(graphs as unknown as GraphExample[], { component: 'graph-classifier' })
    expect(predictGraphs.map((it: { id: string }) => it.id)).toEqual(['g1', 'g3'])
    for (const [i, { kind, artifactId: by, precision, answer, probability, outputs }] of predictGraphs.entries()) {
      expect({ kind, by, precision }).toEqual({ kind: 'graph', by: artifactId, precision: 'FP32' })
      expect([answer, probability]).toEqual([direct[i]!.answer, direct[i]!.probability])
      expect(outputs).toEqual([direct[i]!.outputs[0]!.slice(0, 2)])
      expect(answer).toBe(outputs[0][0].value)
    }
  })

  test('says what it cannot take, and what nobody answers', async () => {
    const error = async (variables: Record<string, unknown>) => (await server.post(query, variables)).errors?.[0]
    const bent = { ...graphs[1], edges: [[0]] }
    expect((await error({ graphs: [bent] }))?.message).toContain('graph g3: found the edge [0]')
    const far = { ...graphs[1], edges: [[0, 3]] }
    expect(await error({ graphs: [far] })).toMatchObject({
      extensions: { code: 'BAD_USER_INPUT' },
      message: expect.stringContaining('0 to 2'),
    })
    expect((await error({ graphs, component: 'nobody' }))?.extensions).toMatchObject({ code: 'NOT_FOUND', remedy: expect.any(String) })
  })

  test('is for those who may read the project of the artifact', async () => {
    const as = async (project: string) => {
      const { token } = await createKey(platform.database, {
        name: project,
        scopes: ['catalog:read'],
        projects: [project],
        createdBy: 'test',
      })
      return server.post(query, { graphs }, { 'x-api-key': token })
    }
    expect((await as('toys')).data?.['predictGraphs']).toHaveLength(2)
    expect((await as('others')).errors?.[0]?.extensions.code).toBe('FORBIDDEN')
  })

  test('an evaluation of an artifact is for those who may train in its project', async () => {
    const start = 'mutation ($options: JSON) { startRun(kind: EVALUATE, options: $options) { id } }'
    const as = async (project: string) => {
      const name = `trains ${project}`
      const { token } = await createKey(platform.database, { name, scopes: ['training:execute'], projects: [project], createdBy: 'test' })
      const options = { projectIds: [project], artifact: 'graph-classifier' }
      return (await server.post(start, { options }, { 'x-api-key': token })).errors?.[0]
    }
    expect((await as('others'))?.extensions.code).toBe('FORBIDDEN')
    // of its own project it is told what is wrong with it: there is nothing to rank
    expect((await as('toys'))?.extensions.code).toMatch(/NOT_FOUND|BAD_USER_INPUT/)
  })
})
