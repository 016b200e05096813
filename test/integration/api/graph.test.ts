import { openGrafeo } from '../../../src/graph/grafeo.js'
import { describeGraphApi } from './graph-api.js'

// The same on Neo4j: test/integration/graph/neo4j.test.ts, where everything that needs that server runs one after the other.
describeGraphApi('the embedded graph', (log) => openGrafeo({ folder: null, log }))
