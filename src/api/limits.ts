import { ApolloArmor } from '@escape.tech/graphql-armor'
import { GraphQLError, type ValidationRule } from 'graphql'
import { costRule } from './cost.js'

/** What one request may ask at most. The editor's introspection query and a three-level nested connection stay well within. */
export interface Limits {
  /** nested selection sets; a level of a Relay connection takes three (default 24) */
  depth: number
  /** aliases in one document (default 100) */
  aliases: number
  /** directives in one document (default 50) */
  directives: number
  /** lexer tokens (default 10,000; the introspection query has about 300) */
  tokens: number
  /** nested objects of one input value (default 8) */
  inputDepth: number
  /** nested objects of a variable's value (default 16: options of runs nest further than filters) */
  variableDepth: number
  /** estimated fields of the answer: lists multiply by their page size (default 2,000,000) */
  cost: number
  /** bytes of a request body (default 64 MiB: ingest takes whole estates as text) */
  bodyBytes: number
}

export const defaultLimits: Limits = {
  depth: 24,
  aliases: 100,
  directives: 50,
  tokens: 10_000,
  inputDepth: 8,
  variableDepth: 16,
  cost: 2_000_000,
  bodyBytes: 64 * 2 ** 20,
}

/** How armor is told to refuse: as a validation error of ours, all others still reported. */
const refuseAs = (limit: string) => ({
  propagateOnRejection: false,
  onReject: [
    (context: { reportError(error: GraphQLError): void } | null, error: GraphQLError) =>
      context?.reportError(
        new GraphQLError(error.message.replace(/^Syntax Error: /, ''), { extensions: { limit, remedy: 'Ask for less in one request.' } }),
      ),
  ],
})

/**
 * Validation rules for HTTP and WebSocket alike. Armor counts depth, aliases and directives; its own cost ignores list sizes that come
 * by variable or default, and its token limit answers 500, so cost is ours and tokens are the parser's (`maxTokens`).
 */
export function limitRules(limits: Limits): ValidationRule[] {
  const protection = new ApolloArmor({
    maxDepth: { n: limits.depth, flattenFragments: true, ...refuseAs('depth') },
    maxAliases: { n: limits.aliases, allowList: [], ...refuseAs('aliases') },
    maxDirectives: { n: limits.directives, ...refuseAs('directives') },
    maxTokens: { enabled: false },
    costLimit: { enabled: false },
    blockFieldSuggestion: { enabled: false },
  } as ConstructorParameters<typeof ApolloArmor>[0]).protect()
  return [...(protection.validationRules as unknown as ValidationRule[]), costRule({ cost: limits.cost, inputDepth: limits.inputDepth })]
}
