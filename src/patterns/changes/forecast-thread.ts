/** A thread that makes one forecast (project-forecast.ts): seconds of arithmetic, in which a server must go on answering. */
import { parentPort, workerData } from 'node:worker_threads'
import { type ForecastWork, predictFutureChanges } from './future-changes.js'

const { history, currentSchema, horizonDays, options } = workerData as ForecastWork
parentPort?.postMessage(predictFutureChanges(history, currentSchema, horizonDays, options))
