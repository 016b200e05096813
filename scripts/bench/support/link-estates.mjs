/** Estates read from text alone, without a ledger; flows whose ends the text leaves open stay out, as do links into what nobody defines. */
import fs from 'node:fs'
import path from 'node:path'
import { parseSource } from '../../../dist/catalog/sources/index.js'

const root = path.resolve(import.meta.dirname, '../../..')
export const sharedData = path.resolve(root, '../shared/data')
const demo = path.join(root, 'scripts/demo/estate')
const read = (...parts) => fs.readFileSync(path.join(...parts), 'utf8')

/** DEPENDS_ON as the ledger derives it: who waits for a condition depends on whoever sets it. */
function dependencies(edges) {
  const waits = edges.filter((e) => e.label === 'BLOCKS')
  const sets = edges.filter((e) => e.label === 'RELEASES')
  return waits.flatMap((wait) =>
    sets
      .filter((set) => set.targetId === wait.sourceId && set.sourceId !== wait.targetId)
      .map((set) => ({ ...wait, sourceId: wait.targetId, label: 'DEPENDS_ON', targetId: set.sourceId, discriminator: '', properties: {} })),
  )
}

/** Nodes and edges of several texts; an edge to a table that is only named finds it by its name. */
async function estateOf(texts) {
  const nodes = new Map()
  const edges = []
  for (const { dialect, text, ...scope } of texts) {
    const { facts } = await parseSource(dialect, text, { file: 'bench', ...scope })
    const { projectId, systemId } = scope
    for (const fact of facts)
      if (fact.fact === 'node') {
        const { id, kind, name, qualifiedName, properties } = fact
        if (!nodes.has(id)) nodes.set(id, { id, kind, name, qualifiedName, properties, projectId, systemId })
      } else if (fact.fact === 'edge') {
        const { sourceId, label, targetId, discriminator = '', properties } = fact
        edges.push({ sourceId, label, targetId, discriminator, properties, projectId, systemId })
      }
  }
  const tables = new Map(
    [...nodes.values()].filter((n) => n.kind === 'Table' || n.kind === 'View').map((n) => [n.qualifiedName.toLowerCase(), n.id]),
  )
  const named = (edge) => tables.get(String(edge.properties.unresolved?.table_name ?? '').toLowerCase()) ?? ''
  const settled = edges.map((e) => ({ ...e, sourceId: e.sourceId || named(e), targetId: e.targetId || named(e) }))
  const unique = new Map(
    [...settled, ...dependencies(settled)].map((e) => [JSON.stringify([e.sourceId, e.label, e.targetId, e.discriminator]), e]),
  )
  return { nodes: [...nodes.values()], edges: [...unique.values()] }
}

export const merge = (...estates) => ({ nodes: estates.flatMap((e) => e.nodes), edges: estates.flatMap((e) => e.edges) })

/** Spider's schemas (Yu et al. 2018): 83 databases with their declared keys. */
export const spiderEstate = () =>
  estateOf([{ dialect: 'schema-json', text: read(sharedData, 'spider/tables.json'), projectId: 'spider', systemId: 'schemas' }])

/** The demo bank: three databases with keys and views, and the jobs that load them. */
export const demoEstate = () =>
  estateOf([
    ...['core', 'risk', 'marketing'].map((name) => ({
      dialect: 'hive-ddl',
      text: read(demo, `v4/hive/${name}.sql`),
      projectId: 'bank',
      systemId: 'hive',
    })),
    { dialect: 'control-m-xml', text: read(demo, 'v4/control-m/bank-prod.xml'), projectId: 'bank', systemId: 'control-m' },
  ])

/** TPC-DS for Hive: the tables in one database, each query as a view in a database of its own. */
export async function tpcdsEstate() {
  const ddl = path.join(sharedData, 'hive/ddl-tpcds/text')
  const queries = path.join(sharedData, 'hive/queries-tpcds')
  const views = fs.readdirSync(queries).flatMap((file) => {
    const statements = read(queries, file)
      .replace(/^\s*--.*$/gm, '')
      .split(';')
      .filter((s) => s.trim() !== '')
    return statements.map(
      (s, i) => `create database ${path.basename(file, '.sql')}_${i}; create view ${path.basename(file, '.sql')}_${i}.result as ${s}`,
    )
  })
  const text = [
    ...fs
      .readdirSync(ddl)
      .sort()
      .map((file) => read(ddl, file)),
    'use tpcds',
    ...views,
  ].join(';\n')
  return estateOf([
    {
      dialect: 'hive-ddl',
      text,
      projectId: 'tpcds',
      systemId: 'hive',
      defaultDatabase: 'tpcds',
      variables: { DB: 'tpcds', LOCATION: '/' },
    },
  ])
}

/** Control-M exports, each an estate of its own (they use the same names). */
export const controlMEstates = () =>
  Promise.all(
    fs
      .readdirSync(path.join(sharedData, 'control-m'))
      .filter((file) => file.endsWith('.xml'))
      .map((file) =>
        estateOf([{ dialect: 'control-m-xml', text: read(sharedData, 'control-m', file), projectId: file, systemId: 'control-m' }]),
      ),
  )
