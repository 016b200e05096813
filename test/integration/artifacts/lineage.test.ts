import { afterAll, describe, expect, it } from 'vitest'
import { promote } from '../../../src/artifacts/promotion.js'
import { saveRankingVersion } from '../../../src/datasets/store.js'
import { openGrafeo } from '../../../src/graph/grafeo.js'
import { readGraphChanges } from '../../../src/postgres/outbox.js'
import { createRun } from '../../../src/runs/store.js'
import { createLogger } from '../../../src/util/log.js'
import { freshDatabase } from '../../support/database.js'
import { publishToy, temporaryBlobs } from '../../support/published.js'
import { toyLists } from '../../support/toy-lists.js'

const { database } = await freshDatabase()
const { blobs, remove } = await temporaryBlobs()
afterAll(remove)

describe('an artifact in the graph', () => {
  it('leads to the run that made it and the data that it learned from, and carries its aliases', async () => {
    const now = new Date()
    await database.query(`INSERT INTO project (id, name) VALUES ('p', 'p') ON CONFLICT DO NOTHING`)
    const lists = toyLists(20, { seed: 5 })
    const { version } = await saveRankingVersion(database, blobs, { dataset: { projectId: 'p', name: 'toy' }, lists }, now)
    const run = await createRun(database, { kind: 'train-ggnn', options: {}, projectId: 'p' })
    const dataset = { versionId: version.id, hash: version.hash }
    const artifact = await publishToy({ database, blobs }, { runId: run.id, projectId: 'p', dataset, validation: lists, now })
    await promote(database, 'production', artifact.id, { now })

    const engine = await openGrafeo({ folder: null, log: createLogger('silent') })
    try {
      await engine.prepare()
      const changes = await readGraphChanges(database, 0, 10_000)
      await engine.apply(
        changes.map((c) => c.change),
        changes.at(-1)!.id,
      )
      const { rows } = await engine.read({
        text: 'MATCH (a:Artifact)-[:PRODUCED_BY]->(r:Run)-[:USED]->(d:DatasetVersion) RETURN a.id, a.aliases, r.id, d.id, d.hash',
      })
      expect(rows).toEqual([
        [`artifact:${artifact.id}`, ['latest', 'production'], `run:${run.id}`, `dataset-version:${version.id}`, version.hash],
      ])
    } finally {
      await engine.close()
    }
  })
})
