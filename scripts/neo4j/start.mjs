/**
 * Starts a Neo4j 5.26 for tests and trials: with Docker where an engine runs, else from Neo4j's published Maven artifacts with Java 17
 * (fetched once, 116 MB, into a cache folder).
 *
 *   node scripts/neo4j/start.mjs [--folder .espalier/neo4j] [--port 0] [--with docker|java]      prints NEO4J_* lines and stays until Ctrl-C
 *   node scripts/neo4j/start.mjs [...] -- npm test                                               runs the command with NEO4J_* set, then stops
 *
 * Every start is an empty database on loopback. Port 0 (the default) is a free one.
 */
import { execFileSync, spawn, spawnSync } from 'node:child_process'
import fs from 'node:fs'
import net from 'node:net'
import path from 'node:path'
import { parseArgs } from 'node:util'

const image = 'neo4j:5.26-community'
const password = 'espalier-local'
const [own, command] = splitAtDashes(process.argv.slice(2))
const { values: options } = parseArgs({
  args: own,
  options: {
    folder: { type: 'string', default: path.resolve(import.meta.dirname, '../../.espalier/neo4j') },
    port: { type: 'string', default: '0' },
    with: { type: 'string' },
  },
})

function splitAtDashes(all) {
  const at = all.indexOf('--')
  return at < 0 ? [all, []] : [all.slice(0, at), all.slice(at + 1)]
}

const say = (line) => process.stderr.write(`neo4j: ${line}\n`)
const works = (file, ...args) => spawnSync(file, args, { stdio: 'ignore' }).status === 0

const freePort = () =>
  new Promise((resolve, reject) => {
    const server = net.createServer().once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address()
      server.close(() => resolve(port))
    })
  })

/** Waits until Bolt answers its handshake on the port: an open port alone may be Docker's proxy. */
async function untilBoltAnswers(port, isAlive, seconds = 120) {
  const handshake = Buffer.from('6060b01700040405000000000000000000000000', 'hex')
  const end = Date.now() + seconds * 1000
  while (Date.now() < end) {
    if (!isAlive()) throw new Error('the server ended before it was ready')
    const answered = await new Promise((resolve) => {
      const socket = net.connect(port, '127.0.0.1', () => socket.write(handshake))
      const finish = (result) => {
        socket.destroy()
        resolve(result)
      }
      socket.setTimeout(2000, () => finish(false))
      socket.once('data', (data) => finish(data.length >= 4))
      socket.once('error', () => finish(false))
      socket.once('close', () => finish(false))
    })
    if (answered) return
    await new Promise((resolve) => setTimeout(resolve, 200))
  }
  throw new Error(`no answer on port ${port} after ${seconds} s`)
}

/** Java 17 or newer, else null. */
function findJava() {
  for (const java of [process.env.JAVA_HOME && path.join(process.env.JAVA_HOME, 'bin/java'), 'java'].filter(Boolean)) {
    const { stderr = '', status } = spawnSync(java, ['-version'], { encoding: 'utf8' })
    const major = Number(/version "(\d+)/.exec(stderr)?.[1])
    if (status === 0 && major >= 17) return java
  }
  return null
}

function fetchArtifacts(folder) {
  const libraries = path.join(folder, 'lib-5.26.12')
  if (fs.existsSync(libraries)) return libraries
  if (!works('mvn', '-v')) throw new Error('Maven (mvn) is needed once, to fetch the server; install it, or start a Docker engine')
  say('fetching the server (116 MB, once)')
  const incoming = `${libraries}.incoming-${process.pid}`
  const pom = path.join(import.meta.dirname, 'pom.xml')
  execFileSync('mvn', ['-q', '-B', '-f', pom, 'dependency:copy-dependencies', `-DoutputDirectory=${incoming}`, '-DincludeScope=runtime'], {
    stdio: ['ignore', process.stderr, process.stderr],
  })
  fs.renameSync(incoming, libraries)
  return libraries
}

function startWithJava(folder, port) {
  const java = findJava()
  if (!java)
    throw new Error('Java 17 or newer is needed (or a Docker engine); install openjdk-17-jre-headless with its compiler module (jdk)')
  const libraries = fetchArtifacts(folder)
  const home = fs.mkdtempSync(path.join(folder, 'home-'))
  const child = spawn(
    java,
    ['-Xmx1g', '-cp', path.join(libraries, '*'), path.join(import.meta.dirname, 'Launcher.java'), home, String(port)],
    {
      stdio: ['pipe', process.stderr, process.stderr],
    },
  )
  return { child, stop: () => child.stdin.end(), clean: () => fs.rmSync(home, { recursive: true, force: true }) }
}

function startWithDocker(port) {
  const name = `espalier-neo4j-${process.pid}`
  const child = spawn(
    'docker',
    ['run', '--rm', '--name', name, '-p', `127.0.0.1:${port}:7687`, '-e', `NEO4J_AUTH=neo4j/${password}`, image],
    {
      stdio: ['ignore', 'ignore', process.stderr],
    },
  )
  return { child, stop: () => spawnSync('docker', ['stop', '-t', '5', name], { stdio: 'ignore' }), clean: () => {} }
}

async function main() {
  const folder = path.resolve(options.folder)
  fs.mkdirSync(folder, { recursive: true })
  const port = Number(options.port) || (await freePort())
  const way = options.with ?? (works('docker', 'info') ? 'docker' : 'java')
  const server = way === 'docker' ? startWithDocker(port) : startWithJava(folder, port)
  let ended = false
  const end = new Promise((resolve) =>
    server.child.once('exit', () => {
      ended = true
      server.clean()
      resolve()
    }),
  )
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => server.stop())
  await untilBoltAnswers(port, () => !ended).catch((error) => {
    server.stop()
    throw error
  })
  const environment = {
    NEO4J_URI: `bolt://127.0.0.1:${port}`,
    NEO4J_USERNAME: 'neo4j',
    NEO4J_PASSWORD: password,
    NEO4J_DATABASE: 'neo4j',
  }
  say(`ready (${way})`)
  if (command.length === 0) {
    console.log(
      Object.entries(environment)
        .map(([key, value]) => `${key}=${value}`)
        .join('\n'),
    )
    await end
    return 0
  }
  const child = spawn(command[0], command.slice(1), { stdio: 'inherit', env: { ...process.env, ...environment } })
  const status = await new Promise((resolve) => {
    child.once('error', (error) => {
      say(error.message)
      resolve(127)
    })
    child.once('exit', (code, signal) => resolve(code ?? (signal ? 1 : 0)))
  })
  server.stop()
  await end
  return status
}

main().then(
  (status) => process.exit(status),
  (error) => {
    say(error.message)
    process.exit(1)
  },
)
