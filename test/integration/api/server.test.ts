import fs from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import path from 'node:path'
import { getIntrospectionQuery } from 'graphql'
import { serverAudits } from 'graphql-http'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { forgetWorker, seeWorker } from '../../../src/runs/worker-store.js'
import { startServer } from '../../../src/server.js'
import { describeIf } from '../../support/need.js'
import { type LiveServer, liveServer } from './live-server.js'
import { type TestPlatform, testPlatform } from './test-platform.js'

let platform: TestPlatform
let server: LiveServer
beforeAll(async () => {
  platform = await testPlatform()
  server = await liveServer(platform)
})
afterAll(() => server?.close())

const root = () => server.url.replace('/graphql', '')
const raw = (body: string, headers: Record<string, string> = {}) =>
  fetch(server.url, { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body })

describe('GraphQL over HTTP', () => {
  const preflight = { 'apollo-require-preflight': '1' }
  const audits = serverAudits({
    url: () => server.url,
    fetchFn: (url: string, init?: RequestInit) => fetch(url, { ...init, headers: { ...init?.headers, ...preflight } }),
  })

  test('all audits pass', async () => {
    const results = await Promise.all(audits.map(async (audit) => ({ name: audit.name, id: audit.id, result: await audit.fn() })))
    const failed = results.filter(({ result }) => result.status !== 'ok')
    expect(failed.map(({ result }) => ({ ...result, response: undefined }))).toEqual([])
    expect(results).toHaveLength(61)
  })

  test('a simple request from another site is refused (CSRF)', async () => {
    const response = await raw('{"query":"{ __typename }"}', { 'content-type': 'text/plain' })
    expect(response.status).toBe(400)
    expect(await response.text()).toContain('CSRF')
  })

  test('malformed JSON gets a clean answer, without a stack', async () => {
    const response = await raw('{"query": ')
    expect(response.status).toBe(400)
    expect(await response.json()).toEqual({
      errors: [{ message: 'The request body is not valid JSON', extensions: { code: 'BAD_REQUEST' } }],
    })
  })

  test('a body over the limit is refused by name', async () => {
    const small = await liveServer(platform, { bodyBytes: 1_000 })
    try {
      const { status, errors } = await small.post(`{ __typename } # ${'x'.repeat(2_000)}`)
      expect([status, errors?.[0]?.extensions.code]).toEqual([413, 'PAYLOAD_TOO_LARGE'])
    } finally {
      await small.close()
    }
  })

  test('a page that was rebound to loopback by name is refused', async () => {
    const { port } = new URL(server.url)
    const status = await new Promise<number | undefined>((resolve, reject) => {
      import('node:http').then(({ request }) => {
        const sent = request(
          {
            port,
            host: '127.0.0.1',
            path: '/graphql',
            method: 'POST',
            headers: { host: `rebound.example:${port}`, 'content-type': 'application/json' },
          },
          (r) => {
            r.resume()
            resolve(r.statusCode)
          },
        )
        sent.on('error', reject)
        sent.end('{"query":"{ __typename }"}')
      }, reject)
    })
    expect(status).toBe(403)
  })
})

describe('limits', () => {
  const introspection = getIntrospectionQuery({
    descriptions: true,
    specifiedByUrl: true,
    inputValueDeprecation: true,
    schemaDescription: true,
  })
  const nested = `{ tablesConnection(first: 50) { totalCount edges { node { name columnsConnection(first: 50) { edges { node { name
    tablesConnection(first: 50) { edges { node { name } } } } } } } } } }`

  test("the editor's introspection query and a three-level nested connection pass", async () => {
    const { __schema } = await server.ask(introspection)
    expect(__schema.types.length).toBeGreaterThan(100)
    expect(await server.ask(nested)).toEqual({ tablesConnection: { totalCount: 0, edges: [] } })
  })

  test.each([
    ['cost', `{ tables(limit: 1000) { columns(limit: 1000) { tables(limit: 1000) { name } } } }`, 'QUERY_TOO_LARGE'],
    ['aliases', `{ ${Array.from({ length: 101 }, (_, i) => `a${i}: __typename`).join(' ')} }`, 'QUERY_TOO_LARGE'],
    ['tokens', `{ ${'__typename '.repeat(10_001)} }`, 'GRAPHQL_PARSE_FAILED'],
  ])('%s, by HTTP and by WebSocket alike', async (_, query, code) => {
    const { errors } = await server.post(query)
    expect(errors?.[0]?.extensions.code).toBe(code)
    const followed = server.follow(server.socket(), query)
    await expect(followed.completed).rejects.toMatchObject([{ message: errors?.[0]?.message }])
  })

  test('variables that nest too deep, by HTTP and by WebSocket alike', async () => {
    const nest = (n: number): object => (n === 0 ? { name: { eq: 'x' } } : { NOT: nest(n - 1) })
    const query = 'query ($where: TableWhere) { tables(where: $where) { name } }'
    expect(await server.ask(query, { where: nest(5) })).toEqual({ tables: [] })
    const { errors } = await server.post(query, { where: nest(20) })
    expect(errors?.[0]?.extensions.code).toBe('QUERY_TOO_LARGE')
    await expect(server.follow(server.socket(), query, { where: nest(20) }).completed).rejects.toMatchObject([
      { message: errors?.[0]?.message },
    ])
  })

  test('introspection can be switched off, on both transports', async () => {
    const closed = await liveServer({ ...platform, config: { ...platform.config, introspection: false } })
    try {
      expect((await closed.post('{ __schema { types { name } } }')).errors?.[0]?.message).toContain('introspection')
      await expect(closed.follow(closed.socket(), '{ __schema { description } }').completed).rejects.toMatchObject([
        { message: expect.stringContaining('introspection') },
      ])
    } finally {
      await closed.close()
    }
  })
})

describe('WebSocket', () => {
  test('queries, syntax errors and unknown fields answer as by HTTP', async () => {
    const socket = server.socket()
    const query = server.follow(socket, '{ projects { id } }')
    await query.completed
    expect(query.values).toEqual([{ data: { projects: [] } }])
    for (const [bad, code] of [
      ['{ projects { ', 'GRAPHQL_PARSE_FAILED'],
      ['{ project }', 'GRAPHQL_VALIDATION_FAILED'],
    ] as const) {
      const { errors } = await server.post(bad)
      expect(errors?.[0]?.extensions.code).toBe(code)
      await expect(server.follow(socket, bad).completed).rejects.toEqual(errors)
    }
  })

  test('a page of another site cannot open one', async () => {
    const WebSocket = (await import('ws')).default
    const outcome = await new Promise((resolve) => {
      const socket = new WebSocket(server.url.replace('http', 'ws'), 'graphql-transport-ws', { origin: 'https://evil.example' })
      socket.on('error', (error) => resolve(error.message))
      socket.on('open', () => resolve('open'))
    })
    expect(outcome).toContain('401')
  })
})

describe('starting', () => {
  test('a port in use is named, with what to do', async () => {
    const other = createServer().listen(0, '127.0.0.1')
    await new Promise((resolve) => other.once('listening', resolve))
    const { port } = other.address() as AddressInfo
    try {
      await expect(startServer({ ...platform, config: { ...platform.config, port } })).rejects.toMatchObject({
        code: 'PORT_IN_USE',
        message: `port ${port} on 127.0.0.1 is in use by another process`,
        remedy: expect.stringContaining('ESPALIER_PORT'),
      })
    } finally {
      await new Promise((resolve) => other.close(resolve))
    }
  })

  test.each(['0.0.0.0', '::', '192.168.1.5'])('%s is refused without keys', async (host) => {
    await expect(startServer({ ...platform, config: { ...platform.config, host } })).rejects.toMatchObject({
      code: 'FORBIDDEN',
      remedy: expect.stringContaining('127.0.0.1'),
    })
  })

  test('the log says that there are no keys', () => {
    expect(platform.lines.some((line) => String(line['msg']).includes('there are no keys'))).toBe(true)
  })

  test('closing ends subscriptions and frees the port', async () => {
    const short = await liveServer(platform)
    const socket = short.socket()
    const closed = new Promise<number>((resolve) => socket.on('closed', (event) => resolve((event as { code: number }).code)))
    await short.follow(socket, '{ __typename }').completed.catch(() => undefined)
    const connected = short.socket({ lazy: false })
    await new Promise((resolve) => connected.on('connected', resolve))
    const ended = new Promise<number>((resolve) => connected.on('closed', (event) => resolve((event as { code: number }).code)))
    await short.close()
    expect(await Promise.race([ended, closed])).toEqual(expect.any(Number))
    await expect(fetch(short.url)).rejects.toThrow()
  })
})

describe('health', () => {
  test('alive and ready', async () => {
    expect(await (await fetch(`${root()}/healthz`)).json()).toEqual({ status: 'ok' })
    const early = await fetch(`${root()}/readyz`)
    expect(early.status).toBe(503)
    expect(await early.json()).toMatchObject({ checks: { postgres: 'ok', graph: 'ok', worker: 'failed' } })
    await seeWorker(platform.database, 'w')
    const ready = await fetch(`${root()}/readyz`)
    expect(ready.status).toBe(200)
    expect(await ready.json()).toEqual({ status: 'ok', checks: { postgres: 'ok', graph: 'ok', worker: 'ok' } })
    await forgetWorker(platform.database, 'w')
    expect((await fetch(`${root()}/readyz`)).status).toBe(503)
  })

  test('not ready when the graph does not answer; why stays in the log', async () => {
    const broken = {
      ...platform,
      graph: { ...platform.graph, driver: () => platform.graph.driver(), position: () => Promise.reject(new Error('secret reason')) },
    }
    const limping = await liveServer(broken as never)
    try {
      const answer = await fetch(limping.url.replace('/graphql', '/readyz'))
      expect(answer.status).toBe(503)
      const body = await answer.text()
      expect(JSON.parse(body)).toMatchObject({ status: 'not ready', checks: { postgres: 'ok', graph: 'failed' } })
      expect(body).not.toContain('secret')
    } finally {
      await limping.close()
    }
  })

  test('metrics as Prometheus reads them', async () => {
    await server.ask('{ projects { id } }')
    await server.post('{ nothing }')
    const text = await (await fetch(`${root()}/metrics`)).text()
    expect(text).toMatch(/^espalier_graphql_requests_total\{operation="query",outcome="ok"\} [1-9]\d*$/m)
    expect(text).toMatch(/^espalier_graphql_requests_total\{operation="none",outcome="error"\} [1-9]\d*$/m)
    expect(text).toMatch(/^espalier_projection_lag_changes 0$/m)
    for (const line of text.trimEnd().split('\n')) expect(line).toMatch(/^# (HELP|TYPE) \w+ .+$|^\w+(\{[^}]*\})? -?[\d.e+-]+$/)
  })

  test('unknown paths are 404 without a stack', async () => {
    const answer = await fetch(`${root()}/nothing-here`)
    expect(answer.status).toBe(404)
    expect(await answer.text()).not.toContain('at ')
  })
})

const editorFolder = path.resolve(import.meta.dirname, '../../../dist/editor')
describeIf(fs.existsSync(path.join(editorFolder, 'editor.js')), 'the editor is built by `npm run build`', 'the editor', () => {
  const page = () => fetch(server.url, { headers: { accept: 'text/html,application/xhtml+xml' } })

  test('a browser gets the page, with a policy that lets nothing else in', async () => {
    const response = await page()
    expect(response.status).toBe(200)
    expect(response.headers.get('content-type')).toContain('text/html')
    expect(response.headers.get('content-security-policy')).toMatch(/default-src 'self'.*connect-src 'self'.*frame-ancestors 'none'/)
  })

  test('every part of it comes from this server', async () => {
    const html = await (await page()).text()
    const parts = [...html.matchAll(/(?:src|href)="([^"]+)"/g)].map((match) => match[1]!)
    expect(parts).toEqual(expect.arrayContaining(['/editor/editor.js', '/editor/editor.css']))
    for (const part of parts.filter((p) => !p.startsWith('data:'))) {
      expect(part).toMatch(/^\/editor\//)
      expect((await fetch(root() + part)).status, part).toBe(200)
    }
    const css = await (await fetch(`${root()}/editor/editor.css`)).text()
    expect(css).not.toMatch(/url\(\s*["']?(?:https?:)?\/\/|@import\s+(?:url\()?["']?(?:https?:)?\/\//)
    for (const file of ['editor.js', 'editor.worker.js', 'graphql.worker.js', 'json.worker.js']) {
      const script = await (await fetch(`${root()}/editor/${file}`)).text()
      expect(script, file).not.toMatch(/unpkg\.com|jsdelivr\.net|esm\.sh|cdnjs|googleapis\.com|skypack|fetch\(\s*["'`]https?:/)
    }
  })

  test('other files are not served', async () => {
    for (const bad of ['/editor/../package.json', '/editor/%2e%2e/cli/main.js', '/editor/.editor.stamp', '/editor/nothing.js']) {
      const answer = await fetch(root() + bad)
      expect(answer.status, bad).toBe(404)
    }
  })
})
