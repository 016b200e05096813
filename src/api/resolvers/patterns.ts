import { Arg, Ctx, FieldResolver, ID, Int, Query, Resolver, Root } from 'type-graphql'
import { comparePatternSets } from '../../patterns/compare.js'
import { patternsOfFacts } from '../../patterns/given.js'
import type { Patterns } from '../../patterns/learn.js'
import { parseSetId, readLearning, readPatternSets } from '../../patterns/store.js'
import type { ApiContext } from '../context.js'
import { present } from '../present.js'
import { JsonScalar } from '../scalars.js'
import { pageSize } from '../types/paging.js'
import { PatternComparison, PatternSet } from '../types/patterns.js'
import { Run } from '../types/runs.js'

@Resolver(() => PatternSet)
export class PatternResolver {
  @Query(() => [PatternSet], { description: 'What was learned, newest first.' })
  patternSets(
    @Ctx() { platform }: ApiContext,
    @Arg('projectId', () => ID, { nullable: true }) projectId?: string | null,
    @Arg('first', () => Int, { defaultValue: 10 }) first = 10,
  ): Promise<PatternSet[]> {
    return readPatternSets(platform.database, present({ projectId, first: pageSize(first) }))
  }

  @Query(() => PatternSet, { description: 'The newest pattern set of a project, or the one of a version.' })
  patternSet(
    @Ctx() { platform }: ApiContext,
    @Arg('projectId', () => ID) projectId: string,
    @Arg('version', () => Int, { nullable: true, description: 'Of the pattern set; default the newest' }) version?: number | null,
  ): Promise<PatternSet> {
    return readLearning(platform.database, projectId, version ?? undefined)
  }

  @Query(() => PatternComparison, { description: 'What differs between two pattern sets of one project.' })
  async comparePatternSets(
    @Ctx() { platform }: ApiContext,
    @Arg('before', () => ID, { description: '<project>@<version>' }) before: string,
    @Arg('after', () => ID, { description: '<project>@<version>' }) after: string,
  ): Promise<PatternComparison> {
    const read = (id: string) => {
      const { projectId, version } = parseSetId(id)
      return readLearning(platform.database, projectId, version)
    }
    const [x, y] = [await read(before), await read(after)]
    return { before: x, after: y, ...comparePatternSets(x, y) }
  }

  @Query(() => JsonScalar, {
    description:
      'All patterns of facts that are handed in; nothing is stored. { nodes, edges, metrics?, manifests?, events?, observedAt? } as the catalog and queryExportManifests give them.',
  })
  async patternsOf(@Arg('facts', () => JsonScalar) facts: unknown): Promise<Patterns> {
    return patternsOfFacts(facts, new Date())
  }

  @FieldResolver(() => JsonScalar, { description: 'Types: distribution, per table, name token and position, transitions, nullability' })
  columnPatterns(@Root() set: PatternSet): object {
    return set.patterns.columnPatterns
  }

  @FieldResolver(() => JsonScalar, { description: 'Counts by kinds and label, chains of two and three hops' })
  relationshipPatterns(@Root() set: PatternSet): object {
    return set.patterns.relationshipPatterns
  }

  @FieldResolver(() => JsonScalar, {
    nullable: true,
    description: 'Entropy, divergence and column count: level, trend, breaks, correlation',
  })
  metricsPatterns(@Root() set: PatternSet): object | null {
    return set.patterns.metricsPatterns ?? null
  }

  @FieldResolver(() => JsonScalar, {
    nullable: true,
    description:
      'evolutionPatterns, temporalMetrics, postgresTemporal, neo4jTemporal, combinedInsights; a source that could not be asked is failed, with its reason',
  })
  temporalPatterns(@Root() set: PatternSet): object | null {
    return set.patterns.temporalPatterns ?? null
  }

  @FieldResolver(() => JsonScalar, { nullable: true, description: 'Jobs: what follows what, chains, fan-in and fan-out' })
  workflowPatterns(@Root() set: PatternSet): object | null {
    return set.patterns.workflowPatterns ?? null
  }

  @FieldResolver(() => JsonScalar, { nullable: true, description: 'changePatterns, temporalSequences, evolutionStatistics' })
  schemaEvolution(@Root() set: PatternSet): object | null {
    return set.patterns.schemaEvolution ?? null
  }

  @FieldResolver(() => JsonScalar, { description: 'Totals, and whether there was history to learn from' })
  summary(@Root() set: PatternSet): object {
    return set.patterns.summary
  }

  @FieldResolver(() => Run, { nullable: true })
  run(@Root() set: PatternSet, @Ctx() { loaders }: ApiContext): Promise<Run | null> | null {
    return set.runId ? loaders.run.load(set.runId) : null
  }
}
