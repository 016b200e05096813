import { EspalierError } from '../util/error.js'
import type { RunState } from '../vocabulary.js'

/**
 * Every legal move of a run. A retry is a new attempt of the same run, through `pending`: from `running` when an attempt failed but may be
 * tried again, drained, or lost its worker; from `failed` and `cancelled` when a person asks for it.
 */
export const legalMoves: Readonly<Record<RunState, readonly RunState[]>> = {
  pending: ['running', 'cancelled'],
  running: ['paused', 'completed', 'failed', 'cancelled', 'pending'],
  paused: ['running', 'cancelled'],
  completed: [],
  failed: ['pending'],
  cancelled: ['pending'],
}

/** Whether the run has ended (though a failed or cancelled one may be retried). */
export const isTerminal = (state: RunState): boolean => state === 'completed' || state === 'failed' || state === 'cancelled'

/** Throws ILLEGAL_TRANSITION, naming the legal moves, unless `from` may become `to`. */
export function assertMove(runId: string, from: RunState, to: RunState): void {
  if (legalMoves[from].includes(to)) return
  throw illegalMove(runId, from, `become ${to}`)
}

export function illegalMove(runId: string, from: RunState, asked: string): EspalierError {
  const moves = legalMoves[from]
  const legal = moves.length > 0 ? `it can become ${moves.join(', ')}` : 'it has ended for good'
  return new EspalierError('ILLEGAL_TRANSITION', `Run ${runId} is ${from} and cannot ${asked}; ${legal}`, {
    remedy: moves.length > 0 ? 'Read its state again and ask for one of these.' : 'Create a new run with the same options.',
  })
}
