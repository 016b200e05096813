/** A thread that learns the patterns of facts that were handed in (given.ts): seconds of arithmetic, in which a server must go on answering. */
import { parentPort, workerData } from 'node:worker_threads'
import { refusalOf } from './apart.js'
import { type GivenWork, learnGiven } from './given.js'

parentPort?.postMessage(
  await learnGiven(workerData as GivenWork).then(
    (answer) => ({ answer }),
    (thrown: unknown) => refusalOf(thrown),
  ),
)
