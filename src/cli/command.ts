import type { Command } from 'commander'
import { type Config, readConfig } from '../config.js'
import { EspalierError, errorCodes, messageOf } from '../util/error.js'
import { createLogger, type Logger } from '../util/log.js'
import { describeProblem, type Problem } from '../util/problem.js'
import { type ApiClient, openClient } from './client.js'
import { readServerRecord } from './home.js'
import { createOutput, type Output } from './output.js'
import { startEspalier } from './supervisor.js'

/** Flags that every command takes. */
export interface GlobalFlags {
  json?: boolean
  home?: string
  url?: string
}

export interface Shell {
  config: Config
  log: Logger
  output: Output
}

/** Reads the global flags of `command` and the configuration under them. */
export function openShell(command: Command, overrides: Partial<Config> = {}): Shell {
  const { json = false, home, url } = command.optsWithGlobals<GlobalFlags>()
  const config = readConfig({ ...(home ? { home } : {}), ...(url ? { url } : {}), ...overrides })
  return { config, log: createLogger(config.logLevel), output: createOutput(json) }
}

/**
 * Calls `work` with a client for the server at ESPALIER_URL, else for the one that runs on the home folder, else for one that is
 * started on a free port for this command alone.
 */
export async function withApi<T>({ config, log }: Shell, work: (api: ApiClient) => Promise<T>): Promise<T> {
  const record = config.url ? null : readServerRecord(config.home)
  const running = config.url ?? record?.url
  const own = running ? null : await startEspalier({ ...config, port: 0, logLevel: 'warn' }, log)
  const api = openClient(running ?? own!.url, config.apiKey ?? record?.ownerKey ?? own?.ownerKey)
  try {
    return await work(api)
  } finally {
    await api.close()
    await own?.stop()
  }
}

/** Prints the problems of an input to standard error, at most `limit` of them. */
export function printProblems(problems: readonly Problem[], limit = 20): void {
  for (const p of problems.slice(0, limit)) process.stderr.write(`  ${describeProblem(p)}\n`)
  if (problems.length > limit) process.stderr.write(`  … and ${problems.length - limit} more\n`)
}

/** The one place where the shell translates an error: message, problems and remedy on standard error, the code's exit status. */
export function reportFailure(thrown: unknown, json: boolean): number {
  const known = thrown instanceof EspalierError ? thrown : null
  const message = known ? known.message : messageOf(thrown)
  if (json) {
    const error = { code: known?.code ?? 'INTERNAL', message, remedy: known?.remedy, problems: known?.problems ?? [] }
    process.stdout.write(`${JSON.stringify({ error }, null, 2)}\n`)
  } else {
    process.stderr.write(`espalier: ${message}\n`)
    printProblems(known?.problems ?? [])
    if (known?.remedy) process.stderr.write(`  ${known.remedy}\n`)
    if (!known && thrown instanceof Error && thrown.stack) process.stderr.write(`${thrown.stack}\n`)
  }
  return known ? errorCodes[known.code].exit : 1
}
