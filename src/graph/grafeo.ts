import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { EspalierError } from '../util/error.js'
import type { GraphChange } from '../vocabulary.js'
import { Admission, mostAnswerBytes, mostWaiting, queryPlaces } from './admission.js'
import type { CypherAnswer, CypherQuery, DriverShape, GraphEngine, GraphValue } from './engine.js'
import { GrafeoAnalysts } from './grafeo/analysts.js'
import { grafeoDriver } from './grafeo/driver.js'
import type { HostRows } from './grafeo/messages.js'
import { GrafeoProcess, type HostOptions } from './grafeo/process.js'
import { checkQuery, readSchemaStatements } from './query.js'
import { planStatements, readPosition } from './statements.js'
import { oneByOne } from './turns.js'

export interface GrafeoOptions extends Omit<HostOptions, 'folder' | 'temporary'> {
  /** where the graph is kept; null: in a temporary folder that goes with close() */
  folder: string | null
  /** bytes that people's queries may add to their process's memory (default 1 GiB, or an eighth of the machine's where that is less) */
  queryMemory?: number
}

const writeTimeoutMs = 600_000
const schemaRequest = () => ({ kind: 'schema', statements: readSchemaStatements('grafeo') }) as const
/** Typed reads may be about this large. */
const mostBytes = 64 * 2 ** 20

/**
 * The embedded graph engine, in a process of its own; people's queries run in further ones on copies. Fails with LOCKED where another process has the folder. With `folder: null` the
 * graph still lives in a file (a temporary one): an engine that was ended at a time limit must find its data again.
 */
export async function openGrafeo(options: GrafeoOptions): Promise<GraphEngine> {
  const temporary = options.folder === null
  const folder = options.folder ?? fs.mkdtempSync(path.join(os.tmpdir(), 'espalier-graph-'))
  const host = new GrafeoProcess({ ...options, folder, temporary })
  await host.open()
  return new Grafeo(host, folder, options)
}

class Grafeo implements GraphEngine {
  readonly name = 'grafeo'
  private readonly inTurn = oneByOne()
  private readonly admission: Admission
  private readonly analysts: GrafeoAnalysts

  constructor(
    private readonly host: GrafeoProcess,
    private readonly folder: string,
    private readonly options: GrafeoOptions,
  ) {
    const { queryMemory = Math.min(2 ** 30, os.totalmem() / 8), concurrency = queryPlaces, log } = options
    this.admission = new Admission({ places: concurrency, most: mostWaiting })
    this.analysts = new GrafeoAnalysts({
      folder: path.join(folder, 'queries'),
      copy: (to) => this.inTurn(() => this.host.request({ kind: 'copy', to }, writeTimeoutMs).then(() => this.analysts.count)),
      memory: queryMemory,
      // ghosts occupy threads too
      concurrency: concurrency + 8,
      ...(log ? { log } : {}),
    })
  }

  async prepare(): Promise<void> {
    await this.inTurn(() => this.host.request(schemaRequest(), writeTimeoutMs))
  }

  async read(query: CypherQuery): Promise<CypherAnswer> {
    const { text, columns, parameters, limit, timeoutMs } = checkQuery(query, 'grafeo')
    const began = performance.now()
    const request = { kind: 'read', text, parameters, rows: limit, bytes: mostAnswerBytes, form: 'answer' } as const
    const answer = (await this.admission.run(() => this.analysts.read(request, timeoutMs), timeoutMs)) as HostRows
    return {
      // Grafeo prints expressions its own way in column names: the query's own spelling is used, as Neo4j does.
      columns: columns?.length === answer.columns.length ? columns : answer.columns,
      rows: answer.rows as GraphValue[][],
      isPartial: answer.isPartial,
      elapsedMs: performance.now() - began,
    }
  }

  async apply(changes: readonly GraphChange[], position: number, ledger?: string): Promise<void> {
    const statements = planStatements(changes, position, ledger)
    await this.inTurn(async () => {
      try {
        await this.host.request({ kind: 'write', statements }, writeTimeoutMs)
        this.analysts.feed(statements)
      } catch (error) {
        // It may have been kept all the same (the process died before it could say so), and then never comes again: the copies lack it.
        this.analysts.reset()
        throw error
      }
    })
  }

  async position(): Promise<number> {
    return Number((await this.readOwnNode())[0] ?? 0)
  }

  async ledger(): Promise<string | null> {
    return ((await this.readOwnNode())[1] ?? null) as string | null
  }

  private async readOwnNode(): Promise<(GraphValue | bigint)[]> {
    const request = { kind: 'read', ...readPosition, rows: 1, bytes: mostBytes, form: 'answer' } as const
    const answer = (await this.host.request(request, 30_000)) as HostRows
    return answer.rows[0] ?? []
  }

  /** Takes the file away: faster than deleting node by node, and nothing is left behind. */
  async clear(): Promise<void> {
    await this.inTurn(async () => {
      await this.host.reset()
      await this.host.request(schemaRequest(), writeTimeoutMs)
      this.analysts.reset()
    })
  }

  driver(): DriverShape {
    return grafeoDriver(async (text, parameters, timeoutMs) => {
      const request = { kind: 'read', text, parameters, rows: 100_000, bytes: mostBytes, form: 'records' } as const
      const answer = (await this.host.request(request, timeoutMs)) as HostRows
      if (answer.isPartial)
        throw new EspalierError('CYPHER_FAILED', 'the answer is too large', { remedy: 'Page with first/after or limit/offset' })
      return answer
    })
  }

  async close(): Promise<void> {
    await this.analysts.close()
    await this.inTurn(async () => {})
    await this.host.close()
    if (this.options.folder === null) fs.rmSync(this.folder, { recursive: true, force: true })
  }
}
