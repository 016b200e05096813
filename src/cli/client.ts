import { Readable } from 'node:stream'
import { createClient } from 'graphql-ws'
import WebSocket from 'ws'
import { type ErrorCode, EspalierError, errorCodes } from '../util/error.js'
import type { Problem } from '../util/problem.js'

interface GraphqlError {
  message: string
  extensions?: { code?: string; remedy?: string; problems?: Problem[] }
}

/** A GraphQL client for one server: queries and mutations by HTTP, subscriptions by WebSocket. */
export interface ApiClient {
  readonly url: string
  request<T>(query: string, variables?: Record<string, unknown>): Promise<T>
  /** A GET of a path on the same server (`/artifacts/…`); an answer that is no success is thrown as the error it tells. */
  get(path: string): Promise<Response>
  /** The same with another method, and a body that is sent as it comes. */
  send(method: 'POST' | 'DELETE', path: string, body?: AsyncIterable<Uint8Array>): Promise<Response>
  /** Ends when the server completes the subscription, or when the loop is left. */
  subscribe<T>(query: string, variables?: Record<string, unknown>): AsyncIterableIterator<T>
  close(): Promise<void>
}

/** Turns a GraphQL error back into the error it was made from. */
function asError(errors: readonly GraphqlError[]): EspalierError {
  const [first] = errors
  const name = first?.extensions?.code
  const code = (Object.keys(errorCodes) as ErrorCode[]).find((key) => key === name || errorCodes[key].graphql === name) ?? 'INTERNAL'
  return new EspalierError(code, errors.map((error) => error.message).join('; '), {
    ...(first?.extensions?.remedy ? { remedy: first.extensions.remedy } : {}),
    problems: errors.flatMap((error) => error.extensions?.problems ?? []),
  })
}

/** Opens a client for `url` (`http://127.0.0.1:4000/graphql`) that sends a key where there is one. A server that cannot be reached is an UNAVAILABLE error. */
export function openClient(url: string, apiKey?: string): ApiClient {
  const socket = createClient({
    url: url.replace(/^http/, 'ws'),
    webSocketImpl: WebSocket,
    lazy: true,
    retryAttempts: 3,
    ...(apiKey ? { connectionParams: { apiKey } } : {}),
  })
  async function exchange(path: string, init: RequestInit): Promise<Response> {
    const target = new URL(path, url)
    const headers = { ...(init.body ? { 'content-type': 'application/octet-stream' } : {}), ...(apiKey ? { 'x-api-key': apiKey } : {}) }
    const response = await fetch(target, { ...init, headers }).catch((cause) => {
      throw new EspalierError('UNAVAILABLE', `no answer from ${target}`, { cause, remedy: 'Is the server running?' })
    })
    if (response.ok) return response
    const answer = (await response.json().catch(() => ({}))) as { errors?: GraphqlError[] }
    throw answer.errors?.length ? asError(answer.errors) : new EspalierError('UNAVAILABLE', `${target} answered ${response.status}`)
  }
  return {
    url,
    async request<T>(query: string, variables: Record<string, unknown> = {}) {
      let response: Response
      try {
        response = await fetch(url, {
          method: 'POST',
          headers: {
            'content-type': 'application/json',
            accept: 'application/graphql-response+json, application/json',
            ...(apiKey ? { 'x-api-key': apiKey } : {}),
          },
          body: JSON.stringify({ query, variables }),
        })
      } catch (cause) {
        throw new EspalierError('UNAVAILABLE', `no answer from ${url}`, {
          cause,
          remedy: 'Is the server running? Start it with `espalier serve`.',
        })
      }
      const answer = (await response.json().catch(() => {
        throw new EspalierError('UNAVAILABLE', `${url} answered ${response.status} and no JSON`, {
          remedy: 'Does ESPALIER_URL name the /graphql path?',
        })
      })) as { data?: T; errors?: GraphqlError[] }
      if (answer.errors?.length) throw asError(answer.errors)
      return answer.data as T
    },
    get: (path: string) => exchange(path, {}),
    send: (method, path, body) =>
      exchange(path, {
        method,
        ...(body ? { body: Readable.toWeb(Readable.from(body, { objectMode: false })), duplex: 'half' } : {}),
      } as RequestInit),
    async *subscribe<T>(query: string, variables: Record<string, unknown> = {}) {
      for await (const answer of socket.iterate<T>({ query, variables })) {
        if (answer.errors?.length) throw asError(answer.errors as readonly GraphqlError[])
        yield answer.data as T
      }
    },
    close: async () => {
      await socket.dispose()
    },
  }
}
