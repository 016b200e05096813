/** A throwaway ledger for a benchmark: the embedded Postgres as it ships (fsync on) in a temporary folder, or the server of $BENCH_DATABASE_URL. */
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { openDatabase } from '../../../dist/postgres/database.js'
import { startEmbeddedPostgres } from '../../../dist/postgres/embedded.js'
import { migrate } from '../../../dist/postgres/migrate.js'
import { createLogger } from '../../../dist/util/log.js'

export const log = createLogger('warn')

export async function openLedger(settings = {}) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'bench-'))
  fs.chmodSync(folder, 0o755)
  const server = await startEmbeddedPostgres({ folder, log, settings })
  const database = await openDatabase(server.url)
  await migrate(database)
  return {
    database,
    async close() {
      await database.close()
      await server.stop()
      fs.rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** [result, seconds] */
export async function timed(work) {
  const start = performance.now()
  const result = await work()
  return [result, (performance.now() - start) / 1000]
}

/** Highest resident memory of this process while `work` runs, in MiB. */
export async function peakMemory(work) {
  globalThis.gc?.()
  let peak = process.memoryUsage.rss()
  const timer = setInterval(() => (peak = Math.max(peak, process.memoryUsage.rss())), 20)
  try {
    return [await work(), peak / 2 ** 20]
  } finally {
    clearInterval(timer)
  }
}

export const loadNow = () => `load average ${os.loadavg()[0].toFixed(1)} on ${os.cpus().length} cores`
export const median = (values) => [...values].sort((a, b) => a - b)[values.length >> 1]
