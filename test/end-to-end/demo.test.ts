import fs from 'node:fs'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { demoSnippets } from '../../src/cli/demo-snippets.js'
import { espalier, type LiveEspalier, root, startLive } from '../support/espalier.js'
import { describeIf } from '../support/need.js'

const neo4j = process.env['NEO4J_URI']
const engines: { engine: string; env: Record<string, string>; usable: boolean }[] = [
  { engine: 'the embedded graph', env: {}, usable: true },
  {
    engine: 'Neo4j',
    env: Object.fromEntries(Object.entries(process.env).filter(([name]) => name.startsWith('NEO4J_'))) as Record<string, string>,
    usable: neo4j !== undefined,
  },
]

interface Run {
  id: string
  kind: string
  state: string
  result: Record<string, never>
}

for (const { engine, env, usable } of engines)
  describeIf(usable, 'NEO4J_URI is not set: start a server with scripts/neo4j/start.mjs', `the demo on ${engine}`, () => {
    let live: LiveEspalier
    beforeAll(async () => {
      live = await startLive(['demo'], { env })
      await live.said(/ready: serving/, 200_000)
    }, 240_000)
    afterAll(async () => {
      if (live) expect(await live.stop()).toBe(0)
    })

    it('prints what each step came to', () => {
      const output = live.output()
      expect(output).toMatch(/2025-\d\d-\d\d {2}nodes: \d+ added, 0 changed, 0 removed, /)
      expect(output).toMatch(/ranker@\S+ passed parity and gates, and is now in production/)
      expect(output).toMatch(/Which column does core\.account\.\w+ reference\?/)
      // the honest table: every ranker with n and an interval, the baselines beside it
      for (const ranker of ['ggnn', 'random', 'exact name'])
        expect(output).toMatch(new RegExp(`^${ranker} +\\d+ .*\\[0\\.\\d{3}, [01]\\.\\d{3}\\]`, 'm'))
    })

    it("answers the README's GraphQL", async () => {
      const readme = fs.readFileSync(path.join(root, 'README.md'), 'utf8')
      const snippets = [...readme.matchAll(/^```graphql\n([\s\S]*?)^```/gm)].map(([, text]) => text!)
      expect(snippets.length).toBeGreaterThan(0)
      for (const text of snippets) expect(JSON.stringify(await live.api.request(text)), text).toContain('[{')
    })

    it('prints snippets that answer when they are pasted', async () => {
      const output = live.output()
      for (const { language, text } of demoSnippets('demo-bank')) {
        expect(output).toContain(text)
        if (language === 'GraphQL') {
          const answer = await live.api.request<Record<string, unknown>>(text)
          expect(JSON.stringify(answer)).toMatch(/\[\{|"nodes":\[\{/)
        } else {
          const { cypher } = await live.api.request<{ cypher: { rows: unknown[][] } }>(
            'query ($q: String!) { cypher(query: $q) { rows } }',
            { q: text },
          )
          expect(cypher.rows.length, text).toBeGreaterThan(0)
        }
      }
    })

    it('trained a model whose loss fell, with its events in order and without gaps', async () => {
      const { runs } = await live.api.request<{ runs: { edges: { node: Run }[] } }>(
        '{ runs(first: 50, kind: [TRAIN_GGNN]) { edges { node { id kind state result } } } }',
      )
      const run = runs.edges[0]!.node
      expect(run.state).toBe('COMPLETED')
      const sequences: number[] = []
      const losses: number[] = []
      const reciprocalRanks: number[] = []
      const events = live.api.subscribe<{ runEvents: { sequence: number; name?: string; value?: number } }>(
        'subscription ($id: ID!) { runEvents(runId: $id) { sequence ... on MetricEvent { name value } } }',
        { id: run.id },
      )
      for await (const { runEvents: event } of events) {
        sequences.push(event.sequence)
        if (event.name === 'training_loss') losses.push(event.value!)
        if (event.name === 'mrr') reciprocalRanks.push(event.value!)
      }
      expect(sequences).toEqual(sequences.map((_, i) => i + 1))
      expect(losses.length).toBeGreaterThan(5)
      // what is left is the entropy of the softened targets, below which no ranker gets
      expect(losses.at(-1)!).toBeLessThan(losses[0]! - 0.1)
      expect(Math.max(...reciprocalRanks)).toBeGreaterThan(0.9)
    })

    it('links model, run, dataset and tables both ways between ledger and graph', async () => {
      const { artifacts } = await live.api.request<{
        artifacts: { edges: { node: { id: string; aliases: string[]; run: { id: string; node: { id: string } } } }[] }
      }>('{ artifacts { edges { node { id aliases run { id node { id } } } } } }')
      const { node } = artifacts.edges[0]!
      expect(node.aliases).toEqual(expect.arrayContaining(['PRODUCTION', 'LATEST']))
      expect(node.run.node.id).toBe(`run:${node.run.id}`)
      const { runNodes } = await live.api.request<{ runNodes: { run: { id: string } }[] }>(
        'query ($id: String!) { runNodes(where: { runId: { eq: $id } }) { run { id } } }',
        {
          id: node.run.id,
        },
      )
      expect(runNodes).toEqual([{ run: { id: node.run.id } }])
    })

    it('refuses what must be refused, and goes on answering', async () => {
      const refused = async (query: string, code: string) =>
        expect(
          await live.api.request('query ($q: String!) { cypher(query: $q, timeoutMs: 1500) { rows } }', { q: query }).catch((e) => e),
          query,
        ).toMatchObject({
          code,
          message: expect.any(String),
        })
      await refused('CREATE (n:Table) RETURN n', 'CYPHER_REFUSED')
      await refused('MATHC (n) RETURN n', 'CYPHER_REFUSED')
      await refused('MATCH (a), (b), (c), (d), (e) WHERE a.name + b.name + c.name + d.name + e.name = "x" RETURN count(*)', 'TIMEOUT')
      const [run] = (
        await live.api.request<{ runs: { edges: { node: Run }[] } }>(
          '{ runs(first: 1, state: [COMPLETED]) { edges { node { id kind state result } } } }',
        )
      ).runs.edges
      const failure = await live.api.request('mutation ($id: ID!) { pauseRun(id: $id) { id } }', { id: run!.node.id }).catch((e) => e)
      expect(failure).toMatchObject({ code: 'ILLEGAL_TRANSITION' })
      expect(await live.api.request('{ projects { id } }')).toEqual({ projects: [{ id: 'demo-bank' }] })
    })

    it('collects the problems of broken input, and loses nothing else', async () => {
      const sources = [
        {
          dialect: 'hive-ddl',
          name: 'broken.sql',
          text: 'CREATE TABLE good.a (id int);\nCREATE TABEL good.b (id int);\nCREATE TABLE good.c (id int);',
        },
        {
          dialect: 'control-m-xml',
          name: 'cut.xml',
          text: '<DEFTABLE><FOLDER FOLDER_NAME="f"><JOB JOBNAME="whole" TASKTYPE="Command"></JOB><JOB JOBNAME="cu',
        },
      ]
      const { ingest } = await live.api.request<{ ingest: { problems: { where: string; severity: string }[] } }>(
        'mutation ($sources: [DialectInput!]) { ingest(projectId: "spoilt", systemId: "s", sources: $sources) { problems { where severity found expected } } }',
        { sources },
      )
      const errors = ingest.problems.filter((problem) => problem.severity === 'ERROR')
      expect(errors.map((problem) => problem.where)).toEqual([
        expect.stringMatching(/^broken\.sql:2/),
        expect.stringMatching(/^cut\.xml:1/),
      ])
      await live.api.request('mutation { awaitProjection { lag } }')
      const { cypher } = await live.api.request<{ cypher: { rows: unknown[][] } }>(
        `{ cypher(query: "MATCH (n) WHERE n.project_id = 'spoilt' AND (n:Table OR n:ControlMJob) RETURN n.name ORDER BY n.name") { rows } }`,
      )
      expect(cypher.rows).toEqual([['a'], ['c'], ['whole']])
    })

    it('lets no second server onto its folder, nor onto its port', () => {
      const second = espalier(['serve', '--home', live.home, '--port', '0'])
      expect(second).toMatchObject({
        status: 1,
        stderr: expect.stringContaining(`in use by process ${live.process.pid}, which serves ${live.url}`),
      })
      const port = new URL(live.url).port
      const clash = espalier(['serve', '--home', `${live.home}-other`, '--port', port], { env })
      expect(clash).toMatchObject({ status: 1, stderr: expect.stringContaining(`port ${port}`) })
    })

    it('is reached by every command through its folder', () => {
      const answer = espalier(['cypher', 'MATCH (t:Table) RETURN count(t) AS tables', '--json', '--home', live.home])
      expect(answer.status, answer.stderr).toBe(0)
      expect(JSON.parse(answer.stdout)).toMatchObject({ columns: ['tables'], isPartial: false })
      expect(espalier(['runs', 'list', '--home', live.home]).stdout).toMatch(/TRAIN_GGNN +COMPLETED/)
      expect(espalier(['artifacts', 'list', '--home', live.home]).stdout).toMatch(/ranker@\S+ +passed +.*production/)
      expect(espalier(['cypher', 'DELETE x', '--home', live.home])).toMatchObject({ status: 2 })
      expect(espalier(['cyhper', 'x'])).toMatchObject({ status: 2, stderr: expect.stringContaining('cypher') })
      expect(JSON.parse(espalier(['doctor', '--json', '--home', live.home]).stdout)).toEqual(
        expect.arrayContaining([expect.objectContaining({ what: 'executor ort', usable: true })]),
      )
    })
  })

describe('the shell', () => {
  it('answers without a server by starting one for the command', () => {
    const first = espalier(['migrate', '--json', '--home', `/tmp/espalier-e2e-${process.pid}`])
    expect(first.status, first.stderr).toBe(0)
    expect(JSON.parse(first.stdout).applied.length).toBeGreaterThan(3)
    const answer = espalier(['cypher', 'RETURN 1 AS one', '--json', '--home', `/tmp/espalier-e2e-${process.pid}`])
    expect(answer.status, answer.stderr).toBe(0)
    expect(JSON.parse(answer.stdout)).toMatchObject({ rows: [[1]] })
  })
})
