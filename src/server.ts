import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import { ApolloServer, type ApolloServerPlugin } from '@apollo/server'
import { ApolloServerPluginLandingPageDisabled } from '@apollo/server/plugin/disabled'
import { ApolloServerPluginDrainHttpServer } from '@apollo/server/plugin/drainHttpServer'
import { expressMiddleware } from '@as-integrations/express5'
import express, { type ErrorRequestHandler } from 'express'
import { type Gate, openGate } from './access/gate.js'
import { type ApiContext, type ApiPlatform, contextMaker } from './api/context.js'
import { variablesRefusal } from './api/cost.js'
import { formatError } from './api/errors.js'
import { artifactRoutes } from './api/http/artifacts.js'
import { type Identified, identified, openCallers } from './api/http/callers.js'
import { legacyStatus, subscriptionsBySocket } from './api/http/compliance.js'
import { editorRoutes } from './api/http/editor.js'
import { isLoopback } from './api/http/guard.js'
import { healthRoutes } from './api/http/health.js'
import { requestMetrics } from './api/http/metrics.js'
import { runFileRoutes } from './api/http/run-files.js'
import { serveSockets } from './api/http/websocket.js'
import { defaultLimits, type Limits, limitRules } from './api/limits.js'
import { buildApiSchema } from './api/schema.js'
import { trainingDataHealth } from './api/training-data/health.js'
import { trainingDataRoutes } from './api/training-data/routes.js'
import { uploadRoutes } from './api/training-data/uploads.js'
import type { Config } from './config.js'
import { openServerPlatform } from './platform.js'
import { runAsChild } from './util/child.js'
import { EspalierError } from './util/error.js'

export interface RunningServer {
  /** the GraphQL endpoint, `http://127.0.0.1:4000/graphql` */
  url: string
  /** drains requests and subscriptions, then stops listening; the platform stays open */
  close(): Promise<void>
}

/** Serves the API of `platform` on its configured host and port: GraphQL by HTTP and WebSocket, the editor, health. */
export async function startServer(platform: ApiPlatform, limits: Limits = defaultLimits): Promise<RunningServer> {
  const { config, log } = platform
  const gate = await openGate(platform.database, config.tokens, platform.ownerKey)
  await refuseOpenDoors(config.host, gate)
  const callers = openCallers(gate, config.requestsPerMinute)
  const schema = await buildApiSchema()
  const rules = limitRules(limits)
  const context = contextMaker(platform)
  const format = formatError(log)
  const metrics = requestMetrics(platform)
  const app = express()
  const http = createServer(app)
  // longer than clients and balancers keep a connection that waits (4 to 60 s): whoever closes first must not be us, in the middle of a request
  http.keepAliveTimeout = 65_000
  const sockets = serveSockets(http, {
    schema,
    rules,
    tokens: limits.tokens,
    variableDepth: limits.variableDepth,
    bytes: limits.bodyBytes,
    introspection: config.introspection,
    context,
    callers,
    format,
  })
  const apollo = new ApolloServer<ApiContext>({
    schema,
    validationRules: rules,
    parseOptions: { maxTokens: limits.tokens },
    introspection: config.introspection,
    formatError: format,
    includeStacktraceInErrorResponses: false,
    stopOnTerminationSignals: false,
    logger: log.child({ part: 'apollo' }),
    plugins: [
      ApolloServerPluginDrainHttpServer({ httpServer: http, stopGracePeriodMillis: 5_000 }),
      ApolloServerPluginLandingPageDisabled(),
      { serverWillStart: async () => ({ drainServer: () => sockets.dispose() }) },
      metrics.plugin,
      limitVariables(limits.variableDepth),
      legacyStatus,
      subscriptionsBySocket,
    ],
  })
  await apollo.start()
  app.disable('x-powered-by')
  app.use(healthRoutes(platform), trainingDataHealth(platform), editorRoutes(), identified(callers), metrics.routes)
  app.use(artifactRoutes(platform), runFileRoutes(platform), uploadRoutes(platform), trainingDataRoutes(platform))
  app.use(
    '/graphql',
    express.json({ limit: limits.bodyBytes }),
    expressMiddleware(apollo, { context: async ({ res }) => context((res as Identified).locals.principal) }),
  )
  app.use(answerErrors(platform))
  try {
    const url = await listen(http, config.host, config.port)
    const openness = 'there are no keys, so whoever reaches this port on this machine may do anything'
    log.info({ url }, (await gate.isGuarded()) ? 'serving to whoever brings a key' : `serving; ${openness}`)
    return { url, close: () => apollo.stop() }
  } catch (error) {
    await apollo.stop()
    throw error
  }
}

/** Variables are no part of the document that validation rules see. */
const limitVariables = (depth: number): ApolloServerPlugin<ApiContext> => ({
  async requestDidStart() {
    return {
      async didResolveOperation({ request }) {
        const refusal = variablesRefusal(request.variables, depth)
        if (refusal) throw refusal
      },
    }
  },
})

/** Without keys the server stays on loopback. */
async function refuseOpenDoors(host: string, gate: Gate): Promise<void> {
  if (isLoopback(host) || (await gate.isGuarded())) return
  throw new EspalierError('FORBIDDEN', `host "${host}": without keys the server listens on loopback only`, {
    remedy: 'Make a key first (`espalier keys create --name me --scopes admin`), or set ESPALIER_HOST to 127.0.0.1 (the default).',
  })
}

function listen(http: Server, host: string, port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    http.once('error', (cause: NodeJS.ErrnoException) => reject(cause.code === 'EADDRINUSE' ? portInUse(host, port, cause) : cause))
    http.listen(port, host, () => {
      const { port: actual } = http.address() as AddressInfo
      resolve(`http://${host.includes(':') ? `[${host}]` : host}:${actual}/graphql`)
    })
  })
}

const portInUse = (host: string, port: number, cause: unknown) =>
  new EspalierError('PORT_IN_USE', `port ${port} on ${host} is in use by another process`, {
    remedy: `Stop that process, or choose another port with ESPALIER_PORT (0 takes a free one).`,
    cause,
  })

/** What express could not read (malformed JSON, a body over the limit) as a GraphQL answer, without a stack. */
function answerErrors(platform: ApiPlatform): ErrorRequestHandler {
  const known: Record<string, { code: string; message: string }> = {
    'entity.parse.failed': { code: 'BAD_REQUEST', message: 'The request body is not valid JSON' },
    'entity.too.large': { code: 'PAYLOAD_TOO_LARGE', message: 'The request body is larger than this server takes' },
    'encoding.unsupported': { code: 'BAD_REQUEST', message: 'The request body has an encoding that this server does not read' },
    'charset.unsupported': { code: 'BAD_REQUEST', message: 'The request body has a charset that this server does not read' },
    'request.aborted': { code: 'BAD_REQUEST', message: 'The request ended before its body was complete' },
  }
  return (error: { type?: string; status?: number }, _request, response, next) => {
    if (response.headersSent) return next(error)
    const { code, message } = known[error.type ?? ''] ?? { code: 'INTERNAL_SERVER_ERROR', message: 'The request could not be answered' }
    const status = error.status && error.status < 500 ? error.status : 500
    if (status === 500) platform.log.error({ err: error }, 'request failed before GraphQL')
    response
      .status(status)
      .json({ errors: [{ message: status === 404 ? 'Not found' : message, extensions: { code: status === 404 ? 'NOT_FOUND' : code } }] })
  }
}

/** The server as a process of its own: opens the platform, serves it, and closes both. */
if (process.argv[1] === fileURLToPath(import.meta.url))
  runAsChild<Config & { ownerKey?: string }>(async ({ ownerKey, ...config }) => {
    const platform = await openServerPlatform(config, ownerKey)
    try {
      const server = await startServer(platform)
      return {
        answer: { url: server.url },
        stop: async () => {
          await server.close()
          await platform.close()
        },
      }
    } catch (error) {
      await platform.close()
      throw error
    }
  })
