import type { Command } from 'commander'
import { EspalierError } from '../../util/error.js'
import { openShell } from '../command.js'
import { readServerRecord } from '../home.js'
import { keepWorker } from '../supervisor.js'
import { interrupted } from './serve.js'

export function worker(program: Command): void {
  program
    .command('worker')
    .description('run one more worker for a server on this data folder, or on DATABASE_URL')
    .action(async (_flags, command: Command) => {
      const { config, log, output } = openShell(command)
      const databaseUrl = config.databaseUrl ?? readServerRecord(config.home)?.databaseUrl
      if (!databaseUrl)
        throw new EspalierError('UNAVAILABLE', `no server runs on ${config.home}, and DATABASE_URL is not set`, {
          remedy: 'Start `espalier serve` first, or name its Postgres in DATABASE_URL and its folder in ESPALIER_HOME.',
        })
      const stop = await keepWorker({ ...config, databaseUrl }, log)
      output.answer({ pid: process.pid }, `worker of process ${process.pid} takes runs; Ctrl-C hands its runs back`)
      await interrupted()
      await stop()
    })
}
