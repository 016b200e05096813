import { Router } from 'express'
import { countWorkers } from '../../runs/worker-store.js'
import type { ApiPlatform } from '../context.js'

type Check = 'ok' | 'failed'
const withinMs = 2_000

/** Whether `work` comes back in time; what went wrong is for the log, not for whoever asks. */
async function passes(name: string, platform: ApiPlatform, work: () => Promise<unknown>): Promise<Check> {
  const timer = new Promise<never>((_, reject) => setTimeout(() => reject(new Error(`no answer within ${withinMs} ms`)), withinMs).unref())
  try {
    await Promise.race([work(), timer])
    return 'ok'
  } catch (err) {
    platform.log.warn({ err, check: name }, 'readiness check failed')
    return 'failed'
  }
}

async function assertWorker(platform: ApiPlatform): Promise<void> {
  if ((await countWorkers(platform.database)) === 0) throw new Error('no worker was seen lately')
}

/** `/healthz`: the process answers. `/readyz`: Postgres and graph answer too, and a worker was seen lately (503 if not). */
export function healthRoutes(platform: ApiPlatform): Router {
  const router = Router()
  router.get('/healthz', (_request, response) => {
    response.json({ status: 'ok' })
  })
  router.get('/readyz', async (_request, response) => {
    const [postgres, graph, worker] = await Promise.all([
      passes('postgres', platform, () => platform.database.query('SELECT 1')),
      passes('graph', platform, () => platform.graph.position()),
      passes('worker', platform, () => assertWorker(platform)),
    ])
    const checks = { postgres, graph, worker }
    const ready = Object.values(checks).every((check) => check === 'ok')
    response.status(ready ? 200 : 503).json({ status: ready ? 'ok' : 'not ready', checks })
  })
  return router
}
