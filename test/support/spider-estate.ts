import fs from 'node:fs'
import path from 'node:path'
import { parseSource } from '../../src/catalog/sources/index.js'
import type { Estate } from '../../src/datasets/links/estate.js'
import type { CatalogEdge, CatalogNode } from '../../src/vocabulary.js'

const scope = { projectId: 'spider', systemId: 'schemas' }

/** Spider's schemas (Yu et al. 2018) as the catalog reads them: a database each, with its declared keys. */
export async function spiderEstate(folder: string): Promise<Estate> {
  const text = fs.readFileSync(path.join(folder, 'spider/tables.json'), 'utf8')
  const { facts } = await parseSource('schema-json', text, { ...scope, file: 'tables.json' })
  const nodes: CatalogNode[] = []
  const edges: CatalogEdge[] = []
  for (const fact of facts) {
    if (fact.fact === 'node') {
      const { id, kind, name, qualifiedName, properties } = fact
      nodes.push({ id, kind, name, qualifiedName, properties, ...scope })
    } else if (fact.fact === 'edge') {
      const { sourceId, label, targetId, discriminator = '', properties } = fact
      edges.push({ sourceId, label, targetId, discriminator, properties, ...scope })
    }
  }
  return { nodes, edges }
}
