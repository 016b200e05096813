/**
 * A thread that runs one person's query on Neo4j at a time, with a connection of its own. A server streams what it need not hold (`RETURN
 * range(1, 100000000)` takes it no memory), and who reads it does hold it: here that ends this thread, not the process.
 */

import { parentPort, workerData } from 'node:worker_threads'
import neo4j from 'neo4j-driver'
import { EspalierError, messageOf } from '../../util/error.js'
import type { ReaderOrder, ReaderReply, ReaderSettings } from './readers.js'
import { readRows, translateNeo4jError } from './rows.js'
import { encodeNeo4j } from './values.js'

const { uri, username, password, database } = workerData as ReaderSettings
const driver = neo4j.driver(uri, neo4j.auth.basic(username, password), {
  connectionAcquisitionTimeout: 10_000,
  connectionTimeout: 10_000,
  maxConnectionPoolSize: 1,
  maxTransactionRetryTime: 5_000,
  userAgent: 'espalier-queries',
})

async function answer({ text, parameters, limit, bytes, timeoutMs }: ReaderOrder): Promise<ReaderReply> {
  const session = driver.session({ database, defaultAccessMode: 'READ', fetchSize: 100 })
  try {
    const encoded = encodeNeo4j(parameters) as Record<string, unknown>
    const rows = await session.executeRead((transaction) => readRows(transaction, text, encoded, limit, bytes), { timeout: timeoutMs })
    return { rows }
  } catch (thrown) {
    const error = translateNeo4jError(thrown, timeoutMs)
    if (!(error instanceof EspalierError)) return { error: { code: 'INTERNAL', message: messageOf(error) } }
    return { error: { code: error.code, message: error.message, ...(error.remedy ? { remedy: error.remedy } : {}) } }
  } finally {
    await session.close()
  }
}

parentPort!.on('message', async (order: ReaderOrder | 'close') => {
  if (order !== 'close') return parentPort!.postMessage(await answer(order))
  await driver.close()
  parentPort!.close()
})
