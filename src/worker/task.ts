import type { Platform } from '../platform.js'
import type { Claim, Handler, Outcome } from '../runs/attempt.js'

/** One attempt at a run, as its task sees it: what is asked for, with every default filled in, and where to say what happens. */
export interface TaskContext<Options> {
  platform: Platform
  claim: Claim
  options: Options
  /** does the work of another claimed run, of whatever kind: a pipeline's children */
  perform: Handler
}

/** Does the work of one kind of run. A throw fails the attempt. */
export type Task<Options> = (context: TaskContext<Options>) => Promise<Outcome>
