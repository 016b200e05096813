import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterAll } from 'vitest'
import type { ApiPlatform } from '../../../src/api/context.js'
import { localBlobs } from '../../../src/blobs/local.js'
import { awaitProjection, startProjection } from '../../../src/catalog/projection/projection.js'
import { readLedgerPosition } from '../../../src/catalog/reads/position-store.js'
import { readEstate } from '../../../src/catalog/reads/read-store.js'
import { readConfig } from '../../../src/config.js'
import type { GraphEngine } from '../../../src/graph/engine.js'
import { openGrafeo } from '../../../src/graph/grafeo.js'
import { models } from '../../../src/models/registry.js'
import { startGraphAnswers } from '../../../src/patterns/temporal/graph-questions.js'
import { graphReaders } from '../../../src/platform.js'
import type { Database } from '../../../src/postgres/sql.js'
import { openEstateCache } from '../../../src/serving/estate-cache.js'
import { openServing } from '../../../src/serving/serving.js'
import type { Logger } from '../../../src/util/log.js'
import { freshDatabase } from '../../support/database.js'
import { memoryLog } from './live-server.js'

export interface TestPlatform extends ApiPlatform {
  /** what was logged so far */
  readonly lines: Record<string, unknown>[]
  /** SQL statements sent while `work` ran */
  statements(work: () => Promise<unknown>): Promise<string[]>
}

/** A database that tells what is asked of its pool. */
function watched(database: Database, seen: (text: string) => void): Database {
  return {
    ...database,
    query: (text: string, values?: readonly unknown[]) => {
      seen(text)
      return database.query(text, values)
    },
  }
}

/** The server's real platform on a fresh database and a graph of its own (embedded unless another is opened); closed after the test file. */
export async function testPlatform(
  openGraph: (log: Logger) => Promise<GraphEngine> = (log) => openGrafeo({ folder: null, log }),
): Promise<TestPlatform> {
  const home = fs.mkdtempSync(path.join(os.tmpdir(), 'espalier-api-'))
  const { log, lines } = memoryLog()
  const fresh = await freshDatabase()
  const seen: string[] = []
  const database = watched(fresh.database, (text) => seen.push(text))
  const graph = await openGraph(log)
  await graph.clear()
  await graph.prepare()
  const projection = await startProjection({ database: fresh.database, engine: graph, log, readers: graphReaders })
  const settle = () => awaitProjection(fresh.database, graph)
  const answers = await startGraphAnswers({ database: fresh.database, graph, log, settle })
  const blobs = localBlobs(path.join(home, 'blobs'))
  const serving = await openServing({ database, blobs, models, log })
  const estates = openEstateCache({
    position: (projectId) => readLedgerPosition(database, projectId),
    read: (projectId) => readEstate(database, { projectId }),
  })
  afterAll(async () => {
    await serving.close()
    await answers.stop()
    await projection.stop()
    await graph.close()
    fs.rmSync(home, { recursive: true, force: true })
  })
  const config = readConfig({ home, port: 0 }, {}, home)
  return {
    ...{ config, log, lines, database, graph, projection, blobs, serving, estates },
    async statements(work) {
      seen.length = 0
      await work()
      // who asks is found out before anything is asked
      return seen.filter((text) => !text.includes('api_key'))
    },
  }
}
