import { Router } from 'express'
import { assertProject, assertScope } from '../../access/principal.js'
import { readRunFiles } from '../../runs/file-store.js'
import { readRun } from '../../runs/store.js'
import { EspalierError } from '../../util/error.js'
import type { ApiPlatform } from '../context.js'
import { send } from './artifacts.js'
import { type Identified, refuse } from './callers.js'

/** Path on this server under which a file of a run is downloaded. */
export const runFileUrl = (runId: string, name: string): string => `/runs/${runId}/files/${encodeURIComponent(name)}`

/** `/runs/<id>/files/<name>`: what a run left beside its events. Mount it behind `identified`. */
export function runFileRoutes({ database, blobs }: ApiPlatform): Router {
  const router = Router()
  router.get('/runs/:id/files/:name', async (request, response) => {
    try {
      const { id, name } = request.params
      const { principal } = (response as Identified).locals
      assertScope(principal, 'catalog:read', 'download of a file of a run')
      const run = await readRun(database, id)
      if (principal.projects !== null) assertProject(principal, run?.projectId ?? null, 'download of a file of a run')
      if (run?.kind === 'dataset') assertScope(principal, 'training_data:read', 'download of rows')
      const file = run && (await readRunFiles(database, [id])).find((one) => one.name === name)
      if (!file)
        throw new EspalierError('NOT_FOUND', `run "${id.slice(0, 80)}" has no file "${name.slice(0, 80)}"`, {
          remedy: 'Ask for the files of the run to see their names.',
        })
      await send(request, response, { name: `${id.slice(0, 8)}-${name}`, digest: file.blob, read: () => blobs.get(file.blob) })
    } catch (thrown) {
      refuse(response, thrown)
    }
  })
  return router
}
