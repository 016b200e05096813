import { afterAll, beforeAll, expect, test } from 'vitest'
import { type LiveServer, liveServer } from './live-server.js'
import { type TestPlatform, testPlatform } from './test-platform.js'

let platform: TestPlatform
let server: LiveServer
beforeAll(async () => {
  platform = await testPlatform()
  server = await liveServer(platform)
})
afterAll(() => server?.close())

const loads = `<DEFTABLE><SMART_FOLDER FOLDER_NAME="A" DATACENTER="PROD">
  <JOB JOBNAME="LOAD" CMDLINE="load"><OUTCOND NAME="LOADED" SIGN="+"/><OUTCOND NAME="EXTRA" SIGN="+"/></JOB></SMART_FOLDER></DEFTABLE>`
const uses = (missing: string) =>
  JSON.stringify({
    Defaults: { ControlmServer: 'PROD' },
    B: {
      Type: 'Folder',
      USE: { Type: 'Job:Command', Command: 'use', in: { Type: 'WaitForEvents', Events: [{ Event: 'LOADED' }, { Event: missing }] } },
      LAST: { Type: 'Job:Command', Command: 'last' },
      Order: { Type: 'Flow', Sequence: ['USE', 'LAST'] },
    },
  })
const ingest = `mutation ($files: [SourceInput!]!, $at: DateTime!, $complete: Boolean! = false) { ingest(projectId: "bank", systemId: "cm", controlMFiles: $files, observedAt: $at, complete: $complete) {
  changes problems { code found } } }`
const workflow = `query ($asOf: DateTime, $given: [String!], $first: Int = 1000) { workflow(projectId: "bank", systemId: "cm", asOf: $asOf, given: $given, first: $first) {
  jobs conditions isExact isPartial deadJobs { id name kind reason missing root chain { id condition odate setBy } isChainPartial }
  unconsumedConditions { name steps } danglingConditions { name steps isOtherDay } cycles { steps conditions isDeadlock } } }`
const job = (name: string) => `bank/cm/controlm-job:PROD/${name}`

test('a workflow of files that came one after the other is judged as one, now and as of a moment', async () => {
  const first = await server.ask(ingest, { files: [{ text: loads, name: 'a.xml' }], at: '2024-01-01' })
  expect(first.ingest.problems).toEqual([])
  const second = await server.ask(ingest, { files: [{ text: uses('NOWHERE'), name: 'b.json' }], at: '2024-02-01' })
  expect(second.ingest.problems).not.toEqual([])

  expect((await server.ask(workflow)).workflow).toEqual({
    jobs: 3,
    conditions: 4,
    isExact: true,
    isPartial: false,
    deadJobs: [
      {
        ...{ id: job('B/LAST'), name: 'LAST', kind: 'job', reason: 'BEHIND_DEAD_JOB', missing: ['USE-TO-LAST'], root: 'NOWHERE' },
        chain: [
          { id: job('B/LAST'), condition: 'USE-TO-LAST', odate: 'run-date', setBy: job('B/USE') },
          { id: job('B/USE'), condition: 'NOWHERE', odate: 'run-date', setBy: null },
        ],
        isChainPartial: false,
      },
      {
        ...{ id: job('B/USE'), name: 'USE', kind: 'job', reason: 'CONDITION_NEVER_SET', missing: ['NOWHERE'], root: 'NOWHERE' },
        ...{ chain: [{ id: job('B/USE'), condition: 'NOWHERE', odate: 'run-date', setBy: null }], isChainPartial: false },
      },
    ],
    unconsumedConditions: [{ name: 'EXTRA', steps: [job('A/LOAD')] }],
    danglingConditions: [{ name: 'NOWHERE', steps: [job('B/USE')], isOtherDay: false }],
    cycles: [],
  })
  expect((await server.ask(workflow, { given: ['NOWHERE'] })).workflow).toMatchObject({ deadJobs: [], danglingConditions: [] })
  expect((await server.ask(workflow, { asOf: '2024-01-15' })).workflow).toMatchObject({ jobs: 1, deadJobs: [] })
  expect((await server.ask(workflow, { first: 1 })).workflow).toMatchObject({ isPartial: true, deadJobs: [{ name: 'LAST' }] })
  const { errors } = await server.post(workflow, { first: 0 })
  expect(errors?.[0]?.message).toContain('first: found 0')
})

test('files of one ingest depend on each other', async () => {
  const files = [
    { text: loads, name: 'a.xml' },
    { text: uses('EXTRA'), name: 'b.json' },
  ]
  const { ingest: report } = await server.ask(ingest, { files, at: '2024-03-01', complete: true })
  expect(report.problems).toEqual([])
  const { catalogNode } = await server.ask(
    `query ($id: ID!) { catalogNode(id: $id) { edgesOut(labels: [DEPENDS_ON]) { targetId properties } } }`,
    { id: job('B/USE') },
  )
  expect(catalogNode.edgesOut).toEqual([{ targetId: job('A/LOAD'), properties: { conditions: ['EXTRA', 'LOADED'] } }])
  expect((await server.ask(workflow)).workflow).toMatchObject({ deadJobs: [], unconsumedConditions: [] })
  const again = await server.ask(ingest, { files, at: '2024-03-01', complete: true })
  expect(again.ingest).toMatchObject({ changes: 0, problems: [] })
})

test('the net is nodes and edges of the catalog', async () => {
  const { knowledgeGraph } = await server.ask(`{ knowledgeGraph(projectId: "bank") {
    nodes(kinds: [PetriNet, PetriPlace, PetriTransition], first: 100) { edges { node { id kind } } }
    edges(labels: [PETRI_ARC], first: 100) { edges { node { sourceId targetId properties } } } } }`)
  const ids = (kind: string) =>
    (knowledgeGraph.nodes.edges as { node: { id: string; kind: string } }[])
      .filter(({ node: n }) => n.kind === kind)
      .map(({ node: n }) => n.id.replace(/^.*?:/, ''))
  expect(ids('PetriNet')).toEqual(['control-m'])
  expect(ids('PetriTransition').sort()).toEqual(['job:PROD/A/LOAD', 'job:PROD/B/LAST', 'job:PROD/B/USE'])
  expect(ids('PetriPlace')).toEqual(expect.arrayContaining(['condition:LOADED', 'ordered job:PROD/B/USE']))
  const arcs = (knowledgeGraph.edges.edges as { node: { sourceId: string; targetId: string; properties: { kind: string } } }[]).map(
    ({ node: e }) => `${e.sourceId.replace(/^.*?:/, '')} ${e.properties.kind} ${e.targetId.replace(/^.*?:/, '')}`,
  )
  expect(arcs).toEqual(
    expect.arrayContaining([
      'job:PROD/A/LOAD produce condition:LOADED',
      'condition:LOADED read job:PROD/B/USE',
      'condition:USE-TO-LAST consume job:PROD/B/LAST',
    ]),
  )
})
