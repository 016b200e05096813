import { openNeo4j } from '../../../src/graph/neo4j.js'
import { describeIf } from '../../support/need.js'
import { describeEngine } from './engine-contract.js'

const {
  NEO4J_URI: uri,
  NEO4J_USERNAME: username = 'neo4j',
  NEO4J_PASSWORD: password = '',
  NEO4J_DATABASE: database = 'neo4j',
} = process.env

describeIf(uri, 'NEO4J_URI is not set; run: node scripts/neo4j/start.mjs -- npm test', 'a real Neo4j', () => {
  describeEngine('neo4j', () => openNeo4j({ uri: uri!, username, password, database }), { unsupported: [] })
})
