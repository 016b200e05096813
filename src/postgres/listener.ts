import pg from 'pg'
import type { Logger } from '../util/log.js'

/** The slice of `pg.Client` that listens. */
export interface ListeningClient {
  connect(): Promise<unknown>
  query(text: string): Promise<unknown>
  end(): Promise<void>
  on(event: 'notification', handler: (message: { channel: string; payload?: string | undefined }) => void): unknown
  on(event: 'error' | 'end', handler: (error?: Error) => void): unknown
}

export interface Listener {
  listen(channel: string, on: (payload: string) => void): Promise<() => Promise<void>>
  close(): Promise<void>
}

const firstDelay = 50
const longestDelay = 5_000

/**
 * One LISTEN connection for the whole process, opened by the first `listen`. When it breaks it reconnects (50 ms, doubling to 5 s),
 * listens to every channel again, and wakes every listener with an empty payload.
 */
export function openListener(connect: () => ListeningClient, log?: Logger): Listener {
  const channels = new Map<string, Set<(payload: string) => void>>()
  let client: ListeningClient | null = null
  let opening: Promise<void> | null = null
  let isClosed = false
  let turn: Promise<unknown> = Promise.resolve()
  let timer: NodeJS.Timeout | undefined

  const wake = (channel: string, payload: string) => {
    for (const on of channels.get(channel) ?? []) on(payload)
  }

  async function open(): Promise<void> {
    const next = connect()
    let isLost = false
    next.on('notification', ({ channel, payload }) => wake(channel, payload ?? ''))
    const lost = (error?: Error) => {
      isLost = true
      if (client !== next) return
      client = null
      log?.warn({ reason: error?.message ?? 'ended' }, 'postgres: the LISTEN connection was lost, reconnecting')
      next.end().catch(() => undefined)
      reconnect(firstDelay)
    }
    next.on('error', lost)
    next.on('end', lost)
    try {
      await next.connect()
      for (const channel of channels.keys()) await next.query(`LISTEN ${pg.escapeIdentifier(channel)}`)
      // The answer to the last LISTEN and the end of the connection may come in one packet.
      if (isLost) throw new Error('Connection terminated while it began to listen')
    } catch (error) {
      next.end().catch(() => undefined)
      throw error
    }
    client = next
  }

  /** Statements on the one connection, one after the other, on whichever connection is open by then. */
  function say(statement: string): Promise<unknown> {
    const said = turn.then(() => client?.query(statement))
    turn = said.catch(() => undefined)
    return said
  }

  /** A channel added while an open() was in flight is listened to here; LISTEN twice is harmless. */
  async function ensure(channel: string): Promise<void> {
    if (!client) await (opening ??= open().finally(() => (opening = null)))
    await say(`LISTEN ${pg.escapeIdentifier(channel)}`)
  }

  function reconnect(delay: number): void {
    if (isClosed || channels.size === 0) return
    clearTimeout(timer)
    timer = setTimeout(async () => {
      try {
        if (!client) await (opening ??= open().finally(() => (opening = null)))
        if (isClosed) return void (await client?.end().catch(() => undefined))
        for (const channel of channels.keys()) wake(channel, '')
      } catch {
        reconnect(Math.min(longestDelay, delay * 2))
      }
    }, delay)
  }

  return {
    async listen(channel, on) {
      if (isClosed) throw new Error('listen: the database is closed')
      const listeners = channels.get(channel) ?? new Set()
      channels.set(channel, listeners)
      // A private wrapper: the same function may listen twice.
      const entry = (payload: string) => on(payload)
      listeners.add(entry)
      const forget = async () => {
        if (!listeners.delete(entry) || listeners.size > 0) return
        channels.delete(channel)
        // The channel may be gone with its connection, which is as good.
        await say(`UNLISTEN ${pg.escapeIdentifier(channel)}`).catch(() => undefined)
      }
      try {
        await ensure(channel)
      } catch (error) {
        await forget()
        throw error
      }
      return forget
    },
    async close() {
      isClosed = true
      clearTimeout(timer)
      channels.clear()
      await opening?.catch(() => undefined)
      const last = client
      client = null
      await last?.end().catch(() => undefined)
    },
  }
}
