import path from 'node:path'
import { artifactGraph } from './artifacts/graph-store.js'
import { readArtifactBlobs } from './artifacts/prune-store.js'
import type { BlobStore } from './blobs/blob-store.js'
import type { BlobReferrer } from './blobs/collect.js'
import { localBlobs } from './blobs/local.js'
import { awaitProjection, type Projection, startProjection } from './catalog/projection/projection.js'
import { readLedgerPosition } from './catalog/reads/position-store.js'
import { readEstate } from './catalog/reads/read-store.js'
import type { Config } from './config.js'
import { readDatasetBlobs } from './datasets/blob-reference-store.js'
import { readUploadBlobs } from './datasets/exchange/upload-store.js'
import { datasetGraph } from './datasets/graph-store.js'
import { loadDatasetModules } from './datasets/modules.js'
import type { GraphEngine } from './graph/engine.js'
import { openGrafeo } from './graph/grafeo.js'
import { openNeo4j } from './graph/neo4j.js'
import { models } from './models/registry.js'
import { startGraphAnswers } from './patterns/temporal/graph-questions.js'
import { openDatabase } from './postgres/database.js'
import type { Database, Sql } from './postgres/sql.js'
import { readRunBlobs } from './runs/blob-reference-store.js'
import { runGraph } from './runs/graph-store.js'
import { type EstateCache, openEstateCache } from './serving/estate-cache.js'
import { openServing, type Serving } from './serving/serving.js'
import type { TensorExecutor } from './tensor/executor.js'
import { type ExecutorName, openExecutor } from './tensor/executors.js'
import { EspalierError } from './util/error.js'
import { createLogger, type Logger } from './util/log.js'

/** What every process of Espalier works with. A worker has no more: its facts reach the graph through the outbox, and what it asks of the graph the server answers. */
export interface Platform {
  readonly config: Config
  readonly log: Logger
  readonly database: Database
  readonly blobs: BlobStore
  /** the configured one */
  readonly executor: TensorExecutor
  /** the one that a run asks for; null: the configured one */
  executorFor(name: ExecutorName | null): Promise<TensorExecutor>
  close(): Promise<void>
}

/** The server owns the graph, its projection, and the models in memory. */
export interface ServerPlatform extends Platform {
  readonly graph: GraphEngine
  readonly projection: Projection
  readonly serving: Serving
  /** opens this server to the owner of its home folder, who may do anything with the files already */
  readonly ownerKey?: string
  /** the estates that predictions read, kept while the ledger does not move */
  readonly estates: EstateCache
}

/** Who has what in the graph besides the catalog; each finds the nodes that its edges need. */
export const graphReaders = [datasetGraph, runGraph, artifactGraph] as const

/** Who keeps blobs: what none of them refers to may be collected. A room that begins to keep some must be here (a test reads the tables). */
export const blobReferrers = (sql: Sql): BlobReferrer[] =>
  [readArtifactBlobs, readDatasetBlobs, readUploadBlobs, readRunBlobs].map((read) => (digests) => read(sql, digests))

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
  await loadDatasetModules(config.datasetModules)
  const log = createLogger(config.logLevel)
  const { executor: configured, tfjsFolder } = config
  const executorFor = (name: ExecutorName | null) => openExecutor(name ?? configured, { tfjsFolder })
  const executor = await executorFor(null)
  return { config, log, database, blobs: localBlobs(path.join(config.home, 'blobs')), executor, executorFor }
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
  config.neo4j ? openNeo4j({ ...config.neo4j, log }) : openGrafeo({ folder: path.join(config.home, 'graph'), log })

/** The platform of the server: also the graph (Neo4j where one is configured, else the embedded engine), its projection and serving. */
export const openServerPlatform = (config: Config, ownerKey?: string): Promise<ServerPlatform> =>
  openWith(async (opened) => {
    const parts = await openParts(config, opened)
    const { database, blobs, log } = parts
    const graph = opened.keep(await openGraph(parts), (it) => it.close())
    await graph.prepare()
    const projection = opened.keep(await startProjection({ database, engine: graph, log, readers: graphReaders }), (it) => it.stop())
    const settle = () => awaitProjection(database, graph, { timeoutMs: 10_000 })
    opened.keep(await startGraphAnswers({ database, graph, log, settle }), (it) => it.stop())
    const serving = opened.keep(await openServing({ database, blobs, models, log, threads: config.threads }), (it) => it.close())
    const estates = openEstateCache({
      position: (projectId) => readLedgerPosition(database, projectId),
      read: (projectId) => readEstate(database, { projectId }),
    })
    return { ...parts, graph, projection, serving, estates, ...(ownerKey ? { ownerKey } : {}) }
  })
