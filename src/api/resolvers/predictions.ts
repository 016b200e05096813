import { Arg, Ctx, Field, Float, ID, InputType, Int, Query, Resolver } from 'type-graphql'
import { forecastProject } from '../../patterns/changes/project-forecast.js'
import { guessColumnType } from '../../patterns/column-type-guess.js'
import type { ColumnState } from '../../patterns/column-types.js'
import { predictRelationshipType } from '../../patterns/relationships.js'
import { predictSchemaEvolution } from '../../patterns/schema-evolution.js'
import { readLearning } from '../../patterns/store.js'
import { EspalierError } from '../../util/error.js'
import type { NodeKind, Properties } from '../../vocabulary.js'
import type { ApiContext } from '../context.js'
import { present } from '../present.js'
import { DateTime } from '../scalars.js'
import { NodeKindEnum } from '../types/enums.js'
import { pageSize } from '../types/paging.js'
import { FutureChanges, RelationshipPrediction, TypeGuess, TypePrediction } from '../types/patterns.js'

const versionArgument = { nullable: true, description: 'Of the pattern set; default the newest' } as const
const longestHorizon = 3_650

@InputType({ description: 'A column as it is now.' })
class ColumnInput {
  @Field(() => ID, { description: 'As in the catalog, so that its past is known: shop/hive/column:s.orders.id' }) id!: string
  @Field(() => ID, { description: 'Of its table' }) table!: string
  @Field(() => String) name!: string
  @Field(() => String) type!: string
  @Field(() => Boolean, { nullable: true }) nullable?: boolean | null
  @Field(() => Float, { nullable: true }) ordinal?: number | null
}

const schemaOf = (columns: readonly ColumnInput[]): Record<string, ColumnState> =>
  Object.fromEntries(
    columns.map(({ id, table, name, type, nullable, ordinal }) => [
      id,
      { table, name, type, nullable: nullable ?? null, ordinal: ordinal ?? null },
    ]),
  )

function horizon(days: number): number {
  if (days >= 1 && days <= longestHorizon) return days
  throw new EspalierError('BAD_INPUT', `horizonDays: found ${days}, expected 1 to ${longestHorizon}`)
}

@Resolver()
export class PredictionResolver {
  @Query(() => [TypePrediction], { description: "What a column's type will be at the end of the horizon, the likeliest first." })
  async predictSchemaEvolution(
    @Ctx() { platform }: ApiContext,
    @Arg('projectId', () => ID) projectId: string,
    @Arg('currentType', () => String, { description: 'decimal(10,2), varchar(20), …' }) currentType: string,
    @Arg('column', () => String, { nullable: true, description: 'Name of the column: its last word is context' }) column?: string | null,
    @Arg('table', () => ID, { nullable: true, description: 'Id of its table: how often that one changes is context' }) table?:
      | string
      | null,
    @Arg('horizonDays', () => Int, { defaultValue: 90 }) horizonDays = 90,
    @Arg('version', () => Int, versionArgument) version?: number | null,
  ): Promise<TypePrediction[]> {
    const { learning, patterns } = await readLearning(platform.database, projectId, version ?? undefined)
    const asOf = patterns.summary.asOf === null ? undefined : new Date(patterns.summary.asOf)
    return predictSchemaEvolution(learning, currentType, { horizonDays: horizon(horizonDays), ...present({ column, table, asOf }) })
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

  @Query(() => [TypeGuess], { description: 'What type a column of this name is likely to have, the likeliest first.' })
  async predictColumnType(
    @Ctx() { platform }: ApiContext,
    @Arg('projectId', () => ID) projectId: string,
    @Arg('column', () => String, { description: 'Name of the column: its last word is looked at' }) column: string,
    @Arg('table', () => ID, { nullable: true, description: 'Id of its table' }) table?: string | null,
    @Arg('ordinal', () => Int, { nullable: true, description: 'Place in the table, from 1' }) ordinal?: number | null,
    @Arg('version', () => Int, versionArgument) version?: number | null,
  ): Promise<TypeGuess[]> {
    const { patterns } = await readLearning(platform.database, projectId, version ?? undefined)
    return guessColumnType(patterns.columnPatterns, { column, ...present({ table, ordinal }) })
  }

  @Query(() => FutureChanges, {
    description:
      'What is likely to change within the horizon, the likeliest first: learned on the spot from all of the history until then.',
  })
  async predictFutureChanges(
    @Ctx() { platform }: ApiContext,
    @Arg('projectId', () => ID) projectId: string,
    @Arg('horizonDays', () => Int, { defaultValue: 90, description: `1 to ${longestHorizon}` }) horizonDays = 90,
    @Arg('first', () => Int, { defaultValue: 100, description: 'Of each list' }) first = 100,
    @Arg('asOf', () => DateTime, { nullable: true, description: 'From when it is looked ahead; default the last snapshot' })
    asOf?: Date | null,
    @Arg('currentSchema', () => [ColumnInput], { nullable: true, description: 'What is there then; default what the history says' })
    currentSchema?: ColumnInput[] | null,
  ): Promise<FutureChanges> {
    const limit = pageSize(first)
    const schema = currentSchema ? { currentSchema: schemaOf(currentSchema) } : {}
    const request = { projectId, horizonDays: horizon(horizonDays), limit, ...present({ asOf }), ...schema }
    const { asOf: at, tables, columns, trainedOn, ...rest } = await forecastProject(platform.database, request)
    return {
      ...rest,
      asOf: new Date(at),
      tables: tables.slice(0, limit).map(({ table: id, probability }) => ({ id, probability })),
      columns: columns.slice(0, limit).map(({ column: id, probability }) => ({ id, probability })),
      trainedOn: trainedOn as unknown as Properties,
    }
  }
}
