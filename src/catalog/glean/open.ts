import { EspalierError } from '../../util/error.js'
import { openBatchFolder } from './batch-folder.js'
import { openCli } from './cli.js'
import { createGleanClient, type GleanClient } from './client.js'
import { findOnPath } from './command.js'
import { openRest } from './rest.js'
import type { GleanTransport } from './transport.js'

/** How Glean is reached; the settings `glean` of the configuration. */
export interface GleanSettings {
  predicatePrefix: string
  /** of the command line: `amodels`, or one instance of it as `amodels/2024` */
  dbName: string
  schemaPath?: string | undefined
  queryApiUrl?: string | undefined
  useCli: boolean
  batchDir?: string | undefined
}

export interface ChosenTransport {
  /** null: Glean is not configured */
  transport: GleanTransport | null
  /** what was passed over, and why */
  notes: string[]
}

/** The command line where it is wanted and there, else the REST bridge, else the batch folder; with `find` in place of a look at the PATH. */
export function chooseTransport(settings: GleanSettings, find: (name: string) => string | null = findOnPath): ChosenTransport {
  const { predicatePrefix: prefix, dbName: database, schemaPath, queryApiUrl, useCli, batchDir } = settings
  const notes: string[] = []
  const binary = useCli ? find('glean') : null
  if (binary) return { transport: openCli({ binary, database, prefix, ...(schemaPath ? { schemaPath } : {}) }), notes }
  if (useCli) notes.push('there is no glean on the PATH')
  if (queryApiUrl) return { transport: openRest({ url: queryApiUrl, prefix }), notes: [...notes, `asking the REST bridge ${queryApiUrl}`] }
  if (batchDir) return { transport: openBatchFolder({ folder: batchDir, prefix }), notes: [...notes, `using the batch folder ${batchDir}`] }
  return { transport: null, notes }
}

/** What to do where Glean is not configured. */
export const gleanHowTo =
  'Set GLEAN_BATCH_DIR to a folder of batch files (needs no Glean), GLEAN_QUERY_API_URL to a REST bridge, or put the glean command on the PATH.'

/** A client under the settings. Throws UNAVAILABLE, which says how to configure one, where there is no way to Glean. */
export function openGlean(settings: GleanSettings, now?: () => Date): GleanClient {
  const { transport, notes } = chooseTransport(settings)
  if (transport) return createGleanClient(transport, now, notes)
  throw new EspalierError('UNAVAILABLE', `Glean is not configured${notes.length > 0 ? `: ${notes.join('; ')}` : ''}`, {
    remedy: gleanHowTo,
  })
}

/** Where to export to: a folder, a database of the command line (`name` or `name/instance`), or what the settings choose. */
export interface ExportTarget {
  dir?: string | undefined
  db?: string | undefined
}

/** The transport that writes to a target. Throws BAD_INPUT for two targets at once, UNAVAILABLE where there is none. */
export function openExportTarget({ dir, db }: ExportTarget, settings: GleanSettings): GleanTransport {
  if (dir && db)
    throw new EspalierError('BAD_INPUT', 'Glean export: found both a folder and a database, expected one of them', {
      remedy: 'Export twice to have both.',
    })
  const { predicatePrefix: prefix, schemaPath } = settings
  if (dir) return openBatchFolder({ folder: dir, prefix })
  if (db) return openDatabaseTarget(db, prefix, schemaPath)
  const { transport, notes } = chooseTransport(settings)
  // what can be read over REST can still be written into a folder
  if (transport?.name === 'rest' && settings.batchDir) return openBatchFolder({ folder: settings.batchDir, prefix })
  if (transport) return transport
  throw new EspalierError('UNAVAILABLE', `Glean is not configured${notes.length > 0 ? `: ${notes.join('; ')}` : ''}`, {
    remedy: `Give a folder to export to. ${gleanHowTo}`,
  })
}

function openDatabaseTarget(database: string, prefix: string, schemaPath: string | undefined): GleanTransport {
  if (!/^[^/\s-][^/\s]*(?:\/[^/\s]+)?$/.test(database))
    throw new EspalierError('BAD_INPUT', `Glean export: found the database "${database.slice(0, 80)}", expected NAME or NAME/INSTANCE`)
  const binary = findOnPath('glean')
  if (binary) return openCli({ binary, database, prefix, ...(schemaPath ? { schemaPath } : {}) })
  throw new EspalierError('UNAVAILABLE', 'there is no glean on the PATH, which alone can write into a database', {
    remedy: 'Export into a folder instead; `glean create --db NAME/INSTANCE --finish FILE` loads its files elsewhere.',
  })
}
