import fs from 'node:fs'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { espalier, type LiveEspalier, startLive, temporaryFolder } from '../support/espalier.js'

describe('espalier glean, with no Glean installed', () => {
  let live: LiveEspalier
  let folder: string
  beforeAll(async () => {
    folder = temporaryFolder()
    const env = { GLEAN_BATCH_DIR: path.join(folder, 'batches'), GLEAN_USE_CLI: 'false', ESPALIER_WORKERS: '0' }
    live = await startLive(['serve'], { env })
  })
  afterAll(async () => {
    await live?.stop()
    fs.rmSync(folder, { recursive: true, force: true })
  })

  const run = (...args: string[]) => espalier([...args, '--url', live.url], { cwd: folder })
  const json = (...args: string[]) => {
    const outcome = run(...args, '--json')
    expect(outcome.status, outcome.stdout + outcome.stderr).toBe(0)
    return JSON.parse(outcome.stdout)
  }
  const scope = ['--project', 'bank', '--system', 'hive']

  it('exports what was ingested, and asks for it', () => {
    fs.writeFileSync(path.join(folder, 't.sql'), 'CREATE TABLE core.t (id INT, amount DECIMAL(10,2));')
    expect(run('ingest', 't.sql', ...scope).status).toBe(0)
    const [exported] = json('glean', 'export', ...scope)
    expect(fs.readdirSync(path.join(folder, 'batches'))).toEqual([path.basename(exported.target)])
    expect(json('glean', 'query', 'nodes', ...scope).nodes).toHaveLength(exported.nodes)
    expect(run('glean', 'query', 'edges', ...scope).stdout).toMatch(/HAS_COLUMN +bank\/hive\/column:core\.t\.amount/)
    expect(run('glean', 'query', 'nodes', ...scope, '--limit', '2').stdout).toMatch(/there is more: --after \S+/)
    expect(run('glean', 'query', 'manifests', '--project', 'bank').stdout).toContain('hive')
    expect(run('glean', 'query', 'metrics', '--project', 'bank').stdout).toMatch(/^1 exports\nmetadata entropy \(mean 0\)/)
    expect(run('glean', 'query', 'column-types', '--project', 'bank', '--days', '2').stdout).toMatch(/2 columns[\s\S]*decimal\(10,2\) +1/)
  })

  it('reads an export back without a change', () => {
    expect(json('ingest', 'batches', ...scope, '--complete')).toMatchObject({ changes: 0, problems: [] })
  })

  it('writes what training reads', () => {
    const outcome = run('glean', 'ingest', ...scope, '--output', 'training')
    expect(outcome.stdout).toMatch(/^\d+ nodes, \d+ edges, 1 manifests, 2 columns\nwrote /)
    expect(fs.readdirSync(path.join(folder, 'training'))).toHaveLength(5)
  })

  it('says what is wrong with a question, with status 2', () => {
    for (const [args, said] of [
      [['query', 'tables', '--project', 'bank'], /found "tables", expected one of nodes, edges/],
      [['query', 'nodes'], /--project/],
      [['query', 'nodes', '--project', 'bank', '--days', 'x'], /whole number/],
      [['export', '--project', 'bank'], /--project and --system, or --snapshot/],
    ] as const) {
      const outcome = run('glean', ...args)
      expect([outcome.status, outcome.stderr]).toEqual([2, expect.stringMatching(said)])
    }
  })
})
