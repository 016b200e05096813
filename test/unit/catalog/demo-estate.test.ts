import fs from 'node:fs'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import type { EdgeFact, NodeFact } from '../../../src/catalog/fact.js'
import { detectDialect, parseSource } from '../../../src/catalog/sources/index.js'
import { workflowOf } from '../../../src/catalog/workflow/workflow.js'
import { planOrder } from '../../../src/catalog/workflow/workflow-order.js'
import type { Problem } from '../../../src/util/problem.js'

const demo = path.resolve(import.meta.dirname, '../../../scripts/demo')
interface Manifest {
  project: string
  systems: { id: string; dialect: string }[]
  versions: { folder: string; observedAt: string; inputs: { system: string; file: string }[] }[]
}
const manifest = JSON.parse(fs.readFileSync(path.join(demo, 'estate/manifest.json'), 'utf8')) as Manifest

interface Version {
  nodes: Map<string, NodeFact>
  edges: EdgeFact[]
  problems: Problem[]
}

async function readVersion({ folder, inputs }: Manifest['versions'][number]): Promise<Version> {
  const version: Version = { nodes: new Map(), edges: [], problems: [] }
  for (const { system, file } of inputs) {
    const text = fs.readFileSync(path.join(demo, 'estate', folder, file), 'utf8')
    const { dialect } = manifest.systems.find((s) => s.id === system)!
    expect(detectDialect(file, text)).toBe(dialect)
    const { facts, problems } = await parseSource(dialect, text, { projectId: manifest.project, systemId: system, file })
    version.problems.push(...problems)
    for (const fact of facts)
      if (fact.fact === 'node') version.nodes.set(fact.id, fact)
      else if (fact.fact === 'edge') version.edges.push(fact)
  }
  return version
}

const versions = await Promise.all(manifest.versions.map(readVersion))
const latest = versions.at(-1)!
const nodes = (v: Version, kind: string, prefix = '') =>
  [...v.nodes.values()].filter((n) => n.kind === kind && n.qualifiedName.startsWith(prefix))
const foreignKeys = (v: Version, database: string) =>
  v.edges.filter((e) => e.label === 'REFERENCES' && e.sourceId.includes(`/table:${database}.`))
/** columns of Hive that both versions have, with another type */
const retyped = (a: Version, b: Version) =>
  nodes(a, 'Column').filter(
    (n) => n.id.includes('/hive/') && b.nodes.has(n.id) && b.nodes.get(n.id)!.properties['data_type'] !== n.properties['data_type'],
  )
const gone = (a: Version, b: Version, kind: string) => nodes(a, kind).filter((n) => n.id.includes('/hive/') && !b.nodes.has(n.id))

/** The table of numbers in the README, as `row -> [v1, v2, v3, v4]`. */
const readme = fs.readFileSync(path.join(demo, 'README.md'), 'utf8')
const claims = new Map(
  [...readme.matchAll(/^\| ([^|]+?) +\| (\d+) +\| (\d+) +\| (\d+) +\| (\d+) +\|$/gm)].map(
    (m) => [m[1]!, m.slice(2, 6).map(Number)] as const,
  ),
)

describe('the demo estate', () => {
  it('parses without errors or warnings in every version', () => {
    expect(versions.flatMap((v) => v.problems)).toEqual([])
  })

  const counts: Record<string, (v: Version) => number> = {
    'tables in `core`': (v) => nodes(v, 'Table', 'core.').length,
    'tables in `risk`': (v) => nodes(v, 'Table', 'risk.').length,
    'tables in `marketing`': (v) => nodes(v, 'Table', 'marketing.').length,
    views: (v) => nodes(v, 'View').length,
    'columns of tables': (v) => v.edges.filter((e) => e.label === 'HAS_COLUMN' && e.sourceId.includes('/hive/table:')).length,
    'foreign keys in `core`': (v) => foreignKeys(v, 'core').length,
    'foreign keys in `risk`': (v) => foreignKeys(v, 'risk').length,
    'foreign keys in `marketing`': (v) => foreignKeys(v, 'marketing').length,
    'Control-M jobs': (v) => nodes(v, 'ControlMJob').length,
    'Control-M conditions': (v) => nodes(v, 'ControlMCondition').length,
    'dependencies between jobs': (v) => planOrder(workflowOf(v.nodes.values(), v.edges)).dependencies.length,
    'JSON tables': (v) => nodes(v, 'Table').filter((n) => n.id.includes('/files/')).length,
  }
  it.each(Object.entries(counts))('has as many %s as the README says', (name, count) => {
    expect(versions.map(count)).toEqual(claims.get(name))
  })

  it('changes from version to version as the README says', () => {
    const steps = (count: (a: Version, b: Version) => number) => [0, ...versions.slice(1).map((v, i) => count(versions[i]!, v))]
    expect(steps((a, b) => retyped(a, b).length)).toEqual(claims.get('columns with a new type'))
    expect(steps((a, b) => gone(b, a, 'Column').length)).toEqual(claims.get('columns added'))
    expect(steps((a, b) => gone(a, b, 'Column').length)).toEqual(claims.get('columns gone (dropped or renamed)'))
    expect(steps((a, b) => gone(b, a, 'Table').length)).toEqual(claims.get('tables added'))
    expect(steps((a, b) => gone(a, b, 'Table').length)).toEqual(claims.get('tables dropped'))
  })

  it('has enough to learn from: 30 foreign keys in each database, many between unlike names', () => {
    for (const database of ['core', 'risk', 'marketing']) expect(foreignKeys(latest, database).length).toBeGreaterThanOrEqual(30)
    const columns = latest.edges.filter((e) => e.label === 'REFERENCES' && e.sourceId.includes('/column:'))
    const last = (id: string) => id.split('.').at(-1)
    const unlike = columns.filter((e) => last(e.sourceId) !== last(e.targetId))
    expect(unlike.length / columns.length).toBeGreaterThan(0.5)
  })

  it('has foreign keys to columns that exist and are of the same type', () => {
    for (const version of versions)
      for (const e of version.edges.filter((e) => e.label === 'REFERENCES' && e.sourceId.includes('/column:'))) {
        expect(version.nodes.has(e.targetId), e.targetId).toBe(true)
        expect([e.sourceId, version.nodes.get(e.sourceId)!.properties['data_type']]).toEqual([
          e.sourceId,
          version.nodes.get(e.targetId)!.properties['data_type'],
        ])
      }
  })

  it('has views whose every named column exists', () => {
    for (const version of versions)
      for (const e of version.edges.filter((e) => e.label === 'DATA_FLOW' && e.sourceId.includes('/column:')))
        expect(version.nodes.has(e.sourceId), e.sourceId).toBe(true)
  })

  it('comments nearly every column of a table', () => {
    const columns = latest.edges
      .filter((e) => e.label === 'HAS_COLUMN' && e.sourceId.includes('/hive/table:'))
      .map((e) => latest.nodes.get(e.targetId)!)
    expect(columns.filter((c) => c.properties['comment']).length / columns.length).toBeGreaterThan(0.95)
  })

  it('lies months apart', () => {
    expect(manifest.versions.map((v) => v.observedAt.slice(0, 10))).toEqual(['2025-11-03', '2026-02-02', '2026-05-04', '2026-08-03'])
  })
})
