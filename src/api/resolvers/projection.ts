import { Arg, Ctx, Int, Mutation, Query, Resolver } from 'type-graphql'
import { appendAudit } from '../../access/store.js'
import { awaitProjection } from '../../catalog/projection/projection.js'
import { rebuildGraph } from '../../catalog/projection/rebuild.js'
import { graphReaders } from '../../platform.js'
import { EspalierError } from '../../util/error.js'
import type { ApiContext, ApiPlatform } from '../context.js'
import { ProjectionState, RebuiltGraph } from '../types/projection.js'

const stateOf = async ({ projection }: ApiPlatform): Promise<ProjectionState> => ({
  lag: await projection.lag(),
  failure: projection.failure,
})

const longestWaitMs = 120_000

@Resolver()
export class ProjectionResolver {
  @Query(() => ProjectionState, { description: 'How far the graph is behind the ledger.' })
  projectionLag(@Ctx() { platform }: ApiContext): Promise<ProjectionState> {
    return stateOf(platform)
  }

  @Mutation(() => ProjectionState, { description: 'Waits until the graph shows all that the ledger has now.' })
  async awaitProjection(
    @Ctx() { platform }: ApiContext,
    @Arg('timeoutMs', () => Int, { defaultValue: 30_000, description: `Up to ${longestWaitMs}` }) timeoutMs: number,
  ): Promise<ProjectionState> {
    if (timeoutMs < 1 || timeoutMs > longestWaitMs)
      throw new EspalierError('BAD_INPUT', `timeoutMs: found ${timeoutMs}, expected 1 to ${longestWaitMs.toLocaleString('en')}`)
    await awaitProjection(platform.database, platform.graph, { timeoutMs })
    return stateOf(platform)
  }

  @Mutation(() => RebuiltGraph, { description: 'Drops the graph and writes it anew from the ledger.' })
  async rebuildGraph(@Ctx() { platform, actor }: ApiContext): Promise<RebuiltGraph> {
    const { database, graph } = platform
    const changes = await rebuildGraph({ database, engine: graph, readers: graphReaders })
    await appendAudit(database, { actor, action: 'rebuild-graph', subject: 'graph', details: { changes } })
    const count = async (text: string) => Number((await graph.read({ text })).rows[0]?.[0] ?? 0)
    return {
      nodes: await count('MATCH (n:Node) RETURN count(n) AS n'),
      edges: await count('MATCH (:Node)-[r]->(:Node) RETURN count(r) AS n'),
    }
  }
}
