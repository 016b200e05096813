/** The real schema histories (MySQL DDL, a file a version, named by Unix time) as snapshots of columns: parsed, without a database. */
import fs from 'node:fs'
import path from 'node:path'
import { columnNullable, columnOrdinal, columnTypeText } from '../../../dist/catalog/column.js'
import { parseSource } from '../../../dist/catalog/sources/index.js'

export const historiesFolder = process.env.SCHEMA_HISTORIES ?? path.resolve(import.meta.dirname, '../../../../shared/data/schema-history')

async function columnsOf(projectId, text) {
  const { facts } = await parseSource('mysql-ddl', text, { projectId, systemId: 'mysql', file: 'tables.sql' })
  const tables = new Map(facts.filter((fact) => fact.label === 'HAS_COLUMN').map((edge) => [edge.targetId, edge.sourceId]))
  const columns = facts.filter((fact) => fact.fact === 'node' && fact.kind === 'Column')
  return Object.fromEntries(
    columns.map(({ id, name, properties: p }) => [
      id,
      { name, type: columnTypeText(p), nullable: columnNullable(p), ordinal: columnOrdinal(p), table: tables.get(id) },
    ]),
  )
}

/** Projects of the folder ([] where it is absent), each with its snapshots in order of time. */
export async function readHistories(folder = historiesFolder) {
  if (!fs.existsSync(folder)) return []
  const projects = fs.readdirSync(folder).filter((name) => fs.statSync(path.join(folder, name)).isDirectory())
  return Promise.all(
    projects.sort().map(async (project) => {
      const files = fs.readdirSync(path.join(folder, project)).sort((a, b) => Number.parseInt(a, 10) - Number.parseInt(b, 10))
      const snapshots = []
      for (const file of files) {
        const text = fs.readFileSync(path.join(folder, project, file), 'utf8')
        snapshots.push({ at: new Date(Number.parseInt(file, 10) * 1000), columns: await columnsOf(project, text) })
      }
      return { project, snapshots }
    }),
  )
}
