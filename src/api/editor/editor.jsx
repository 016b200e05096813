import { createGraphiQLFetcher } from '@graphiql/toolkit'
import { GraphiQL } from 'graphiql'
import { parse } from 'graphql'
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
const fetchByKind = createGraphiQLFetcher({
  url: url.href,
  wsClient: createClient({ url: socketUrl.href, connectionParams: () => ({ authorization: storedHeaders().authorization }) }),
})

/** GraphiQL tells queries from subscriptions by what it parsed a moment ago; whoever types and runs at once would get the old kind. */
const parsed = (query) => {
  try {
    return parse(query)
  } catch {
    return undefined
  }
}
const fetcher = (params, options) => fetchByKind(params, { ...options, documentAST: parsed(params.query) ?? options?.documentAST })

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
