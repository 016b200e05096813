import { createGraphiQLFetcher } from '@graphiql/toolkit'
import { GraphiQL } from 'graphiql'
import { createClient } from 'graphql-ws'
import { createRoot } from 'react-dom/client'
import 'graphiql/style.css'
import './page.css'

const workers = { json: 'json.worker.js', graphql: 'graphql.worker.js' }
globalThis.MonacoEnvironment = {
  getWorker: (_, label) => new Worker(new URL(workers[label] ?? 'editor.worker.js', import.meta.url), { type: 'module' }),
}

const url = new URL('/graphql', location.href)
const socketUrl = new URL(url)
socketUrl.protocol = url.protocol.replace('http', 'ws')

const storedHeaders = () => {
  try {
    return JSON.parse(localStorage.getItem('graphiql:headers') || '{}')
  } catch {
    return {}
  }
}
const fetcher = createGraphiQLFetcher({
  url: url.href,
  wsClient: createClient({ url: socketUrl.href, connectionParams: () => ({ authorization: storedHeaders().authorization }) }),
})

const firstQuery = `# Espalier. Ctrl-Enter runs the query; Ctrl-Space completes.
{
  projects {
    id
    name
  }
  runs(first: 5) {
    totalCount
    edges {
      node {
        id
        kind
        state
      }
    }
  }
}
`

createRoot(document.getElementById('editor')).render(
  <GraphiQL fetcher={fetcher} defaultQuery={firstQuery} defaultEditorToolsVisibility="headers" shouldPersistHeaders />,
)
