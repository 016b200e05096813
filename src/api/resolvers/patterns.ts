import { Arg, Ctx, FieldResolver, ID, Int, Query, Resolver, Root } from 'type-graphql'
import { predictRelationshipType } from '../../patterns/relationships.js'
import { predictSchemaEvolution } from '../../patterns/schema-evolution.js'
import { readLearning, readPatternSets } from '../../patterns/store.js'
import type { NodeKind } from '../../vocabulary.js'
import type { ApiContext } from '../context.js'
import { present } from '../present.js'
import { JsonScalar } from '../scalars.js'
import { NodeKindEnum } from '../types/enums.js'
import { pageSize } from '../types/paging.js'
import { PatternSet, RelationshipPrediction, TypePrediction } from '../types/patterns.js'
import { Run } from '../types/runs.js'

const versionArgument = { nullable: true, description: 'Of the pattern set; default the newest' } as const

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
    @Arg('version', () => Int, versionArgument) version?: number | null,
  ): Promise<PatternSet> {
    return readLearning(platform.database, projectId, version ?? undefined)
  }

  @Query(() => [TypePrediction], { description: "What a column's type will be at the end of the horizon, the likeliest first." })
  async predictSchemaEvolution(
    @Ctx() { platform }: ApiContext,
    @Arg('projectId', () => ID) projectId: string,
    @Arg('currentType', () => String, { description: 'decimal(10,2), varchar(20), …' }) currentType: string,
    @Arg('column', () => String, { nullable: true, description: 'Name of the column: its last word is context' }) column?: string | null,
    @Arg('horizonDays', () => Int, { defaultValue: 90 }) horizonDays = 90,
    @Arg('version', () => Int, versionArgument) version?: number | null,
  ): Promise<TypePrediction[]> {
    const { learning, patterns } = await readLearning(platform.database, projectId, version ?? undefined)
    const asOf = patterns.summary.asOf === null ? undefined : new Date(patterns.summary.asOf)
    return predictSchemaEvolution(learning, currentType, { horizonDays, ...present({ column, asOf }) })
  }

  @Query(() => [RelationshipPrediction], { description: 'How nodes of two kinds are likely to be related.' })
  async predictRelationshipType(
    @Ctx() { platform }: ApiContext,
    @Arg('projectId', () => ID) projectId: string,
    @Arg('sourceKind', () => NodeKindEnum) sourceKind: NodeKind,
    @Arg('targetKind', () => NodeKindEnum) targetKind: NodeKind,
    @Arg('version', () => Int, versionArgument) version?: number | null,
  ): Promise<RelationshipPrediction[]> {
    const { patterns } = await readLearning(platform.database, projectId, version ?? undefined)
    return predictRelationshipType(patterns.relationshipPatterns, sourceKind, targetKind)
  }

  @FieldResolver(() => JsonScalar, { description: 'Types: distribution, per table, name token and position, transitions, nullability' })
  columnPatterns(@Root() set: PatternSet): object {
    return set.patterns.columnPatterns
  }

  @FieldResolver(() => JsonScalar, { description: 'Counts by kinds and label, chains of two and three hops' })
  relationshipPatterns(@Root() set: PatternSet): object {
    return set.patterns.relationshipPatterns
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
