/** A thread that makes one forecast (project-forecast.ts): seconds of arithmetic, in which a server must go on answering. */
import { parentPort, workerData } from 'node:worker_threads'
import { type Posted, refusalOf } from '../apart.js'
import { type ForecastWork, type FutureChanges, forecastOf } from './future-changes.js'

function posted(): Posted<FutureChanges> {
  try {
    return { answer: forecastOf(workerData as ForecastWork) }
  } catch (thrown) {
    return refusalOf(thrown)
  }
}

parentPort?.postMessage(posted())
