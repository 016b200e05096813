/** Every version of two real schema histories: in order, and in three shuffled orders that must give the very same ledger. */
import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { ingest } from '../../dist/catalog/ingest.js'
import { readEstate } from '../../dist/catalog/reads/read-store.js'
import { parseSource } from '../../dist/catalog/sources/index.js'
import { canonicalJson, sha256 } from '../../dist/util/hash.js'
import { seeded } from '../../dist/util/random.js'

export const title = 'all 228 versions of two MySQL schemas, in order and shuffled'

const projects = ['mediawiki', 'coppermine']
const scope = (project) => ({ projectId: project, systemId: 'mysql' })
const file = 'tables.sql'

function versionsOf(data, project) {
  const folder = path.join(data, 'schema-history', project)
  return fs
    .readdirSync(folder)
    .map((name) => ({ observedAt: new Date(Number.parseInt(name, 10) * 1000), text: fs.readFileSync(path.join(folder, name), 'utf8') }))
    .sort((a, b) => a.observedAt - b.observedAt)
}

const load = (database, project, { text, observedAt }) =>
  ingest(database, {
    ...scope(project),
    ...{ complete: true, observedAt, now: new Date(Date.UTC(2026, 0)) },
    inputs: [{ dialect: 'mysql-ddl', file, text }],
  })

const isColumnOrTable = ({ kind }) => kind === 'Table' || kind === 'Column'
const sorted = (nodes) => nodes.map((n) => `${n.id} ${n.name} ${canonicalJson(n.properties)}`).sort()

async function parsed(project, { text }) {
  const { facts } = await parseSource('mysql-ddl', text, { ...scope(project), file })
  return sorted(facts.filter((f) => f.fact === 'node' && isColumnOrTable(f)))
}

/** What the ledger tells, by ids: nodes and edges through time, and changes. */
async function tell(database) {
  const hash = async (text) => sha256(JSON.stringify((await database.query(text)).rows))
  return {
    nodes: await hash(
      `select k.id, h.valid_from, h.valid_to, h.version from node_history h join node_key k on k.key = h.node order by 1, 2`,
    ),
    edges:
      await hash(`select a.id, h.label, b.id as target, h.discriminator, h.valid_from, h.valid_to, h.version, h.is_visible from edge_row h
      join node_key a on a.key = h.source join node_key b on b.key = h.target order by 1, 2, 3, 4, 5`),
    changes:
      await hash(`select coalesce(n.id, a.id || ' ' || e.label || ' ' || b.id || ' ' || e.discriminator) as fact, c.at, c.kind, c.property,
        c.before, c.after, c.confidence from change c left join node_key n on n.key = c.fact left join edge_ends e on e.key = c.fact
      left join node_key a on a.key = e.source left join node_key b on b.key = e.target order by 1, 2, 3, 4`),
  }
}

export async function run({ database: fresh, data }) {
  if (!data) return { skipped: 'the shared data folder is absent' }
  const lines = []
  for (const project of projects) {
    const versions = versionsOf(data, project)
    const database = await fresh()
    const began = Date.now()
    for (const version of versions) {
      const report = await load(database, project, version)
      assert.deepEqual(
        report.problems.filter((p) => p.severity === 'error'),
        [],
      )
      const { nodes } = await readEstate(database, { projectId: project })
      assert.deepEqual(sorted(nodes.filter(isColumnOrTable)), await parsed(project, version), version.observedAt.toISOString())
    }
    const ordered = await tell(database)
    lines.push(`${project}: ${versions.length} versions in ${((Date.now() - began) / 1000).toFixed(1)} s`)
    for (const seed of [1, 2, 3]) {
      const other = await fresh()
      for (const version of seeded(seed).shuffle(versions)) await load(other, project, version)
      assert.deepEqual(await tell(other), ordered, `seed ${seed}`)
    }
    const { rows } = await database.query('select count(*)::int as n from change')
    lines.push(`${project}: ${rows[0].n} changes, the same in three shuffled orders`)
  }
  return lines
}
