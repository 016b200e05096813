import type { Sql } from '../postgres/sql.js'
import type { GraphChange } from '../vocabulary.js'
import { artifactNode, lineageEdges } from './graph.js'
import { readArtifacts } from './store.js'

const pageSize = 200

/** What artifacts have in the graph now, in pages: read by a rebuild. Their runs must be there already. */
export async function* artifactGraph(sql: Sql): AsyncGenerator<GraphChange[]> {
  for (let after: string | undefined; ; ) {
    const page = await readArtifacts(sql, { first: pageSize, ...(after ? { after } : {}) })
    if (page.length === 0) return
    after = page.at(-1)!.id
    yield page.map((artifact) => artifactNode(artifact, artifact.createdAt))
    yield page.flatMap((artifact) => lineageEdges(artifact, artifact.createdAt))
  }
}
