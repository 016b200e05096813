import { Router } from 'express'
import { countWorkers } from '../../runs/worker-store.js'
import { sha256 } from '../../util/hash.js'
import type { ApiPlatform } from '../context.js'

type Check = 'ok' | 'failed'

/** `GET /api/training-data/health`: whether rows can be found and runs worked on; open to all, as `/healthz` is. */
export function trainingDataHealth(platform: ApiPlatform): Router {
  const { database, blobs, log } = platform
  const check = async (name: string, work: () => Promise<unknown>): Promise<Check> => {
    try {
      await work()
      return 'ok'
    } catch (err) {
      log.warn({ err, check: name }, 'training data: check failed')
      return 'failed'
    }
  }
  const router = Router()
  router.get('/api/training-data/health', async (_request, response) => {
    const [store, rows, worker] = await Promise.all([
      check('database', () => database.query('SELECT 1 FROM dataset LIMIT 1')),
      check('blobs', () => blobs.has(sha256('health'))),
      check('worker', async () => {
        if ((await countWorkers(database)) === 0) throw new Error('no worker was seen lately')
      }),
    ])
    const checks = { database: store, blobs: rows, worker }
    const healthy = Object.values(checks).every((state) => state === 'ok')
    response
      .status(checks.database === 'failed' ? 503 : 200)
      .json({ status: healthy ? 'healthy' : 'degraded', checks, timestamp: new Date().toISOString() })
  })
  return router
}
