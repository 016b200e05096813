import { readColumnHistory, readEstate, readSnapshots } from '../../catalog/reads/read-store.js'
import { learnPatterns as learn } from '../../patterns/learn.js'
import type { LearnPatternsOptions } from '../../patterns/learn-options.js'
import { savePatternSet } from '../../patterns/store.js'
import type { Properties } from '../../vocabulary.js'
import type { Task, TaskContext } from '../task.js'

/** Learns one project and stores what was learned as its next pattern set. */
async function learnProject({ platform, claim }: TaskContext<LearnPatternsOptions>, projectId: string): Promise<Properties> {
  const { database } = platform
  const now = new Date()
  const [events, estate, snapshots] = await Promise.all([
    readColumnHistory(database, projectId),
    readEstate(database, { projectId }),
    readSnapshots(database, { projectId }),
  ])
  const { patterns, learning } = learn({ events, ...estate, snapshots }, now)
  const snapshotIds = snapshots.map((snapshot) => snapshot.id)
  const set = await savePatternSet(database, { projectId, learnedAt: now, runId: claim.run.id, snapshotIds, patterns, learning })
  const { columns, typeChanges } = patterns.columnPatterns
  const { relationships } = patterns.relationshipPatterns
  const message = `${set.id}: ${snapshots.length} snapshots, ${columns} columns, ${typeChanges} type changes, ${relationships.length} kinds of relationship`
  await claim.record({ type: 'log', level: 'info', message })
  return {
    patternSetId: set.id,
    projectId,
    version: set.version,
    columns,
    typeChanges,
    relationships: relationships.length,
    snapshots: snapshots.length,
  }
}

/** Learns every project that the run names, one after the other. */
export const learnPatterns: Task<LearnPatternsOptions> = async (context) => {
  const { claim, options } = context
  const patternSets: Properties[] = []
  for (const [done, projectId] of options.projectIds!.entries()) {
    if (claim.wanted() === 'cancel') return { state: 'cancelled' }
    patternSets.push(await learnProject(context, projectId))
    await claim.record({ type: 'metric', name: 'progress', step: done + 1, value: (done + 1) / options.projectIds!.length })
  }
  return { state: 'completed', result: { patternSets } }
}
