import fs from 'node:fs'
import path from 'node:path'
import type { Command } from 'commander'
import { describeProblem } from '../../util/problem.js'
import type { ApiClient } from '../client.js'
import { openClient } from '../client.js'
import { openShell, printProblems } from '../command.js'
import { demoSnippets } from '../demo-snippets.js'
import type { Output } from '../output.js'
import { formatTable } from '../output.js'
import { startAndWatch } from '../watch.js'
import { type Counts, describeCounts, type IngestAnswer, requestIngest } from './ingest.js'
import { parsePort, stayUp } from './serve.js'

const estate = path.resolve(import.meta.dirname, '../../../scripts/demo/estate')

/** scripts/demo/estate/manifest.json: which files belong to which version and system, and when each version was observed. */
interface Manifest {
  project: string
  title: string
  systems: { id: string; dialect: string }[]
  versions: { folder: string; observedAt: string; inputs: { system: string; file: string }[] }[]
}

interface Step {
  api: ApiClient
  output: Output
  manifest: Manifest
}

const readManifest = (): Manifest => JSON.parse(fs.readFileSync(path.join(estate, 'manifest.json'), 'utf8')) as Manifest

const sum = (counts: readonly Counts[]): Counts =>
  counts.reduce((a, b) => ({
    added: a.added + b.added,
    changed: a.changed + b.changed,
    removed: a.removed + b.removed,
    unchanged: a.unchanged + b.unchanged,
  }))

/** The estate as it was at four moments, months apart; what each ingest finds changed is the history that is learned from. */
async function ingestEstate({ api, output, manifest }: Step): Promise<void> {
  const { project: projectId, systems, versions, title } = manifest
  output.say(`\n${title}: its metadata as it was at ${versions.length} moments (scripts/demo/estate)`)
  for (const { folder, observedAt, inputs } of versions) {
    const answers: IngestAnswer[] = []
    for (const { id: systemId, dialect } of systems) {
      const sources = inputs
        .filter((input) => input.system === systemId)
        .map(({ file }) => ({ dialect, name: file, text: fs.readFileSync(path.join(estate, folder, file), 'utf8') }))
      answers.push(await requestIngest(api, { projectId, systemId, sources, observedAt, complete: true }))
    }
    const problems = answers.flatMap((answer) => answer.problems)
    printProblems(problems.filter((problem) => problem.severity === 'error'))
    const nodes = sum(answers.map((answer) => answer.nodes))
    const edges = sum(answers.map((answer) => answer.edges))
    output.say(`  ${observedAt.slice(0, 10)}  nodes: ${describeCounts(nodes)}; edges: ${describeCounts(edges)}`)
    if (problems.length > 0) output.say(`              ${problems.length} remarks, the first: ${describeProblem(problems[0]!)}`)
  }
  await api.request('mutation { awaitProjection { lag } }')
}

async function learn({ api, output, manifest }: Step): Promise<void> {
  output.say('\nPatterns of its history:')
  await startAndWatch(api, output, 'LEARN_PATTERNS', { projectIds: [manifest.project] }, 'learning')
}

/** Trains, publishes and promotes; answers the artifact's id. */
async function train({ api, output, manifest }: Step): Promise<string> {
  output.say('\nA graph neural network learns which column a foreign key points to:')
  const { result } = await startAndWatch(api, output, 'TRAIN_GGNN', { projectIds: [manifest.project] }, 'training')
  const id = String(result['artifactId'])
  await api.request('mutation ($id: ID!) { promote(artifactId: $id, alias: PRODUCTION, reason: "demo") { artifact { id } } }', { id })
  output.say(`  ${id} passed parity and gates, and is now in production`)
  return id
}

interface Links {
  predictLinks: { links: { targetId: string; score: number }[] }
}

/** Asks the served model about one key whose name says little. */
async function rank({ api, output, manifest }: Step): Promise<void> {
  const nodeId = `${manifest.project}/hive/column:${demoColumn}`
  const { predictLinks } = await api.request<Links>(
    'query ($nodeId: ID!) { predictLinks(nodeId: $nodeId, k: 5, includeKnown: true) { links { targetId score } } }',
    { nodeId },
  )
  output.say(`\nWhich column does ${demoColumn} reference? The model in production says:`)
  const rows = predictLinks.links.map(({ targetId, score }, i) => [i + 1, targetId.split('column:')[1], score.toFixed(3)])
  output.say(formatTable(['', 'column', 'score'], rows))
}

/** The honest number: every database held out once, nothing tuned on it. */
async function evaluate({ api, output, manifest }: Step): Promise<void> {
  output.say('\nHow good is that on a database it has never seen? Each of them is held out once:')
  const { result } = await startAndWatch(api, output, 'EVALUATE', { projectIds: [manifest.project] }, 'evaluating')
  output.say(`${result['table']}\n(${result['intervals']})`)
}

/** A column whose key is not name-equal to its target. */
export const demoColumn = 'core.account.opened_by'

function tellNext({ output, manifest }: Step, url: string): void {
  output.say('\nWhat to try next')
  output.say(`  Open ${url} in a browser for the GraphQL editor, or paste into any client:`)
  for (const { title, language, text } of demoSnippets(manifest.project)) output.say(`\n# ${title} (${language})\n${text}`)
  output.say('\n  espalier cypher takes the Cypher ones too; espalier runs list shows what was done. Ctrl-C ends everything.')
}

export function demo(program: Command): void {
  program
    .command('demo')
    .description('the whole main job on a small bank: ingest, learn, train, check, promote, rank, serve')
    .option('--port <port>', 'port to listen on (default 4000)', parsePort)
    .option('--once', 'end when everything was shown instead of serving on')
    .action(async (flags: { port?: number; once?: boolean }, command: Command) => {
      const { once = false, ...overrides } = flags
      const shell = openShell(command, { logLevel: 'warn', ...overrides })
      await stayUp(
        shell,
        async ({ url, ownerKey }) => {
          shell.output.say(`serving ${url} (process ${process.pid})`)
          const api = openClient(url, ownerKey)
          try {
            const step = { api, output: shell.output, manifest: readManifest() }
            await ingestEstate(step)
            await learn(step)
            await train(step)
            await rank(step)
            await evaluate(step)
            tellNext(step, url)
            shell.output.say(once ? '\ndone' : `\nready: serving ${url} until Ctrl-C`)
          } finally {
            await api.close()
          }
        },
        { once },
      )
    })
}
