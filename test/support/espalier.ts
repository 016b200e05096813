import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { type ApiClient, openClient } from '../../src/cli/client.js'

export const root = path.resolve(import.meta.dirname, '../..')
const cli = path.join(root, 'dist/cli/main.js')

/** The environment of a user's shell: nothing of the test run's own settings. */
export function userEnvironment(extra: Record<string, string> = {}): NodeJS.ProcessEnv {
  const env = { ...process.env, ...extra }
  for (const name of Object.keys(env))
    if (/^(ESPALIER_|NEO4J_|DATABASE_URL|POSTGRES_|VITEST|NODE_ENV|CI$)/.test(name) && !(name in extra)) delete env[name]
  return env
}

export const temporaryFolder = (): string => fs.mkdtempSync(path.join(os.tmpdir(), 'espalier-e2e-'))

export interface Outcome {
  status: number | null
  stdout: string
  stderr: string
}

/** Runs `espalier ...args` to its end. */
export function espalier(
  args: readonly string[],
  options: { env?: Record<string, string>; cwd?: string; input?: string; timeoutMs?: number } = {},
): Outcome {
  const { status, stdout, stderr } = spawnSync(process.execPath, [cli, ...args], {
    cwd: options.cwd ?? os.tmpdir(),
    env: userEnvironment(options.env),
    encoding: 'utf8',
    timeout: options.timeoutMs ?? 120_000,
    ...(options.input === undefined ? {} : { input: options.input }),
  })
  return { status, stdout, stderr }
}

export interface LiveEspalier {
  process: ChildProcess
  url: string
  home: string
  api: ApiClient
  /** all that it has printed so far */
  output(): string
  /** all that it has logged so far */
  log(): string
  /** resolves once standard output matches */
  said(pattern: RegExp, timeoutMs?: number): Promise<RegExpMatchArray>
  /** Ctrl-C, then waits for the end */
  stop(): Promise<number | null>
}

/** Starts `espalier serve|demo …` as its users do, on a folder of its own and a free port, and waits until it serves. */
export async function startLive(
  args: readonly string[],
  options: { env?: Record<string, string>; home?: string; readyMs?: number } = {},
): Promise<LiveEspalier> {
  const home = options.home ?? temporaryFolder()
  const child = spawn(process.execPath, [cli, ...args, '--home', home, '--port', '0'], {
    cwd: root,
    env: userEnvironment(options.env),
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  let errors = ''
  const listeners = new Set<() => void>()
  const tell = () => {
    for (const listener of listeners) listener()
  }
  child.stdout.on('data', (chunk) => {
    output += chunk
    tell()
  })
  child.stderr.on('data', (chunk) => {
    errors += chunk
    tell()
  })
  const ended = new Promise<number | null>((resolve) => child.once('exit', (status) => resolve(status)))
  child.once('exit', tell)
  const said = (pattern: RegExp, timeoutMs = 120_000) =>
    new Promise<RegExpMatchArray>((resolve, reject) => {
      const give = (outcome: () => void) => {
        clearTimeout(timer)
        listeners.delete(look)
        outcome()
      }
      const look = () => {
        const match = pattern.exec(output)
        if (match) give(() => resolve(match))
        else if (child.exitCode !== null)
          give(() => reject(new Error(`ended with ${child.exitCode} before it said ${pattern}\n${output}\n${errors}`)))
      }
      const timer = setTimeout(
        () => give(() => reject(new Error(`did not say ${pattern} within ${timeoutMs} ms\n${output}\n${errors}`))),
        timeoutMs,
      )
      listeners.add(look)
      look()
    })
  try {
    const [, url] = await said(/serving (http:\/\/\S+\/graphql)/, options.readyMs ?? 60_000)
    const api = openClient(url!)
    return {
      process: child,
      url: url!,
      home,
      api,
      output: () => output,
      log: () => errors,
      said,
      stop: async () => {
        await api.close()
        child.kill('SIGINT')
        const status = await ended
        if (!options.home) fs.rmSync(home, { recursive: true, force: true })
        return status
      },
    }
  } catch (error) {
    child.kill('SIGTERM')
    throw error
  }
}
