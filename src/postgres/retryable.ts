/** SQLSTATEs after which the very same transaction may succeed: what happened, and so why trying again helps. */
export const retryableStates: Readonly<Record<string, string>> = {
  '40001': 'serialization failure: another transaction committed first',
  '40P01': 'deadlock: this transaction was chosen as its victim',
  '55P03': 'lock not available: its holder was faster',
  '57P01': 'admin shutdown: the server ended this connection',
  '57P02': 'crash shutdown: the server is recovering',
  '57P03': 'cannot connect now: the server is starting up',
  '08000': 'connection exception',
  '08001': 'the client could not establish a connection',
  '08003': 'the connection does not exist',
  '08004': 'the server rejected the connection',
  '08006': 'connection failure',
  '53300': 'too many connections: one may be free in a moment',
}

/** What Node and pg say when a connection breaks before the server could name a state. */
const brokenConnection = new Set(['ECONNRESET', 'ECONNREFUSED', 'EPIPE', 'ETIMEDOUT'])
const brokenMessages = ['Connection terminated', 'Client has encountered a connection error', 'Client was closed']

const codeOf = (thrown: unknown): string =>
  typeof thrown === 'object' && thrown !== null && 'code' in thrown && typeof thrown.code === 'string' ? thrown.code : ''

/** Whether running the same transaction again can help. */
export function isRetryable(thrown: unknown): boolean {
  const code = codeOf(thrown)
  return code in retryableStates || isConnectionLoss(thrown)
}

/** Whether the connection broke: a COMMIT in flight may or may not have happened. */
export function isConnectionLoss(thrown: unknown): boolean {
  if (!(thrown instanceof Error)) return false
  return brokenConnection.has(codeOf(thrown)) || brokenMessages.some((text) => thrown.message.includes(text))
}

/** Milliseconds before try number `attempt` (1, 2, …): exponential from 20 ms, at most 1 s, `spread` in [0, 1) breaks ties between rivals. */
export const backOff = (attempt: number, spread: number): number => Math.min(1_000, 20 * 2 ** (attempt - 1)) * (0.5 + spread / 2)
