import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { readConfig } from '../../../src/config.js'
import { EspalierError } from '../../../src/util/error.js'

const folder = () => fs.mkdtempSync(path.join(os.tmpdir(), 'espalier-config-'))
const problemsOf = (work: () => unknown) => {
  try {
    work()
  } catch (thrown) {
    if (thrown instanceof EspalierError) return thrown.problems
    throw thrown
  }
  throw new Error('expected a refusal')
}

describe('configuration', () => {
  it('needs nothing', () => {
    const cwd = folder()
    expect(readConfig({}, {}, cwd)).toMatchObject({ home: path.join(cwd, '.espalier'), host: '127.0.0.1', port: 4000, threads: 2 })
  })

  it('lets the environment win over the file, and flags over both', () => {
    const cwd = folder()
    fs.writeFileSync(path.join(cwd, 'espalier.yaml'), 'port: 5000\nthreads: 3\nworkers: 4\n')
    expect(readConfig({ workers: 2 }, { ESPALIER_PORT: '6000' }, cwd)).toMatchObject({ port: 6000, threads: 3, workers: 2 })
  })

  it('reads POSTGRES_CATALOG_DSN as DATABASE_URL, and chooses Neo4j by its URI', () => {
    const config = readConfig({}, { POSTGRES_CATALOG_DSN: 'postgres://a', NEO4J_URI: 'bolt://b', NEO4J_PASSWORD: 'c' }, folder())
    expect(config.databaseUrl).toBe('postgres://a')
    expect(config.neo4j).toEqual({ uri: 'bolt://b', username: 'neo4j', password: 'c', database: 'neo4j' })
    expect(readConfig({}, { POSTGRES_CATALOG_DSN: 'postgres://a', DATABASE_URL: 'postgres://b' }, folder()).databaseUrl).toBe(
      'postgres://b',
    )
  })

  it('reads how Glean is reached, with defaults where nothing is said', () => {
    const cwd = folder()
    expect(readConfig({}, {}, cwd).glean).toEqual({ predicatePrefix: 'agenticAiETH.ETL', dbName: 'amodels', useCli: true })
    fs.writeFileSync(path.join(cwd, 'espalier.yaml'), 'glean:\n  dbName: ours\n  batchDir: batches\n')
    const env = { GLEAN_USE_CLI: 'false', GLEAN_PREDICATE_PREFIX: 'our.ns', GLEAN_QUERY_API_URL: 'http://b', GLEAN_SCHEMA_PATH: 's' }
    expect(readConfig({}, env, cwd).glean).toEqual({
      ...{ predicatePrefix: 'our.ns', dbName: 'ours', useCli: false, queryApiUrl: 'http://b', schemaPath: 's' },
      batchDir: path.join(cwd, 'batches'),
    })
    fs.writeFileSync(path.join(cwd, 'espalier.yaml'), 'glean:\n  batchdir: x\n')
    expect(problemsOf(() => readConfig({}, {}, cwd))[0]).toMatchObject({ found: 'batchdir', suggestion: 'Did you mean "batchDir"?' })
  })

  it('refuses unknown settings with a suggestion, at every level and in the environment', () => {
    const cwd = folder()
    fs.writeFileSync(path.join(cwd, 'espalier.yaml'), 'prot: 5000\nneo4j:\n  uri: bolt://x\n  pasword: y\n')
    const problems = problemsOf(() => readConfig({}, { ESPALIER_PROT: '1' }, cwd))
    expect(problems.map((p) => [p.found, p.suggestion])).toEqual([
      ['ESPALIER_PROT', 'Did you mean "ESPALIER_PORT"?'],
      ['pasword', 'Did you mean "password"?'],
      ['prot', 'Did you mean "port"?'],
    ])
  })

  it('names a setting of the wrong kind', () => {
    expect(problemsOf(() => readConfig({}, { ESPALIER_PORT: 'many' }, folder()))[0]).toMatchObject({
      where: expect.stringContaining('port'),
    })
  })
})
