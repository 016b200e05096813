import { type Command, InvalidArgumentError } from 'commander'
import { openShell, type Shell } from '../command.js'
import { type Espalier, startEspalier } from '../supervisor.js'

/** Parses a port from the command line. */
export function parsePort(text: string): number {
  const port = Number(text)
  if (!/^\d+$/.test(text) || port > 65_535) throw new InvalidArgumentError('expected a port from 0 to 65535')
  return port
}

/** Resolves on Ctrl-C or SIGTERM; a second Ctrl-C ends the process at once. */
export function interrupted(): Promise<void> {
  return new Promise((resolve) => {
    let asked = false
    for (const signal of ['SIGINT', 'SIGTERM'] as const)
      process.on(signal, () => {
        if (asked) process.exit(130)
        asked = true
        resolve()
      })
  })
}

/** Starts everything, runs `begin` beside it, and stays until Ctrl-C, SIGTERM, or until the server fails; with `once`, until `begin` is done. */
export async function stayUp(shell: Shell, begin: (espalier: Espalier) => Promise<void>, { once = false } = {}): Promise<void> {
  const stopped = interrupted()
  const espalier = await startEspalier(shell.config, shell.log)
  try {
    await Promise.race([begin(espalier), stopped])
    if (once) return
    const failure = await Promise.race([stopped, espalier.failed])
    if (failure) throw failure
  } finally {
    await espalier.stop()
  }
}

export function serve(program: Command): void {
  program
    .command('serve')
    .description('serve GraphQL, with Postgres, graph and workers; Ctrl-C ends them together')
    .option('--port <port>', 'port to listen on (default 4000)', parsePort)
    .option('--host <address>', 'address to listen on (default 127.0.0.1)')
    .option('--workers <n>', 'worker processes (default 1)', Number)
    .action(async (flags: { port?: number; host?: string; workers?: number }, command: Command) => {
      const shell = openShell(command, flags)
      await stayUp(shell, async ({ url }) => {
        shell.output.answer({ url, pid: process.pid }, `serving ${url} (process ${process.pid}); open it in a browser for the editor`)
      })
    })
}
