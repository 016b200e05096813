import { Arg, Args, Ctx, FieldResolver, ID, Int, Mutation, Query, Resolver, Root } from 'type-graphql'
import { parseAlias, promote, rollback } from '../../artifacts/promotion.js'
import { type Alias, countArtifacts, readAlias, readArtifacts, readPromotions } from '../../artifacts/store.js'
import { verifyArtifact } from '../../artifacts/verify.js'
import { EspalierError } from '../../util/error.js'
import type { ApiContext } from '../context.js'
import { Artifact, ArtifactConnection, ArtifactFile, Promotion, Verification } from '../types/artifacts.js'
import { AliasEnum } from '../types/enums.js'
import { type Connection, decodeCursor, encodeCursor, PageArguments, pageOf, pageSize } from '../types/paging.js'
import { Run } from '../types/runs.js'

@Resolver(() => Artifact)
export class ArtifactResolver {
  @Query(() => ArtifactConnection, { description: 'Published artifacts, newest first.' })
  async artifacts(
    @Args(() => PageArguments) page: PageArguments,
    @Ctx() { platform }: ApiContext,
    @Arg('component', () => String, { nullable: true }) component?: string | null,
    @Arg('projectId', () => ID, { nullable: true }) projectId?: string | null,
    @Arg('runId', () => ID, { nullable: true }) runId?: string | null,
    @Arg('passed', () => Boolean, { nullable: true, description: 'Only those that met their gates, or only those that did not' })
    passed?: boolean | null,
  ): Promise<Connection<Artifact>> {
    const filter = {
      ...(component ? { component } : {}),
      ...(projectId ? { projectId } : {}),
      ...(runId ? { runId } : {}),
      ...(typeof passed === 'boolean' ? { passed } : {}),
    }
    const first = pageSize(page.first)
    const after = page.after ? { after: String(decodeCursor(page.after, 1)[0]) } : {}
    const rows = await readArtifacts(platform.database, { ...filter, ...after, first: first + 1 })
    return pageOf(
      rows,
      page,
      (artifact) => encodeCursor([artifact.id]),
      () => countArtifacts(platform.database, filter),
    )
  }

  @Query(() => Artifact, { nullable: true, description: 'One artifact by its id, or the one that an alias of a component names.' })
  artifact(
    @Ctx() { platform, loaders }: ApiContext,
    @Arg('id', () => ID, { nullable: true }) id?: string | null,
    @Arg('component', () => String, { nullable: true }) component?: string | null,
    @Arg('alias', () => AliasEnum, { nullable: true }) alias?: Alias | null,
  ): Promise<Artifact | null> {
    if (id) return loaders.artifact.load(id)
    if (component) return readAlias(platform.database, component, alias ?? 'production')
    throw new EspalierError('BAD_INPUT', 'artifact: found neither "id" nor "component"', {
      remedy: 'Give the id, or a component and one of its aliases (default production).',
    })
  }

  @Query(() => [Promotion], { description: 'Moves of the aliases of a component, newest first.' })
  promotions(
    @Ctx() { platform }: ApiContext,
    @Arg('component', () => String) component: string,
    @Arg('alias', () => AliasEnum, { nullable: true }) alias?: Alias | null,
    @Arg('first', () => Int, { defaultValue: 50 }) first = 50,
  ): Promise<Promotion[]> {
    return readPromotions(platform.database, component, alias ?? undefined, pageSize(first))
  }

  @Query(() => Verification, { description: 'Reads and hashes every byte of an artifact or a release again.' })
  verifyArtifact(@Ctx() { platform }: ApiContext, @Arg('id', () => ID) id: string): Promise<Verification> {
    return verifyArtifact(platform.database, platform.blobs, id)
  }

  @Mutation(() => Promotion, { description: 'Moves an alias to an artifact that met its gates, or to another one with a reason.' })
  promote(
    @Ctx() { platform, actor }: ApiContext,
    @Arg('artifactId', () => ID) artifactId: string,
    @Arg('alias', () => AliasEnum, { defaultValue: 'production' }) alias: Alias,
    @Arg('expected', () => ID, {
      nullable: true,
      description: 'Compare-and-set: the artifact that the alias must name now; an explicit null: it must name none yet',
    })
    expected?: string | null,
    @Arg('reason', () => String, { nullable: true }) reason?: string | null,
    @Arg('force', () => Boolean, { defaultValue: false, description: 'Promote although a gate failed; needs a reason' }) force = false,
  ): Promise<Promotion> {
    if (force && !reason?.trim()) throw new EspalierError('BAD_INPUT', 'promote: force needs a reason', { remedy: 'Say why in "reason".' })
    return promote(platform.database, parseAlias(alias), artifactId, {
      now: new Date(),
      actor,
      ...(expected === undefined ? {} : { expected }),
      ...(reason ? { reason } : {}),
      ...(force && reason ? { force: { reason } } : {}),
    })
  }

  @Mutation(() => Promotion, { description: 'Takes the newest standing promotion of an alias back.' })
  rollback(
    @Ctx() { platform, actor }: ApiContext,
    @Arg('component', () => String) component: string,
    @Arg('alias', () => AliasEnum, { defaultValue: 'production' }) alias: Alias,
    @Arg('reason', () => String, { nullable: true }) reason?: string | null,
  ): Promise<Promotion> {
    return rollback(platform.database, component, parseAlias(alias), { now: new Date(), actor, ...(reason ? { reason } : {}) })
  }

  @FieldResolver(() => Run, { nullable: true, description: 'The run that produced it' })
  run(@Root() artifact: Artifact, @Ctx() { loaders }: ApiContext): Promise<Run | null> | null {
    return artifact.runId ? loaders.run.load(artifact.runId) : null
  }

  @FieldResolver(() => [ArtifactFile])
  files(@Root() artifact: Artifact): ArtifactFile[] {
    return artifact.manifest.files
  }
}

@Resolver(() => Promotion)
export class PromotionResolver {
  @FieldResolver(() => Artifact)
  async artifact(@Root() promotion: Promotion, @Ctx() { loaders }: ApiContext): Promise<Artifact> {
    return (await loaders.artifact.load(promotion.artifactId))!
  }
}
