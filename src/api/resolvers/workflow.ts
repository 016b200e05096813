import { Arg, Ctx, ID, Int, Query, Resolver } from 'type-graphql'
import { readEstate } from '../../catalog/reads/read-store.js'
import { stepKinds, stepLabels, workflowOf } from '../../catalog/workflow/workflow.js'
import { workflowReport } from '../../catalog/workflow/workflow-report.js'
import { EspalierError } from '../../util/error.js'
import type { ApiContext } from '../context.js'
import { present } from '../present.js'
import { DateTime } from '../scalars.js'
import { Workflow } from '../types/workflow.js'

const mostItems = 10_000

@Resolver()
export class WorkflowResolver {
  @Query(() => Workflow, {
    description:
      'Which jobs can never start and why, which conditions nobody consumes or sets, and rings of jobs: reachability in the Petri net of the Control-M jobs. Conditions of other days are taken as set.',
  })
  async workflow(
    @Ctx() { platform }: ApiContext,
    @Arg('projectId', () => ID) projectId: string,
    @Arg('systemId', () => ID) systemId: string,
    @Arg('asOf', () => DateTime, { nullable: true }) asOf?: Date | null,
    @Arg('given', () => [String], { nullable: true, description: 'Conditions that come from outside: taken as set' }) given?:
      | string[]
      | null,
    @Arg('first', () => Int, { defaultValue: 1_000, description: `Items of each list at most, up to ${mostItems}` }) first = 1_000,
  ): Promise<Workflow> {
    if (first < 1 || first > mostItems)
      throw new EspalierError('BAD_INPUT', `first: found ${first}, expected 1 to ${mostItems.toLocaleString('en')}`)
    const filter = { projectId, systemId, ...present({ asOf }), kinds: stepKinds, labels: stepLabels }
    const { nodes, edges } = await readEstate(platform.database, filter)
    return workflowReport(workflowOf(nodes, edges), { limit: first, ...present({ given }) })
  }
}
