import { readAudit } from '../../access/store.js'
import { type DeletionOptions, targetOfOptions } from '../../catalog/deletion/deletion-options.js'
import { applyDeletion } from '../../deletion.js'
import { canonicalJson } from '../../util/hash.js'
import type { Properties } from '../../vocabulary.js'
import type { Task } from '../task.js'

/** Deletes in one transaction what a preview showed: an attempt that is cut short leaves everything as it was. */
export const deleteTask: Task<DeletionOptions> = async ({ platform, claim, options }) => {
  const { token, ...target } = options
  const wanted = claim.wanted()
  if (wanted) return { state: ({ cancel: 'cancelled', pause: 'paused', drain: 'drained' } as const)[wanted] }
  const actor = `run ${claim.run.id}`
  // an attempt before this one may have done it, and died before it could say so
  const [known] = claim.run.attempt > 1 ? await readAudit(platform.database, { actor, first: 1 }) : []
  if (known) return { state: 'completed', result: known.details }
  await claim.record({ type: 'metric', name: 'progress', step: 0, value: 0 })
  const done = await applyDeletion(platform.database, targetOfOptions(target), token, actor)
  const { catalog, patternSets } = done
  await claim.record({
    type: 'log',
    level: 'info',
    message: `deleted ${catalog.snapshots} snapshot(s); ${catalog.changes} recorded changes less`,
  })
  return { state: 'completed', result: JSON.parse(canonicalJson({ ...catalog, patternSets })) as Properties }
}
