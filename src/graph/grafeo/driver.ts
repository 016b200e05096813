import neo4j from 'neo4j-driver'
import { EspalierError } from '../../util/error.js'
import type { DriverShape } from '../engine.js'
import { translateToGrafeo } from './dialect.js'
import type { HostRows } from './messages.js'

type Run = (text: string, parameters: Record<string, unknown>, timeoutMs: number) => Promise<HostRows>

/** What a session's `executeRead` hands to its work. */
interface TransactionShape {
  run(text: string, parameters?: Record<string, unknown>): Promise<{ records: unknown[]; summary: object }>
}

interface TransactionConfig {
  timeout?: number
}

const defaultTimeoutMs = 10_000
/** @neo4j/graphql reads the counters of every answer; reads update nothing. */
const summary = { counters: { updates: () => ({}), containsUpdates: () => false } }

/** A driver-shaped object over Grafeo, with what @neo4j/graphql calls: sessions whose `executeRead` gives records of neo4j-driver. */
export function grafeoDriver(run: Run): DriverShape {
  const transaction = (timeoutMs: number): TransactionShape => ({
    async run(text, parameters = {}) {
      if (/^\s*CALL dbms\.components\(/i.test(text)) return { records: [components()], summary }
      const encoded = encodeParameters(parameters) as Record<string, unknown>
      const { columns, rows } = await run(translateToGrafeo(text), encoded, timeoutMs)
      return { records: rows.map((row) => record(columns, row.map(decodeValue))), summary }
    },
  })
  return {
    session: () => ({
      executeRead: <T>(work: (t: TransactionShape) => Promise<T>, config?: TransactionConfig) =>
        work(transaction(config?.timeout ?? defaultTimeoutMs)),
      executeWrite: () =>
        Promise.reject(new EspalierError('FORBIDDEN', 'the graph is read-only for clients', { remedy: 'Facts enter by ingest' })),
      close: async () => {},
    }),
  }
}

const record = (columns: readonly string[], values: readonly unknown[]) =>
  new neo4j.types.Record([...columns] as never, [...values] as never)

/** Grafeo stands in for the reference server's version. */
const components = () => record(['name', 'versions', 'version', 'edition'], ['Neo4j Kernel', ['5.26.0'], '5.26.0', 'community'])

/** Parameters as Grafeo takes them: numbers for Integers, text for temporal values. */
function encodeParameters(value: unknown): unknown {
  if (neo4j.isInt(value)) return value.inSafeRange() ? value.toNumber() : value.toBigInt()
  if (Array.isArray(value)) return value.map(encodeParameters)
  if (value === null || typeof value !== 'object') return value
  if (Object.getPrototypeOf(value) === Object.prototype || Object.getPrototypeOf(value) === null)
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, encodeParameters(item)]))
  return value instanceof Date ? value.toISOString() : String(value)
}

/** Whole numbers become Integers, as Bolt would give them; Grafeo's numbers do not say whether they were floats. */
function decodeValue(value: unknown): unknown {
  if (typeof value === 'bigint' || (typeof value === 'number' && Number.isSafeInteger(value))) return neo4j.int(value)
  if (Array.isArray(value)) return value.map(decodeValue)
  if (value === null || typeof value !== 'object' || value instanceof Date) return value
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, decodeValue(item)]))
}
