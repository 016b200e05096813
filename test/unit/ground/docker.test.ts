import fs from 'node:fs'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { z } from 'zod'
import { readConfig } from '../../../src/config.js'

const root = path.resolve(import.meta.dirname, '../../..')
const read = (file: string) => fs.readFileSync(path.join(root, file), 'utf8')

/** The part of the Compose specification that is used here; a key that is not in it is a mistake. */
const service = z
  .strictObject({
    image: z.string(),
    build: z.string(),
    network_mode: z.literal('host'),
    environment: z.record(z.string(), z.union([z.string(), z.number()])),
    ports: z.array(z.string()),
    volumes: z.array(z.string()),
    healthcheck: z.strictObject({
      test: z.tuple([z.literal('CMD-SHELL'), z.string()]),
      interval: z.string().regex(/^\d+s$/),
      retries: z.number(),
    }),
    depends_on: z.record(z.string(), z.strictObject({ condition: z.literal('service_healthy') })),
    init: z.boolean(),
    stop_grace_period: z.string().regex(/^\d+s$/),
    restart: z.enum(['unless-stopped']),
  })
  .partial()
const compose = z
  .strictObject({ services: z.record(z.string(), service), volumes: z.record(z.string(), z.null()) })
  .parse(parse(read('docker-compose.yml')))
const { postgres, neo4j, espalier } = compose.services

/** A value as it is without settings of the user's own. */
const byDefault = (value: string | number) => String(value).replace(/\$\{\w+:-([^}]*)\}/g, '$1')

describe('docker-compose.yml', () => {
  it('is whole: every service has an image or a build, every volume and dependency is declared', () => {
    for (const [name, { image, build, volumes = [], depends_on = {} }] of Object.entries(compose.services)) {
      expect([image, build].filter(Boolean), name).toHaveLength(1)
      for (const volume of volumes) expect(Object.keys(compose.volumes)).toContain(volume.split(':')[0])
      for (const other of Object.keys(depends_on)) expect(compose.services[other]?.healthcheck).toBeDefined()
    }
  })

  it('publishes on loopback only', () => {
    for (const { ports = [] } of Object.values(compose.services)) for (const port of ports) expect(port).toMatch(/^127\.0\.0\.1:/)
  })

  it('gives Espalier settings that it reads, and that fit the other services', () => {
    const environment = Object.fromEntries(Object.entries(espalier!.environment!).map(([name, value]) => [name, byDefault(value)]))
    const config = readConfig({}, environment, '/')
    expect(config).toMatchObject({ port: 4000, host: '127.0.0.1', neo4j: { uri: 'bolt://127.0.0.1:7687', username: 'neo4j' } })
    expect(byDefault(neo4j!.environment!['NEO4J_AUTH']!)).toBe(`neo4j/${config.neo4j!.password}`)
    const { username, password, port, pathname } = new URL(config.databaseUrl!)
    expect([username, password, pathname.slice(1)]).toEqual(
      ['POSTGRES_USER', 'POSTGRES_PASSWORD', 'POSTGRES_DB'].map((name) => byDefault(postgres!.environment![name]!)),
    )
    expect(byDefault(postgres!.ports![0]!)).toBe(`127.0.0.1:${port}:5432`)
    expect(byDefault(neo4j!.ports![0]!)).toBe('127.0.0.1:7687:7687')
  })

  it('runs the Neo4j that the tests run', () => {
    expect(read('scripts/neo4j/start.mjs')).toContain(`'${neo4j!.image}'`)
  })
})

describe('Dockerfile', () => {
  const lines = read('Dockerfile').split('\n')

  it('takes along what the package ships', () => {
    const copied = lines.flatMap((line) => /^COPY (?:--from=build \/app\/)?(.+) \S+$/.exec(line)?.[1]?.split(' ') ?? [])
    const { files } = JSON.parse(read('package.json')) as { files: string[] }
    expect(copied).toEqual(expect.arrayContaining(files.filter((file) => file !== 'README.md')))
    for (const file of copied.filter((name) => name !== 'dist')) expect(fs.existsSync(path.join(root, file)), file).toBe(true)
  })

  it('runs a Node that the package allows, the same in both stages, and not as root', () => {
    const { engines } = JSON.parse(read('package.json')) as { engines: { node: string } }
    const bases = lines.flatMap((line) => /^FROM node:(\d+)-/.exec(line)?.[1] ?? [])
    expect(new Set(bases).size).toBe(1)
    expect(bases).toHaveLength(2)
    expect(Number(bases[0])).toBe(Number(/\d+/.exec(engines.node)?.[0]))
    expect(lines).toContain('USER node')
  })
})
