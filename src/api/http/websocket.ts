import type { IncomingMessage, Server } from 'node:http'
import {
  createSourceEventStream,
  type ExecutionArgs,
  type ExecutionResult,
  execute,
  GraphQLError,
  type GraphQLFormattedError,
  type GraphQLSchema,
  NoSchemaIntrospectionCustomRule,
  parse,
  specifiedRules,
  type ValidationRule,
  validate,
} from 'graphql'
import type { Context as SocketContext } from 'graphql-ws'
import { type Extra, useServer } from 'graphql-ws/use/ws'
import { WebSocketServer } from 'ws'
import type { Principal } from '../../access/principal.js'
import { EspalierError, messageOf } from '../../util/error.js'
import type { ApiContext } from '../context.js'
import { variablesRefusal } from '../cost.js'
import type { Callers } from './callers.js'

export interface SocketOptions {
  schema: GraphQLSchema
  rules: readonly ValidationRule[]
  tokens: number
  variableDepth: number
  bytes: number
  introspection: boolean
  context(principal: Principal): ApiContext
  callers: Callers
  format(formatted: GraphQLFormattedError, thrown: unknown): GraphQLFormattedError
}

/**
 * graphql's `subscribe`, but every event is executed with a context of its own: loaders of a context that lives as long as the
 * subscription would answer from their first read for ever.
 */
export async function subscribeFresh(
  args: ExecutionArgs,
  freshContext: () => Promise<unknown>,
): Promise<AsyncIterableIterator<ExecutionResult> | ExecutionResult> {
  const source = await createSourceEventStream(args)
  if (!(Symbol.asyncIterator in source)) return source
  const events = source[Symbol.asyncIterator]()
  const map = async (step: IteratorResult<unknown>): Promise<IteratorResult<ExecutionResult>> =>
    step.done
      ? { value: undefined, done: true }
      : { value: await execute({ ...args, rootValue: step.value, contextValue: await freshContext() }), done: false }
  // Not an async generator: return() has to reach the source while a next() is pending.
  const results: AsyncIterableIterator<ExecutionResult> = {
    next: async () => map(await events.next()),
    return: async () => {
      await events.return?.()
      return { value: undefined, done: true }
    },
    throw: async (error) => {
      await events.return?.()
      throw error
    },
    [Symbol.asyncIterator]: () => results,
  }
  return results
}

type Connection = SocketContext<Record<string, unknown>, Extra>

/** RFC 6455 leaves 123 bytes for it. */
const closeReason = (thrown: unknown): string => [...messageOf(thrown)].slice(0, 100).join('')

/** Queries, mutations and subscriptions over WebSocket on the path of the HTTP endpoint, under the same limits and error shape. */
export function serveSockets(http: Server, options: SocketOptions): { dispose(): Promise<void> } {
  const { schema, context, format, callers } = options
  const sockets = new WebSocketServer({
    noServer: true,
    maxPayload: options.bytes,
    verifyClient: ({ req }: { req: IncomingMessage }, answer: (isWelcome: boolean) => void) =>
      void callers.isWelcome(req.headers).then(answer, () => answer(false)),
  })
  http.on('upgrade', (request, socket, head) => {
    if (new URL(request.url ?? '/', 'http://localhost').pathname !== '/graphql') return socket.destroy()
    sockets.handleUpgrade(request, socket, head, (opened) => sockets.emit('connection', opened, request))
  })
  // Asked anew for every operation and every event: a key that was revoked ends what it began.
  const contextOf = async ({ extra, connectionParams }: Connection) => {
    const found = await callers.identify(extra.request.headers, connectionParams ?? {})
    return context(found)
  }
  const connections = new WeakMap<ApiContext, Connection>()
  const formatAll = (errors: readonly GraphQLError[]) => errors.map((error) => format(error.toJSON(), error))
  const server = useServer(
    {
      async onConnect({ extra, connectionParams }) {
        try {
          await callers.identify(extra.request.headers, connectionParams ?? {})
          return true
        } catch (thrown) {
          extra.socket.close(thrown instanceof EspalierError && thrown.code === 'UNAUTHENTICATED' ? 4401 : 4403, closeReason(thrown))
          return false
        }
      },
      async onSubscribe(connection, _id, payload) {
        try {
          const contextValue = await contextOf(connection)
          const prepared = prepareOperation(options, payload, contextValue)
          if ('document' in prepared) connections.set(contextValue, connection)
          return prepared
        } catch (thrown) {
          return [new GraphQLError(messageOf(thrown), { originalError: thrown as Error })]
        }
      },
      subscribe: (args) => subscribeFresh({ ...args, schema }, () => contextOf(connections.get(args.contextValue as ApiContext)!)),
      onNext: (_connection, _id, _payload, _args, result) => (result.errors ? { ...result, errors: formatAll(result.errors) } : undefined),
      onError: (_connection, _id, _payload, errors) => formatAll(errors),
    },
    sockets,
  )
  return { dispose: async () => void (await server.dispose()) }
}

/** What to execute, or why not. (graphql-ws itself would close the whole socket on a syntax error, and knows no token limit.) */
function prepareOperation(
  { schema, rules, tokens, variableDepth, introspection }: SocketOptions,
  {
    query,
    operationName,
    variables,
  }: { query: string; operationName?: string | null | undefined; variables?: Record<string, unknown> | null | undefined },
  contextValue: ApiContext,
): ExecutionArgs | readonly GraphQLError[] {
  const allRules = [...specifiedRules, ...rules, ...(introspection ? [] : [NoSchemaIntrospectionCustomRule])]
  const refusal = variablesRefusal(variables, variableDepth)
  if (refusal) return [refusal]
  try {
    const document = parse(query, { maxTokens: tokens })
    const errors = validate(schema, document, allRules)
    return errors.length > 0
      ? errors.map(coded('GRAPHQL_VALIDATION_FAILED'))
      : { schema, document, operationName, variableValues: variables, contextValue }
  } catch (thrown) {
    if (thrown instanceof GraphQLError) return [coded('GRAPHQL_PARSE_FAILED')(thrown)]
    throw thrown
  }
}

/** The code that Apollo gives such an error by HTTP. */
const coded =
  (code: string) =>
  (error: GraphQLError): GraphQLError => {
    const { message, nodes, source, positions, path, extensions } = error
    return new GraphQLError(message, { nodes, source, positions, path, extensions: { code, ...extensions } })
  }
