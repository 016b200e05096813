import fs from 'node:fs'
import path from 'node:path'
import type { Command } from 'commander'
import type { ApiClient } from '../client.js'
import { openClient } from '../client.js'
import { openShell, printProblems } from '../command.js'
import { demoSnippets } from '../demo-snippets.js'
import type { Output } from '../output.js'
import { formatTable } from '../output.js'
import { startAndWatch } from '../watch.js'
import { describeCounts, readSources, requestIngest } from './ingest.js'
import { parsePort, stayUp } from './serve.js'

const estate = path.resolve(import.meta.dirname, '../../../scripts/demo/estate')
const place = { projectId: 'bank', systemId: 'warehouse' }

interface Step {
  api: ApiClient
  output: Output
}

interface Version {
  folder: string
  observedAt: string
}

const versions = (): Version[] =>
  (JSON.parse(fs.readFileSync(path.join(estate, 'manifest.json'), 'utf8')) as { versions: Version[] }).versions

/** The estate as it was at four moments, months apart; what each ingest finds changed is the history that is learned from. */
async function ingestEstate({ api, output }: Step): Promise<void> {
  output.say(`\nA bank's estate, as it was at ${versions().length} moments (${path.relative(process.cwd(), estate)}):`)
  for (const { folder, observedAt } of versions()) {
    const { sources } = readSources([path.join(estate, folder)])
    const answer = await requestIngest(api, { ...place, sources, observedAt: new Date(observedAt).toISOString(), complete: true })
    printProblems(answer.problems.filter((problem) => problem.severity === 'error'))
    output.say(`  ${observedAt.slice(0, 10)}  nodes: ${describeCounts(answer.nodes)}; edges: ${describeCounts(answer.edges)}`)
  }
  await api.request('mutation { awaitProjection { lag } }')
}

async function learn({ api, output }: Step): Promise<void> {
  output.say('\nPatterns of its history:')
  await startAndWatch(api, output, 'LEARN_PATTERNS', { projectIds: [place.projectId] }, 'learning')
}

/** Trains, publishes and promotes; answers the artifact's id. */
async function train({ api, output }: Step): Promise<string> {
  output.say('\nA graph neural network learns which column a foreign key points to:')
  const { result } = await startAndWatch(api, output, 'TRAIN_GGNN', { projectIds: [place.projectId] }, 'training')
  const id = String(result['artifactId'])
  await api.request('mutation ($id: ID!) { promote(artifactId: $id, alias: PRODUCTION, reason: "demo") { artifact { id } } }', { id })
  output.say(`  ${id} passed parity and gates, and is now in production`)
  return id
}

interface Links {
  predictLinks: { links: { targetId: string; score: number }[] }
}

/** Asks the served model about one key whose name says little. */
async function rank({ api, output }: Step): Promise<void> {
  const nodeId = `${place.projectId}/${place.systemId}/column:${demoColumn}`
  const { predictLinks } = await api.request<Links>(
    'query ($nodeId: ID!) { predictLinks(nodeId: $nodeId, k: 5, includeKnown: true) { links { targetId score } } }',
    { nodeId },
  )
  output.say(`\nWhich column does ${demoColumn} reference? The model in production says:`)
  const rows = predictLinks.links.map(({ targetId, score }, i) => [i + 1, targetId.split('column:')[1], score.toFixed(3)])
  output.say(formatTable(['', 'column', 'score'], rows))
}

/** The honest number: every database held out once, nothing tuned on it. */
async function evaluate({ api, output }: Step): Promise<void> {
  output.say('\nHow good is that on a database it has never seen? Each of them is held out once:')
  const { result } = await startAndWatch(api, output, 'EVALUATE', { projectIds: [place.projectId] }, 'evaluating')
  output.say(`${result['table']}\n(${result['intervals']})`)
}

/** A column whose key is not name-equal to its target. */
export const demoColumn = 'core.account.opened_by'

function tellNext(output: Output, url: string): void {
  output.say('\nWhat to try next')
  output.say(`  Open ${url} in a browser for the GraphQL editor, or paste into any client:`)
  for (const { title, language, text } of demoSnippets(place)) output.say(`\n# ${title} (${language})\n${text}`)
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
        async ({ url }) => {
          shell.output.say(`serving ${url} (process ${process.pid})`)
          const api = openClient(url)
          try {
            const step = { api, output: shell.output }
            await ingestEstate(step)
            await learn(step)
            await train(step)
            await rank(step)
            await evaluate(step)
            tellNext(shell.output, url)
            shell.output.say(once ? '\ndone' : `\nready: serving ${url} until Ctrl-C`)
          } finally {
            await api.close()
          }
        },
        { once },
      )
    })
}
