import { EspalierError } from '../util/error.js'

/** How a query ends that did not come to its end. */
export const tookTooLong = (timeoutMs: number) =>
  new EspalierError('TIMEOUT', `the query took longer than ${timeoutMs} ms and was ended`, {
    remedy: 'Narrow the pattern (labels, ids, fewer hops) or raise timeoutMs',
  })
export const tookTooMuch = () =>
  new EspalierError('CYPHER_FAILED', 'the query took too much memory and was ended', {
    remedy: 'Narrow the pattern, or aggregate earlier',
  })
export const endedTheEngine = () => new EspalierError('CYPHER_FAILED', 'the graph engine ended twice while it ran the query')
export const interrupted = () =>
  new EspalierError('UNAVAILABLE', 'the query was interrupted by others that had to be ended, and its time ran out', {
    remedy: 'Try again',
  })
export const noPlace = (timeoutMs: number) =>
  new EspalierError('OVERLOADED', `no place for the query within ${timeoutMs} ms: others are running`, { remedy: 'Try again later' })
