import neo4j, { type Driver, type ManagedTransaction, type Session } from 'neo4j-driver'
import { EspalierError, messageOf } from '../util/error.js'
import type { GraphChange } from '../vocabulary.js'
import { Admission, mostAnswerBytes, mostWaiting, queryPlaces } from './admission.js'
import { hiddenLabel } from './cypher-words.js'
import type { CypherAnswer, CypherQuery, DriverShape, GraphEngine } from './engine.js'
import { withoutConvertFormat } from './grafeo-dialect.js'
import { Neo4jReaders } from './neo4j-readers.js'
import { readRows, translateNeo4jError } from './neo4j-rows.js'
import { encodeNeo4j } from './neo4j-values.js'
import { checkQuery, readSchemaStatements } from './query.js'
import { planStatements, readPosition } from './statements.js'
import { oneByOne } from './turns.js'

export interface Neo4jOptions {
  /** `bolt://…` or `neo4j://…` (`+s` for TLS) */
  uri: string
  username: string
  password: string
  /** default `neo4j` */
  database?: string
}

const writeTimeoutMs = 600_000
const driverTimeoutMs = 10_000

/** Neo4j 5.26 or newer over Bolt. Fails with UNAVAILABLE where no server answers, or none that old. */
export async function openNeo4j(options: Neo4jOptions): Promise<GraphEngine> {
  const driver = neo4j.driver(options.uri, neo4j.auth.basic(options.username, options.password), {
    connectionAcquisitionTimeout: 10_000,
    connectionTimeout: 10_000,
    maxTransactionRetryTime: 5_000,
    userAgent: 'espalier',
  })
  try {
    await driver.verifyConnectivity({ database: options.database ?? 'neo4j' })
  } catch (thrown) {
    await driver.close()
    throw new EspalierError('UNAVAILABLE', `Neo4j at ${options.uri} cannot be used: ${messageOf(thrown)}`, {
      remedy: 'Check NEO4J_URI, NEO4J_USERNAME, NEO4J_PASSWORD and NEO4J_DATABASE, or unset NEO4J_URI to use the embedded graph',
      cause: thrown,
    })
  }
  const database = options.database ?? 'neo4j'
  return new Neo4jEngine(driver, database, new Neo4jReaders({ ...options, database }))
}

class Neo4jEngine implements GraphEngine {
  readonly name = 'neo4j'
  private readonly inTurn = oneByOne()
  /** The server runs as many queries as it is sent; the rest of the platform needs its processors and connections too. */
  private readonly admission = new Admission({ places: queryPlaces, most: mostWaiting })
  constructor(
    private readonly connection: Driver,
    private readonly database: string,
    private readonly readers: Neo4jReaders,
  ) {}

  async prepare(): Promise<void> {
    for (const statement of readSchemaStatements('neo4j')) await this.inSession('WRITE', (session) => session.run(statement))
    await this.inSession('READ', (session) => session.run('CALL db.awaitIndexes(60)'))
  }

  async read(query: CypherQuery): Promise<CypherAnswer> {
    const { text, columns, parameters, limit, timeoutMs } = checkQuery(query, 'neo4j')
    const began = performance.now()
    const order = { text, parameters, limit, bytes: mostAnswerBytes, timeoutMs }
    const answer = await this.admission.run(() => this.readers.read(order), timeoutMs)
    // What the guard has put into the text is not part of the names of columns.
    const spelled = columns?.length === answer.columns.length ? columns : answer.columns
    return { ...answer, columns: spelled, elapsedMs: performance.now() - began }
  }

  async apply(changes: readonly GraphChange[], position: number): Promise<void> {
    const statements = planStatements(changes, position)
    const work = async (transaction: ManagedTransaction) => {
      for (const { text, parameters } of statements) await transaction.run(text, encodeNeo4j(parameters) as Record<string, unknown>)
    }
    await this.inTurn(() => this.inSession('WRITE', (session) => session.executeWrite(work, { timeout: writeTimeoutMs })))
  }

  async position(): Promise<number> {
    const answer = await this.reading((t) => readRows(t, readPosition.text, readPosition.parameters, 1, mostAnswerBytes), 30_000)
    return Number(answer.rows[0]?.[0] ?? 0)
  }

  /** Removes this platform's nodes in batches of 10,000: one transaction for all would outgrow the server's memory. */
  async clear(): Promise<void> {
    // The position goes first: a clear that is cut off is then followed by a replay from the beginning.
    for (const label of [hiddenLabel, 'Node']) {
      const text = `MATCH (n:${label}) WITH n LIMIT 10000 DETACH DELETE n RETURN count(*) AS n`
      for (let removed = 1; removed > 0; ) {
        const { records } = await this.inSession('WRITE', (s) => s.executeWrite((t) => t.run(text), { timeout: writeTimeoutMs }))
        removed = Number(records[0]?.get('n') ?? 0)
      }
    }
  }

  /** The real driver, reading only; what its text needs of plugins is rewritten. */
  driver(): DriverShape {
    return {
      session: (config) => {
        const session = this.connection.session({ ...(config as object), database: this.database, defaultAccessMode: 'READ' })
        return {
          executeRead: (work: (t: object) => Promise<unknown>, timing: { timeout?: number } = {}) =>
            session
              .executeRead((t) => work({ run: (text: string, parameters?: object) => t.run(withoutConvertFormat(text), parameters) }), {
                timeout: timing.timeout ?? driverTimeoutMs,
              })
              .catch((thrown) => {
                throw translateNeo4jError(thrown, timing.timeout ?? driverTimeoutMs)
              }),
          executeWrite: () =>
            Promise.reject(new EspalierError('FORBIDDEN', 'the graph is read-only for clients', { remedy: 'Facts enter by ingest' })),
          close: () => session.close(),
        }
      },
    }
  }

  async close(): Promise<void> {
    await this.readers.close()
    await this.connection.close()
  }

  private async reading<T>(work: (transaction: ManagedTransaction) => Promise<T>, timeoutMs: number): Promise<T> {
    return this.inSession('READ', (session) => session.executeRead(work, { timeout: timeoutMs }), timeoutMs)
  }

  private async inSession<T>(mode: 'READ' | 'WRITE', work: (session: Session) => Promise<T>, timeoutMs = writeTimeoutMs): Promise<T> {
    const session = this.connection.session({ database: this.database, defaultAccessMode: mode, fetchSize: 1_000 })
    try {
      return await work(session)
    } catch (thrown) {
      throw translateNeo4jError(thrown, timeoutMs)
    } finally {
      await session.close()
    }
  }
}
