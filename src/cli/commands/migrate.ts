import type { Command } from 'commander'
import { openDatabase } from '../../postgres/database.js'
import { startEmbeddedPostgres } from '../../postgres/embedded.js'
import { migrate } from '../../postgres/migrate.js'
import { openShell } from '../command.js'
import { holdHome } from '../home.js'

export function migrateCommand(program: Command): void {
  program
    .command('migrate')
    .description('bring the Postgres schema up to date (serve does it by itself)')
    .action(async (_flags, command: Command) => {
      const { config, log, output } = openShell(command)
      const home = holdHome(config.home)
      const embedded = config.databaseUrl ? null : await startEmbeddedPostgres({ folder: `${config.home}/postgres`, log })
      try {
        const database = await openDatabase(config.databaseUrl ?? embedded!.url)
        try {
          const applied = await migrate(database)
          output.answer({ applied }, applied.length ? `applied ${applied.join(', ')}` : 'nothing to do: the schema is up to date')
        } finally {
          await database.close()
        }
      } finally {
        await embedded?.stop()
        home.release()
      }
    })
}
