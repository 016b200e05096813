import { expect, it } from 'vitest'
import { openNeo4j } from '../../../src/graph/neo4j.js'
import { describeIf } from '../../support/need.js'
import { describeEngine } from './engine-contract.js'
import { describeGraphQL } from './graphql-contract.js'

const {
  NEO4J_URI: uri,
  NEO4J_USERNAME: username = 'neo4j',
  NEO4J_PASSWORD: password = '',
  NEO4J_DATABASE: database = 'neo4j',
} = process.env

describeIf(uri, 'NEO4J_URI is not set; run: node scripts/neo4j/start.mjs -- npm test', 'a real Neo4j', () => {
  const open = () => openNeo4j({ uri: uri!, username, password, database })
  describeEngine('neo4j', open, { unsupported: [] })
  describeGraphQL('neo4j', open)

  it('says what to do when no server answers', async () => {
    await expect(openNeo4j({ uri: 'bolt://127.0.0.1:1', username, password })).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      remedy: expect.stringContaining('NEO4J_URI'),
    })
  })
})
