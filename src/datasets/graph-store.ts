import type { Sql } from '../postgres/sql.js'
import type { GraphChange } from '../vocabulary.js'
import { versionChanges } from './lineage.js'
import { readDatasets, readVersionsOfDatasets } from './store.js'

const pageSize = 100

/** What dataset versions have in the graph now, in pages: read by a rebuild. Their tables must be there already. */
export async function* datasetGraph(sql: Sql): AsyncGenerator<GraphChange[]> {
  const ids = (await readDatasets(sql)).map((dataset) => dataset.id)
  for (let start = 0; start < ids.length; start += pageSize)
    for (const version of await readVersionsOfDatasets(sql, ids.slice(start, start + pageSize))) {
      const sources = (version.provenance['derived_from'] ?? []) as { tableId: string; snapshot: string }[]
      yield versionChanges(version, sources, version.createdAt)
    }
}
