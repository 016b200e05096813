import type { Problem } from './problem.js'

/** Every way Espalier can refuse: code -> what GraphQL, the shell and a retry loop make of it. */
export const errorCodes = {
  BAD_INPUT: { graphql: 'BAD_USER_INPUT', http: 400, exit: 2, retryable: false },
  UNREADABLE: { graphql: 'UNREADABLE', http: 400, exit: 1, retryable: false },
  NOT_FOUND: { graphql: 'NOT_FOUND', http: 404, exit: 1, retryable: false },
  CONFLICT: { graphql: 'CONFLICT', http: 409, exit: 1, retryable: false },
  ILLEGAL_TRANSITION: { graphql: 'ILLEGAL_TRANSITION', http: 409, exit: 1, retryable: false },
  UNAUTHENTICATED: { graphql: 'UNAUTHENTICATED', http: 401, exit: 1, retryable: false },
  FORBIDDEN: { graphql: 'FORBIDDEN', http: 403, exit: 1, retryable: false },
  CYPHER_REFUSED: { graphql: 'CYPHER_REFUSED', http: 400, exit: 2, retryable: false },
  CYPHER_FAILED: { graphql: 'CYPHER_FAILED', http: 400, exit: 1, retryable: false },
  GLEAN_FAILED: { graphql: 'GLEAN_FAILED', http: 502, exit: 1, retryable: false },
  TIMEOUT: { graphql: 'TIMEOUT', http: 504, exit: 1, retryable: false },
  OVERLOADED: { graphql: 'OVERLOADED', http: 503, exit: 1, retryable: true },
  GATE_FAILED: { graphql: 'GATE_FAILED', http: 409, exit: 1, retryable: false },
  CORRUPT: { graphql: 'CORRUPT', http: 500, exit: 1, retryable: false },
  DIVERGED: { graphql: 'DIVERGED', http: 500, exit: 1, retryable: false },
  UNAVAILABLE: { graphql: 'UNAVAILABLE', http: 503, exit: 1, retryable: true },
  PORT_IN_USE: { graphql: 'UNAVAILABLE', http: 503, exit: 1, retryable: false },
  LOCKED: { graphql: 'CONFLICT', http: 409, exit: 1, retryable: false },
  INTERNAL: { graphql: 'INTERNAL_SERVER_ERROR', http: 500, exit: 1, retryable: false },
} as const satisfies Record<string, { graphql: string; http: number; exit: 1 | 2; retryable: boolean }>

export type ErrorCode = keyof typeof errorCodes

export interface ErrorDetails {
  /** what to do about it, one sentence */
  remedy?: string
  problems?: readonly Problem[]
  cause?: unknown
}

/** The one error class. The message says where, what came and what was expected; `remedy` says what to do. No SQL, no secrets. */
export class EspalierError extends Error {
  override readonly name = 'EspalierError'
  readonly remedy: string | undefined
  readonly problems: readonly Problem[]
  constructor(
    readonly code: ErrorCode,
    message: string,
    { remedy, problems = [], cause }: ErrorDetails = {},
  ) {
    super(message, cause === undefined ? undefined : { cause })
    this.remedy = remedy
    this.problems = problems
  }
}

/** The message of whatever was thrown. */
export const messageOf = (thrown: unknown): string => (thrown instanceof Error ? thrown.message : String(thrown))
