import { readProjectSettings } from '../../access/store.js'
import { ingest as ingestInto } from '../../catalog/ingest.js'
import type { IngestOptions } from '../../catalog/ingest-options.js'
import { canonicalJson } from '../../util/hash.js'
import { describeProblem } from '../../util/problem.js'
import type { Properties } from '../../vocabulary.js'
import type { Task } from '../task.js'

/** Ingests stored documents; one transaction, so an attempt that is cut short leaves nothing and is simply made again. */
export const ingest: Task<IngestOptions> = async ({ platform, claim, options }) => {
  const { projectId, systemId, observedAt, complete, variables } = options
  const inputs = await Promise.all(
    options.sources.map(async ({ dialect, file, blob }) => ({
      dialect,
      file,
      text: new TextDecoder().decode(await platform.blobs.get(blob)),
    })),
  )
  if (claim.wanted() === 'cancel') return { state: 'cancelled' }
  const { rejectBelow, idealDistribution: ideal } = await readProjectSettings(platform.database, projectId)
  const report = await ingestInto(platform.database, {
    ...{ projectId, systemId, inputs, complete, variables },
    ...(observedAt ? { observedAt: new Date(observedAt) } : {}),
    ...(rejectBelow === null ? {} : { rejectBelow }),
    ...(ideal === null ? {} : { ideal }),
    now: new Date(),
  })
  for (const problem of report.problems.slice(0, 100))
    await claim.record({ type: 'log', level: problem.severity === 'info' ? 'info' : 'warn', message: describeProblem(problem) })
  return { state: 'completed', result: JSON.parse(canonicalJson({ ...report, problems: report.problems.slice(0, 1000) })) as Properties }
}
