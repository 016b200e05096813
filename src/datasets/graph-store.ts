import type { Sql } from '../postgres/sql.js'
import type { GraphChange } from '../vocabulary.js'
import { tablesOf, versionChanges } from './lineage.js'
import { readDatasets, readVersionsOfDatasets } from './store.js'

const pageSize = 100

/**
 * What dataset versions have in the graph now, in pages: read by a rebuild. Their tables must be there already; all versions come before
 * the edges from one to another.
 */
export async function* datasetGraph(sql: Sql): AsyncGenerator<GraphChange[]> {
  for (const isEdge of [false, true])
    for await (const changes of changesOfAll(sql)) {
      const some = changes.filter(({ op }) => (op === 'upsert-edge') === isEdge)
      if (some.length > 0) yield some
    }
}

async function* changesOfAll(sql: Sql): AsyncGenerator<GraphChange[]> {
  const ids = (await readDatasets(sql)).map((dataset) => dataset.id)
  for (let start = 0; start < ids.length; start += pageSize)
    for (const version of await readVersionsOfDatasets(sql, ids.slice(start, start + pageSize)))
      yield versionChanges(version, tablesOf(version), version.createdAt)
}
