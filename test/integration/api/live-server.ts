import { createClient, type Client as SocketClient } from 'graphql-ws'
import { pino } from 'pino'
import WebSocket from 'ws'
import type { ApiPlatform } from '../../../src/api/context.js'
import { defaultLimits, type Limits } from '../../../src/api/limits.js'
import { startServer } from '../../../src/server.js'
import type { Logger } from '../../../src/util/log.js'

export interface Answer {
  status: number
  headers: Headers
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of any shape
  data: any
  errors?: { message: string; path?: unknown; extensions: { code?: string; remedy?: string; problems?: unknown; logId?: string } }[]
}

export interface LiveServer {
  url: string
  post(query: string, variables?: Record<string, unknown>, headers?: Record<string, string>): Promise<Answer>
  /** a post that must have no errors; answers its data */
  ask(query: string, variables?: Record<string, unknown>): Promise<Answer['data']>
  socket(settings?: Partial<Parameters<typeof createClient>[0]>): SocketClient
  /** messages of a subscription as they come; `stop` completes it */
  follow(client: SocketClient, query: string, variables?: Record<string, unknown>): Followed
  close(): Promise<void>
}

export interface Followed {
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of any shape
  values: any[]
  /** resolves when `condition` holds for the values so far; fails with the error of the subscription */
  until(condition: (values: Followed['values']) => boolean, ms?: number): Promise<void>
  /** resolves when the server has completed it */
  completed: Promise<void>
  stop(): void
}

/** The real server on a free port of loopback, with clients for both transports. */
export async function liveServer(platform: ApiPlatform, limits: Partial<Limits> = {}): Promise<LiveServer> {
  const server = await startServer(
    { ...platform, config: { ...platform.config, host: '127.0.0.1', port: 0 } },
    { ...defaultLimits, ...limits },
  )
  const clients: SocketClient[] = []
  const post: LiveServer['post'] = async (query, variables, headers = {}) => {
    const response = await fetch(server.url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify({ query, variables }),
    })
    return { status: response.status, headers: response.headers, ...((await response.json()) as Pick<Answer, 'data' | 'errors'>) }
  }
  return {
    url: server.url,
    post,
    async ask(query, variables) {
      const { data, errors } = await post(query, variables)
      if (errors) throw new Error(JSON.stringify(errors, null, 2))
      return data
    },
    socket(settings = {}) {
      const client = createClient({ url: server.url.replace('http', 'ws'), webSocketImpl: WebSocket, retryAttempts: 0, ...settings })
      clients.push(client)
      return client
    },
    follow,
    async close() {
      for (const client of clients) await client.dispose()
      await server.close()
    },
  }
}

function follow(client: SocketClient, query: string, variables?: Record<string, unknown>): Followed {
  const values: Followed['values'] = []
  const watchers = new Set<() => void>()
  let failure: unknown
  let finish!: () => void
  let fail!: (error: unknown) => void
  const completed = new Promise<void>((resolve, reject) => ([finish, fail] = [resolve, reject]))
  completed.catch(() => undefined)
  const tell = () => {
    for (const watcher of watchers) watcher()
  }
  const stop = client.subscribe(
    { query, ...(variables ? { variables } : {}) },
    {
      next: (value) => {
        values.push(value)
        tell()
      },
      error: (error) => {
        failure = error
        fail(error)
        tell()
      },
      complete: () => {
        finish()
        tell()
      },
    },
  )
  const until: Followed['until'] = (condition, ms = 10_000) =>
    new Promise((resolve, reject) => {
      const look = () => {
        if (condition(values)) settle(resolve)
        else if (failure !== undefined) settle(() => reject(new Error(`subscription failed: ${JSON.stringify(failure)}`)))
      }
      const settle = (how: () => void) => {
        clearTimeout(timer)
        watchers.delete(look)
        how()
      }
      const timer = setTimeout(() => settle(() => reject(new Error(`not within ${ms} ms; came: ${JSON.stringify(values)}`))), ms)
      watchers.add(look)
      look()
    })
  return { values, until, completed, stop }
}

/** A logger whose lines tests can read. */
export function memoryLog(): { log: Logger; lines: Record<string, unknown>[] } {
  const lines: Record<string, unknown>[] = []
  const log: Logger = pino({ level: 'debug' }, { write: (line: string) => void lines.push(JSON.parse(line) as Record<string, unknown>) })
  return { log, lines }
}
