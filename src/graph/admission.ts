import { EspalierError } from '../util/error.js'

/** People's queries at once, and waiting for a place. */
export const queryPlaces = 12
export const mostWaiting = 50
/** Of queries that Neo4j may be unable to stop, so many run at once, and so many of its processors at most are lost to them. */
export const loopPlaces = 4
/** Answers are cut at about this size; one row that is larger is an error. The server that passes them on must not choke. */
export const mostAnswerBytes = 16 * 2 ** 20

export interface AdmissionOptions {
  /** how many may be under way at once */
  places: number
  /** how many may wait for a place; one more is OVERLOADED at once */
  most: number
}

interface Waiting {
  begin(): void
  timer: NodeJS.Timeout
}

/** Lets works in, at most `places` at a time, in the order they come; who finds no place within his time is OVERLOADED. */
export class Admission {
  private busy = 0
  private readonly waiting = new Set<Waiting>()
  constructor(private readonly options: AdmissionOptions) {}

  run<T>(work: () => Promise<T>, patienceMs: number): Promise<T> {
    return this.runToEnd(() => {
      const answer = work()
      return { answer, ended: answer }
    }, patienceMs)
  }

  /** As run, for work that may be answered before it ends: its place is free when it has ended. */
  async runToEnd<T>(work: () => { answer: Promise<T>; ended: Promise<unknown> }, patienceMs: number): Promise<T> {
    if (this.busy < this.options.places) this.busy++
    else await this.place(patienceMs)
    let ended: Promise<unknown> = Promise.resolve()
    try {
      const begun = work()
      ended = begun.ended
      return await begun.answer
    } finally {
      const leave = () => this.leave()
      ended.then(leave, leave)
    }
  }

  /** Resolves once a place was handed over. */
  private place(patienceMs: number): Promise<void> {
    const { places, most } = this.options
    if (this.waiting.size >= most)
      return Promise.reject(overloaded(`${places} queries like it are running and ${this.waiting.size} are waiting; no more can wait`))
    return new Promise((resolve, reject) => {
      const entry: Waiting = {
        begin: () => {
          clearTimeout(entry.timer)
          resolve()
        },
        timer: setTimeout(() => {
          this.waiting.delete(entry)
          reject(overloaded(`no place for the query within ${patienceMs} ms: ${places} others like it are running`))
        }, patienceMs),
      }
      this.waiting.add(entry)
    })
  }

  private leave(): void {
    const [next] = this.waiting
    if (!next) this.busy--
    else {
      this.waiting.delete(next)
      next.begin()
    }
  }
}

const overloaded = (message: string) => new EspalierError('OVERLOADED', message, { remedy: 'Try again in a moment' })
