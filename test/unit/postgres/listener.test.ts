import { EventEmitter } from 'node:events'
import { describe, expect, it } from 'vitest'
import { type ListeningClient, openListener } from '../../../src/postgres/listener.js'

/** A connection that does as it is told: `fails` tells when it ends. */
class Connection extends EventEmitter implements ListeningClient {
  said: string[] = []
  isOver = false
  constructor(private readonly fails: 'never' | 'connecting' | 'with its first answer' = 'never') {
    super()
  }
  async connect() {
    if (this.fails === 'connecting') throw new Error('Connection terminated unexpectedly')
  }
  query(text: string) {
    if (this.isOver) return Promise.reject(new Error('Client was closed and is not queryable'))
    this.said.push(text)
    const answer = Promise.resolve()
    // in one packet with the answer: before whoever waits for it goes on
    if (this.fails === 'with its first answer') this.die()
    return answer
  }
  die() {
    this.isOver = true
    this.emit('error', new Error('terminating connection due to administrator command'))
  }
  async end() {
    this.isOver = true
  }
}

function listenOver(connections: Connection[]) {
  const left = [...connections]
  return openListener(() => left.shift() ?? new Connection())
}

describe('openListener', () => {
  it('hands on what is notified on a channel to all of its listeners, and to no other', async () => {
    const connection = new Connection()
    const listener = listenOver([connection])
    const heard: string[] = []
    await listener.listen('a', (payload) => heard.push(`a ${payload}`))
    const forget = await listener.listen('a', (payload) => heard.push(`too ${payload}`))
    await listener.listen('b', (payload) => heard.push(`b ${payload}`))
    connection.emit('notification', { channel: 'a', payload: '1' })
    await forget()
    connection.emit('notification', { channel: 'a', payload: '2' })
    connection.emit('notification', { channel: 'b' })
    expect(heard).toEqual(['a 1', 'too 1', 'a 2', 'b '])
    await listener.close()
  })

  it('reconnects, listens to everything again and wakes everyone', async () => {
    const [first, second] = [new Connection(), new Connection()]
    const listener = listenOver([first, second])
    const woken = new Promise<string>((resolve) => void listener.listen('a', resolve))
    await expect.poll(() => first.said.length).toBeGreaterThan(0)
    first.die()
    expect(await woken).toBe('')
    expect(second.said).toContain('LISTEN "a"')
    await listener.close()
  })

  it('never takes a connection that ended with the answer to its first LISTEN', async () => {
    const [broken, whole] = [new Connection('with its first answer'), new Connection()]
    const listener = listenOver([broken, whole])
    await expect(listener.listen('a', () => {})).rejects.toThrow()
    const heard: string[] = []
    await listener.listen('a', (payload) => heard.push(payload))
    whole.emit('notification', { channel: 'a', payload: 'it works' })
    expect(heard).toEqual(['it works'])
    await listener.close()
  })

  it('tells who listens that no connection can be made; the next try is a new one', async () => {
    const listener = listenOver([new Connection('connecting')])
    await expect(listener.listen('a', () => {})).rejects.toThrow('Connection terminated')
    await listener.listen('a', () => {})
    await listener.close()
  })
})
