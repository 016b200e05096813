import { Arg, Ctx, ID, Int, Mutation, Query, Resolver } from 'type-graphql'
import { appendAudit } from '../../access/store.js'
import { exportTrainingMetricsToGlean } from '../../catalog/glean/export.js'
import { openExportTarget } from '../../catalog/glean/open.js'
import { readEstate } from '../../catalog/reads/read-store.js'
import { createDomainTestCases, joinEstates } from '../../datasets/cases/cases.js'
import type { Estate } from '../../datasets/links/estate.js'
import { exportedMetrics } from '../../evaluation/exported-metrics.js'
import { evaluateGiven } from '../../evaluation/given.js'
import type { TrainingEvaluation } from '../../evaluation/training-results.js'
import { startRun } from '../../jobs.js'
import { readPatternSets } from '../../patterns/store.js'
import { readRun } from '../../runs/store.js'
import { EspalierError } from '../../util/error.js'
import { seeded } from '../../util/random.js'
import type { ApiContext } from '../context.js'
import { present } from '../present.js'
import { JsonScalar } from '../scalars.js'
import { Run } from '../types/runs.js'
import { DomainTestCase, TrainingMetricsExport } from '../types/training-evaluation.js'
import { assertMayWrite } from './glean.js'

const mostCases = 1_000
const besideText = 'Other projects that cases are made of besides: transfer is then asked between projects, not between databases'

@Resolver()
export class TrainingEvaluationResolver {
  @Mutation(() => Run, {
    description:
      'Queues a run that judges a training: quality of loss and accuracy, coverage, accuracies on held-out facts, domain intelligence levels, learning rate, recommendations. Its result has them.',
  })
  async evaluateTrainingResults(
    @Ctx() { platform, actor }: ApiContext,
    @Arg('trainRunId', () => ID) trainRunId: string,
    @Arg('patternSetId', () => ID, { nullable: true, description: 'Default the newest of its project' }) patternSetId?: string | null,
    @Arg('enableIntelligenceMetrics', () => Boolean, { defaultValue: true }) enableIntelligenceMetrics = true,
    @Arg('besideProjectIds', () => [ID], { defaultValue: [], description: besideText }) besideProjectIds: string[] = [],
  ): Promise<Run> {
    const trained = await readRun(platform.database, trainRunId)
    if (!trained?.projectId)
      throw new EspalierError('NOT_FOUND', `There is no training of a project with the id ${trainRunId.slice(0, 60)}`)
    const asked = { projectId: trained.projectId, trainRunId: trained.id, enableIntelligenceMetrics, besideProjectIds }
    const options = { ...asked, ...present({ patternSetId }) }
    return startRun(platform.database, { kind: 'evaluate-training', options }, new Date(), (client, run) =>
      appendAudit(client, { actor, action: 'start-run', subject: run.id, details: { kind: run.kind } }),
    )
  }

  @Query(() => [DomainTestCase], {
    description:
      'Test cases of the five levels of domain intelligence, made of a project as it is now; the same seed gives the same cases.',
  })
  async domainTestCases(
    @Ctx() { platform }: ApiContext,
    @Arg('projectId', () => ID) projectId: string,
    @Arg('perLevel', () => Int, { defaultValue: 50, description: `Cases of each level at most, up to ${mostCases}` }) perLevel = 50,
    @Arg('seed', () => Int, { defaultValue: 0 }) seed = 0,
    @Arg('besideProjectIds', () => [ID], { defaultValue: [], description: besideText }) besideProjectIds: string[] = [],
  ): Promise<DomainTestCase[]> {
    if (perLevel < 1 || perLevel > mostCases)
      throw new EspalierError('BAD_INPUT', `perLevel: found ${perLevel}, expected 1 to ${mostCases}`)
    const estates: Estate[] = []
    for (const id of new Set([projectId, ...besideProjectIds])) estates.push(await readEstate(platform.database, { projectId: id }))
    const [set] = await readPatternSets(platform.database, { projectId, first: 1 })
    return createDomainTestCases(joinEstates(estates), set ?? null, { limit: perLevel, rng: seeded(seed).fork('cases') }).cases
  }

  @Query(() => JsonScalar, {
    description:
      'The evaluation of a training that was done elsewhere; nothing is stored. { modelMetrics, trainingContext?, checkpoint?, predictions?, testCases? }: test cases as domainTestCases gives them, predictions by their ids.',
  })
  evaluationOf(@Arg('facts', () => JsonScalar) facts: unknown): TrainingEvaluation {
    return evaluateGiven(facts)
  }

  @Mutation(() => TrainingMetricsExport, { description: 'Writes an evaluation of a training to Glean, as one fact of TrainingMetrics.1.' })
  async exportTrainingMetricsToGlean(
    @Ctx() context: ApiContext,
    @Arg('evaluationRunId', () => ID, { description: 'A completed run of kind EVALUATE_TRAINING' }) evaluationRunId: string,
    @Arg('systemId', () => ID, { defaultValue: 'espalier', description: 'The system that the fact is filed under' }) systemId = 'espalier',
    @Arg('dir', () => String, { nullable: true, description: 'A folder on the server (for its owner only)' }) dir?: string | null,
    @Arg('db', () => String, { nullable: true, description: 'A database of the glean command' }) db?: string | null,
  ): Promise<TrainingMetricsExport> {
    const { database, config } = context.platform
    const run = await readRun(database, evaluationRunId)
    if (run?.kind !== 'evaluate-training' || run.state !== 'completed' || !run.projectId)
      throw new EspalierError('BAD_INPUT', `evaluationRunId: ${evaluationRunId.slice(0, 60)} is no completed evaluation of a training`, {
        remedy: 'List the runs of kind EVALUATE_TRAINING.',
      })
    if (dir) assertMayWrite('dir', context)
    const transport = openExportTarget(present({ dir, db }), config.glean)
    const evaluation = run.result as unknown as TrainingEvaluation & { trainRunId: string }
    const { projectId } = run
    const fact = { runId: evaluation.trainRunId, model: 'ggnn', projectId, systemId, ...exportedMetrics(evaluation) }
    const { target, facts } = await exportTrainingMetricsToGlean(transport, fact, new Date())
    const details = { target, evaluationRunId }
    await appendAudit(database, { actor: context.actor, action: 'export-to-glean', subject: `${projectId}/${systemId}`, details })
    return { transport: transport.name, target, facts, metrics: Object.keys(fact.metrics).length }
  }
}
