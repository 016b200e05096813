import path from 'node:path'
import { artifactGraph } from './artifacts/graph-store.js'
import type { BlobStore } from './blobs/blob-store.js'
import { localBlobs } from './blobs/local.js'
import { type Projection, startProjection } from './catalog/projection/projection.js'
import type { Config } from './config.js'
import { datasetGraph } from './datasets/graph-store.js'
import type { GraphEngine } from './graph/engine.js'
import { openGrafeo } from './graph/grafeo.js'
import { openNeo4j } from './graph/neo4j.js'
import { models } from './models/registry.js'
import { openDatabase } from './postgres/database.js'
import type { Database } from './postgres/sql.js'
import { runGraph } from './runs/graph-store.js'
import { openServing, type Serving } from './serving/serving.js'
import type { TensorExecutor } from './tensor/executor.js'
import { ortExecutor } from './tensor/ort.js'
import { EspalierError } from './util/error.js'
import { createLogger, type Logger } from './util/log.js'

/** What every process of Espalier works with. A worker has no more: its facts reach the graph through the outbox. */
export interface Platform {
  readonly config: Config
  readonly log: Logger
  readonly database: Database
  readonly blobs: BlobStore
  readonly executor: TensorExecutor
  close(): Promise<void>
}

/** The server owns the graph, its projection, and the models in memory. */
export interface ServerPlatform extends Platform {
  readonly graph: GraphEngine
  readonly projection: Projection
  readonly serving: Serving
}

/** Who has what in the graph besides the catalog; each finds the nodes that its edges need. */
export const graphReaders = [datasetGraph, runGraph, artifactGraph] as const

/** Opens things one after the other; when one fails, and on `close`, those that are open are closed in reverse. */
class Opened {
  readonly #closers: (() => Promise<void>)[] = []
  keep<T>(thing: T, close: (thing: T) => Promise<void>): T {
    this.#closers.push(() => close(thing))
    return thing
  }
  async close(): Promise<void> {
    const failures: unknown[] = []
    for (const close of this.#closers.splice(0).reverse()) await close().catch((error) => failures.push(error))
    if (failures.length > 0) throw failures[0]
  }
}

async function openParts(config: Config, opened: Opened): Promise<Omit<Platform, 'close'>> {
  if (!config.databaseUrl)
    throw new EspalierError('BAD_INPUT', 'this process was started without a database', {
      remedy: 'Start it through `espalier serve` or set DATABASE_URL.',
    })
  const database = opened.keep(await openDatabase(config.databaseUrl), (it) => it.close())
  const log = createLogger(config.logLevel)
  return { config, log, database, blobs: localBlobs(path.join(config.home, 'blobs')), executor: ortExecutor }
}

async function openWith<T extends object>(open: (opened: Opened) => Promise<T>): Promise<T & { close(): Promise<void> }> {
  const opened = new Opened()
  try {
    return Object.freeze({ ...(await open(opened)), close: () => opened.close() })
  } catch (error) {
    await opened.close().catch(() => {})
    throw error
  }
}

/** The platform of a worker. Its database must be migrated. */
export const openWorkerPlatform = (config: Config): Promise<Platform> => openWith((opened) => openParts(config, opened))

const openGraph = ({ config, log }: Pick<Platform, 'config' | 'log'>): Promise<GraphEngine> =>
  config.neo4j ? openNeo4j(config.neo4j) : openGrafeo({ folder: path.join(config.home, 'graph'), log })

/** The platform of the server: also the graph (Neo4j where one is configured, else the embedded engine), its projection and serving. */
export const openServerPlatform = (config: Config): Promise<ServerPlatform> =>
  openWith(async (opened) => {
    const parts = await openParts(config, opened)
    const { database, blobs, log } = parts
    const graph = opened.keep(await openGraph(parts), (it) => it.close())
    await graph.prepare()
    const projection = opened.keep(await startProjection({ database, engine: graph, log, readers: graphReaders }), (it) => it.stop())
    const serving = opened.keep(await openServing({ database, blobs, models, log, threads: config.threads }), (it) => it.close())
    return { ...parts, graph, projection, serving }
  })
