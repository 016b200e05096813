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
import { useServer } from 'graphql-ws/use/ws'
import { WebSocketServer } from 'ws'
import type { ApiContext } from '../context.js'
import { variablesRefusal } from '../cost.js'

export interface SocketOptions {
  schema: GraphQLSchema
  rules: readonly ValidationRule[]
  tokens: number
  variableDepth: number
  bytes: number
  introspection: boolean
  context(): ApiContext
  /** refuses a handshake: the request's host and origin */
  isAllowed(headers: { host?: string | undefined; origin?: string | undefined }): boolean
  format(formatted: GraphQLFormattedError, thrown: unknown): GraphQLFormattedError
}

/**
 * graphql's `subscribe`, but every event is executed with a context of its own: loaders of a context that lives as long as the
 * subscription would answer from their first read for ever.
 */
export async function subscribeFresh(
  args: ExecutionArgs,
  freshContext: () => unknown,
): Promise<AsyncIterableIterator<ExecutionResult> | ExecutionResult> {
  const source = await createSourceEventStream(args)
  if (!(Symbol.asyncIterator in source)) return source
  const events = source[Symbol.asyncIterator]()
  const map = async (step: IteratorResult<unknown>): Promise<IteratorResult<ExecutionResult>> =>
    step.done
      ? { value: undefined, done: true }
      : { value: await execute({ ...args, rootValue: step.value, contextValue: freshContext() }), done: false }
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

/** Queries, mutations and subscriptions over WebSocket on the path of the HTTP endpoint, under the same limits and error shape. */
export function serveSockets(http: Server, options: SocketOptions): { dispose(): Promise<void> } {
  const { schema, context, format } = options
  const sockets = new WebSocketServer({
    noServer: true,
    maxPayload: options.bytes,
    verifyClient: ({ req, origin }: { req: IncomingMessage; origin?: string }) => options.isAllowed({ host: req.headers.host, origin }),
  })
  http.on('upgrade', (request, socket, head) => {
    if (new URL(request.url ?? '/', 'http://localhost').pathname !== '/graphql') return socket.destroy()
    sockets.handleUpgrade(request, socket, head, (opened) => sockets.emit('connection', opened, request))
  })
  const formatAll = (errors: readonly GraphQLError[]) => errors.map((error) => format(error.toJSON(), error))
  const server = useServer(
    {
      onSubscribe: (_connection, _id, payload) => prepareOperation(options, payload),
      context: () => context(),
      subscribe: (args) => subscribeFresh({ ...args, schema }, context),
      onNext: (_connection, _id, _payload, _args, result) => (result.errors ? { ...result, errors: formatAll(result.errors) } : undefined),
      onError: (_connection, _id, _payload, errors) => formatAll(errors),
    },
    sockets,
  )
  return { dispose: async () => void (await server.dispose()) }
}

/** What to execute, or why not. (graphql-ws itself would close the whole socket on a syntax error, and knows no token limit.) */
function prepareOperation(
  { schema, rules, tokens, variableDepth, introspection, context }: SocketOptions,
  {
    query,
    operationName,
    variables,
  }: { query: string; operationName?: string | null | undefined; variables?: Record<string, unknown> | null | undefined },
): ExecutionArgs | readonly GraphQLError[] {
  const allRules = [...specifiedRules, ...rules, ...(introspection ? [] : [NoSchemaIntrospectionCustomRule])]
  const refusal = variablesRefusal(variables, variableDepth)
  if (refusal) return [refusal]
  try {
    const document = parse(query, { maxTokens: tokens })
    const errors = validate(schema, document, allRules)
    return errors.length > 0
      ? errors.map(coded('GRAPHQL_VALIDATION_FAILED'))
      : { schema, document, operationName, variableValues: variables, contextValue: context() }
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
