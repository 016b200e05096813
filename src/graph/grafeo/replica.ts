import fs from 'node:fs'
import path from 'node:path'
import type { Statement } from '../statements.js'
import { type ChildOptions, GrafeoChild } from './child.js'
import type { HostRequest, HostRows } from './messages.js'

/** A write that the graph has taken; `number` counts them from 1. */
export interface Write {
  number: number
  statements: readonly Statement[]
}

/** A query of somebody, from when it is let in to its answer. */
export interface AnalystJob {
  request: HostRequest
  timeoutMs: number
  /** the last write that its answer must show */
  needs: number
  resolve(rows: HostRows | undefined): void
  reject(error: Error): void
  timer: NodeJS.Timeout
  /** when it was first sent; null before */
  began: number | null
  /** when it was last sent */
  sent: number
  /** it was in flight, with others, when a process died of something that may have been it */
  isSuspect: boolean
  /** milliseconds that it had run then */
  ran: number
  /** how often it has been in quarantine */
  turns: number
}

/** How a process ended: we no longer needed it, or what ran in it was too much. */
export type Ending = 'dismissed' | 'memory' | 'stuck' | 'crash'

/**
 * A process with a copy of the graph, kept up to date by the writes that the graph takes. A query past its time limit is answered, yet runs
 * on in here (Grafeo cannot cancel it): it is a ghost.
 */
export class Replica {
  readonly running = new Set<AnalystJob>()
  /** when each ghost's time was over */
  readonly ghosts = new Map<AnalystJob, number>()
  /** a better one is being opened in its place */
  isLeaving = false
  isGone = false
  idleSince = performance.now()
  private ending: Ending | null = null
  private isWriting = false
  /** for a sign of life: when, and how long it had worked until then (milliseconds) */
  private asked: { at: number; worked: number } | null = null
  /** something has changed that others may wait for */
  onChange: () => void = () => {}
  onEnd: (how: Ending) => void = () => {}

  private constructor(
    private readonly child: GrafeoChild,
    folder: string,
    /** number of the last write it shows */
    public shows: number,
    /** what it has still to take; its owner adds to it */
    private readonly writes: Write[],
  ) {
    child.onMemory = () => this.end('memory')
    child.onEnd = () => {
      this.isGone = true
      removeQuietly(folder)
      this.onEnd(this.ending ?? 'crash')
    }
  }

  /** Opens a copy of `file`, the graph as of write `number`, in `folder` (new; it goes with the process). */
  static async open(
    folder: string,
    { file, number }: { file: string; number: number },
    writes: Write[],
    options: Pick<ChildOptions, 'memory' | 'concurrency'>,
  ): Promise<Replica> {
    const own = path.join(folder, 'graph.grafeo')
    try {
      fs.mkdirSync(folder, { recursive: true })
      await fs.promises.copyFile(file, own, fs.constants.COPYFILE_FICLONE)
      const child = await GrafeoChild.open({ ...options, file: own, temporary: true, isPatient: true })
      return new Replica(child, folder, number, writes)
    } catch (error) {
      removeQuietly(folder)
      throw error
    }
  }

  end(how: Ending): void {
    this.ending ??= how
    this.child.kill()
  }

  /** Ends it and waits until it is gone. */
  async close(): Promise<void> {
    this.end('dismissed')
    await this.child.close()
  }

  send(job: AnalystJob): void {
    this.running.add(job)
    job.sent = performance.now()
    this.child.call(job.request, (outcome) => {
      this.ghosts.delete(job)
      this.idleSince = performance.now()
      if (this.running.delete(job)) {
        clearTimeout(job.timer)
        if ('rows' in outcome) job.resolve(outcome.rows)
        else job.reject(outcome.error)
      }
      this.onChange()
    })
  }

  /** Nobody waits for the job any more. */
  leave(job: AnalystJob): void {
    this.running.delete(job)
    this.ghosts.set(job, performance.now())
  }

  /** Takes the writes it has not taken yet, one after the other. */
  catchUp(): void {
    const [next] = this.writes
    if (!next || this.isWriting || this.isGone) return
    this.isWriting = true
    this.child.call({ kind: 'write', statements: next.statements }, (outcome) => {
      this.isWriting = false
      // What the graph took and its copy does not: the copy is none.
      if ('error' in outcome) return this.end('dismissed')
      this.writes.shift()
      this.shows = next.number
      this.onChange()
      this.catchUp()
    })
  }

  /**
   * Asks for a sign of life, and ends a process that has given none for so long: it turns a huge result into values, and answers nobody. On
   * a machine that is too busy to let it run it is given ten times as long.
   */
  ask(mostMs: number): void {
    if (this.asked === null) {
      this.asked = { at: performance.now(), worked: this.child.worked() ?? 0 }
      this.child.call({ kind: 'ping' }, () => {
        this.asked = null
      })
      return
    }
    const waited = performance.now() - this.asked.at
    const worked = (this.child.worked() ?? Number.POSITIVE_INFINITY) - this.asked.worked
    if (waited > 10 * mostMs || (waited > mostMs && worked > mostMs / 2)) this.end('stuck')
  }
}

/** A process whose server was killed may still write there, for the moment until it ends; it cleans up after itself. */
export function removeQuietly(file: string): void {
  try {
    fs.rmSync(file, { recursive: true, force: true })
  } catch {
    // What is left is removed at the next start.
  }
}
