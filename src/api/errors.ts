import { randomBytes } from 'node:crypto'
import { GraphQLError, type GraphQLFormattedError } from 'graphql'
import { EspalierError, errorCodes } from '../util/error.js'
import type { Logger } from '../util/log.js'

/** Innermost cause that graphql, type-graphql or @neo4j/graphql wrapped on the way up. */
function originOf(thrown: unknown): unknown {
  let at = thrown
  while (at instanceof GraphQLError && at.originalError) at = at.originalError
  return at
}

/** What one of ours looks like on the wire: `code` by the table of error codes, the remedy and the problems as they are. */
function extensionsOf(error: EspalierError): Record<string, unknown> {
  return {
    code: errorCodes[error.code].graphql,
    ...(errorCodes[error.code].retryable ? { retryable: true } : {}),
    ...(error.remedy === undefined ? {} : { remedy: error.remedy }),
    ...(error.problems.length === 0 ? {} : { problems: error.problems }),
  }
}

/** Errors of @neo4j/graphql that are about the client's own input and name no Cypher. */
const isClientError = (thrown: unknown): boolean =>
  thrown instanceof Error && /^Neo4jGraphQL.*(?:Validation|Forbidden|Authentication)Error$/.test(thrown.name)

/**
 * The one translation of thrown things to GraphQL errors, for HTTP and WebSocket alike. Ours keep message, code, remedy and problems;
 * graphql's own (syntax, validation, variables) pass; anything else is masked: the client gets a log id, the log gets the error.
 */
export function formatError(log: Pick<Logger, 'error'>): (formatted: GraphQLFormattedError, thrown: unknown) => GraphQLFormattedError {
  return (formatted, thrown) => {
    const origin = originOf(thrown)
    const place = {
      ...(formatted.locations ? { locations: formatted.locations } : {}),
      ...(formatted.path ? { path: formatted.path } : {}),
    }
    if (origin instanceof EspalierError) return { message: origin.message, ...place, extensions: extensionsOf(origin) }
    if (isClientError(origin)) return { message: formatted.message, ...place, extensions: { code: 'BAD_USER_INPUT' } }
    if (origin instanceof GraphQLError) {
      const { stacktrace: _, http: __, ...extensions } = formatted.extensions ?? {}
      // Apollo gives every validation error one code; ours about limits keep their own
      if ('limit' in extensions) extensions['code'] = 'QUERY_TOO_LARGE'
      return { message: formatted.message, ...place, extensions }
    }
    const logId = randomBytes(6).toString('hex')
    log.error({ logId, path: formatted.path, err: origin instanceof Error ? origin : new Error(String(origin)) }, 'request failed')
    return {
      message: `Something failed inside; the server's log has it under ${logId}.`,
      ...place,
      extensions: { code: 'INTERNAL_SERVER_ERROR', logId },
    }
  }
}
