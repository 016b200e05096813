import { exportTrainingMetricsToGlean } from '../../catalog/glean/export.js'
import { openExportTarget } from '../../catalog/glean/open.js'
import { exportedMetrics } from '../../evaluation/exported-metrics.js'
import type { TrainingEvaluation } from '../../evaluation/training-results.js'
import type { ExportMetricsOptions } from '../../pipeline-options.js'
import { interrupted } from '../../runs/attempt.js'
import { readRun } from '../../runs/store.js'
import { EspalierError } from '../../util/error.js'
import type { Task } from '../task.js'

/** Writes an evaluation to Glean as one fact of training metrics, and says where it went. */
export const exportMetrics: Task<ExportMetricsOptions> = async ({ platform, claim, options }) => {
  const wanted = claim.wanted()
  if (wanted) return interrupted[wanted]
  const { projectId, systemId, evaluationRunId } = options
  const run = await readRun(platform.database, evaluationRunId)
  if (run?.kind !== 'evaluate-training' || run.state !== 'completed')
    throw new EspalierError('BAD_INPUT', `evaluationRunId: run ${evaluationRunId} is no completed evaluation of a training`)
  const evaluation = run.result as unknown as TrainingEvaluation & { trainRunId: string }
  const transport = openExportTarget({}, platform.config.glean)
  const fact = { runId: evaluation.trainRunId, model: 'ggnn', projectId, systemId, ...exportedMetrics(evaluation) }
  const { target, facts } = await exportTrainingMetricsToGlean(transport, fact, new Date())
  const metrics = Object.keys(fact.metrics).length
  await claim.record({ type: 'log', level: 'info', message: `${transport.name} ${target}: ${facts} fact of ${metrics} metrics` })
  return { state: 'completed', result: { transport: transport.name, target, facts, metrics } }
}
