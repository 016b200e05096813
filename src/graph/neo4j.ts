import neo4j, { type Driver, type ManagedTransaction, type Session } from 'neo4j-driver'
import { EspalierError, messageOf } from '../util/error.js'
import type { GraphChange } from '../vocabulary.js'
import { Admission, loopPlaces, mostAnswerBytes, mostWaiting, queryPlaces } from './admission.js'
import { withoutConvertFormat } from './convert-format.js'
import { hiddenLabel } from './cypher/words.js'
import { type CypherAnswer, type CypherQuery, type DriverShape, type GraphEngine, type GraphValue, unfinished } from './engine.js'
import { Neo4jReaders } from './neo4j/readers.js'
import { readRows, translateNeo4jError } from './neo4j/rows.js'
import { encodeNeo4j } from './neo4j/values.js'
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
  /** hears of queries that the server cannot stop */
  log?: { warn(message: string): void }
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
  const { uri, username, password, database = 'neo4j', log } = options
  return new Neo4jEngine(driver, database, new Neo4jReaders({ uri, username, password, database }, log))
}

class Neo4jEngine implements GraphEngine {
  readonly name = 'neo4j'
  private readonly inTurn = oneByOne()
  /** The server runs as many queries as it is sent; the rest of the platform needs its processors and connections too. */
  private readonly admission = new Admission({ places: queryPlaces, most: mostWaiting })
  /** Those that it may be unable to stop have places of their own, which they keep until they have really ended. */
  private readonly loops = new Admission({ places: loopPlaces, most: mostWaiting })
  constructor(
    private readonly connection: Driver,
    private readonly database: string,
    private readonly readers: Neo4jReaders,
  ) {}

  async prepare(): Promise<void> {
    await this.assertOurs()
    for (const statement of readSchemaStatements('neo4j')) await this.inSession('WRITE', (session) => session.run(statement))
    await this.inSession('READ', (session) => session.run('CALL db.awaitIndexes(60)'))
  }

  async read(query: CypherQuery): Promise<CypherAnswer> {
    const { text, columns, mayLoop, parameters, limit, timeoutMs } = checkQuery(query, 'neo4j')
    const began = performance.now()
    const order = { text, parameters, limit, bytes: mostAnswerBytes, timeoutMs }
    const places = mayLoop ? this.loops : this.admission
    const answer = await places.runToEnd(() => this.readers.read(order), timeoutMs)
    // What the guard has put into the text is not part of the names of columns.
    const spelled = columns?.length === answer.columns.length ? columns : answer.columns
    return { ...answer, columns: spelled, elapsedMs: performance.now() - began }
  }

  async apply(changes: readonly GraphChange[], position: number, ledger?: string): Promise<void> {
    const statements = planStatements(changes, position, ledger)
    const work = async (transaction: ManagedTransaction) => {
      for (const { text, parameters } of statements) await transaction.run(text, encodeNeo4j(parameters) as Record<string, unknown>)
    }
    await this.inTurn(() => this.inSession('WRITE', (session) => session.executeWrite(work, { timeout: writeTimeoutMs })))
  }

  /** A rebuild removes every `:Node`: in a database where others have used that label it must not come to it. */
  private async assertOurs(): Promise<void> {
    const text = `MATCH (n:Node) WHERE NOT EXISTS { MATCH (:${hiddenLabel}) } RETURN 1 LIMIT 1`
    const { rows } = await this.reading((t) => readRows(t, text, {}, 1, mostAnswerBytes), 30_000)
    if (rows.length > 0)
      throw new EspalierError('CONFLICT', `the Neo4j database "${this.database}" has nodes with the label Node that are not Espalier's`, {
        remedy: 'Give Espalier a database of its own (NEO4J_DATABASE), or remove those nodes',
      })
  }

  async position(): Promise<number> {
    return Number((await this.readOwnNode())[0] ?? 0)
  }

  async ledger(): Promise<string | null> {
    return ((await this.readOwnNode())[1] ?? null) as string | null
  }

  private async readOwnNode(): Promise<GraphValue[]> {
    const answer = await this.reading((t) => readRows(t, readPosition.text, readPosition.parameters, 1, mostAnswerBytes), 30_000)
    return answer.rows[0] ?? []
  }

  /** Removes this platform's nodes in batches of 10,000: one transaction for all would outgrow the server's memory. */
  async clear(): Promise<void> {
    // What is cut off in the middle must not be taken for a whole graph, nor for one that was never used.
    await this.apply([], 0, unfinished)
    for (const label of ['Node', hiddenLabel]) {
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
