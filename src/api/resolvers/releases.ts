import { Arg, Args, Ctx, FieldResolver, ID, Int, Mutation, Query, Resolver, Root } from 'type-graphql'
import { diffManifests } from '../../artifacts/diff.js'
import { parseAlias } from '../../artifacts/promotion.js'
import { prune } from '../../artifacts/prune.js'
import { readBundle, readSamples } from '../../artifacts/release/bundle.js'
import { exportRelease } from '../../artifacts/release/export.js'
import { packageBundle } from '../../artifacts/release/package.js'
import { countReleases, readRelease, readReleases } from '../../artifacts/release/release-store.js'
import { type Alias, readArtifact, type Artifact as StoredArtifact } from '../../artifacts/store.js'
import { blobReferrers } from '../../platform.js'
import { EspalierError } from '../../util/error.js'
import { artifactUrl } from '../artifact-url.js'
import type { ApiContext } from '../context.js'
import { present } from '../present.js'
import { JsonScalar } from '../scalars.js'
import { Artifact } from '../types/artifacts.js'
import { AliasEnum } from '../types/enums.js'
import { type Connection, decodeCursor, encodeCursor, PageArguments, pageOf, pageSize } from '../types/paging.js'
import {
  ArtifactDiff,
  BundleFile,
  Package,
  Pruned,
  Release,
  ReleaseComponent,
  ReleaseComponentInput,
  ReleaseConnection,
} from '../types/releases.js'

@Resolver(() => Release)
export class ReleaseResolver {
  @Query(() => ReleaseConnection, { description: 'Releases, newest first.' })
  async releases(
    @Args(() => PageArguments) page: PageArguments,
    @Ctx() { platform }: ApiContext,
    @Arg('component', () => String, { nullable: true, description: 'Only those that hold it' }) component?: string | null,
  ): Promise<Connection<Release>> {
    const filter = present({ component })
    const after = page.after ? { after: String(decodeCursor(page.after, 1)[0]) } : {}
    const rows = await readReleases(platform.database, { ...filter, ...after, first: pageSize(page.first) + 1 })
    return pageOf(
      rows,
      page,
      (release) => encodeCursor([release.id]),
      () => countReleases(platform.database, filter),
    )
  }

  @Query(() => Release)
  release(@Ctx() { platform }: ApiContext, @Arg('id', () => ID) id: string): Promise<Release> {
    return readRelease(platform.database, id)
  }

  @Mutation(() => Release, {
    description: 'Checks that each component has an artifact that passed and is whole, and keeps one manifest of all of them.',
  })
  exportRelease(
    @Ctx() { platform, actor }: ApiContext,
    @Arg('components', () => [ReleaseComponentInput]) components: ReleaseComponentInput[],
    @Arg('alias', () => AliasEnum, { defaultValue: 'production', description: 'For components without an artifact' }) alias: Alias,
    @Arg('version', () => String, { nullable: true, description: 'Default: the UTC moment' }) version?: string | null,
    @Arg('publishUri', () => String, { nullable: true, description: 'Where the package is published; default a path on this server' })
    publishUri?: string | null,
    @Arg('reason', () => String, { nullable: true }) reason?: string | null,
    @Arg('force', () => Boolean, { defaultValue: false, description: 'Take artifacts that failed a gate; needs a reason' }) force = false,
  ): Promise<Release> {
    if (force && !reason?.trim())
      throw new EspalierError('BAD_INPUT', 'exportRelease: force needs a reason', { remedy: 'Say why in "reason".' })
    return exportRelease(platform, {
      components: components.map((each) => present({ component: each.component, artifactId: each.artifactId })),
      alias: parseAlias(alias),
      actor,
      now: new Date(),
      ...present({ version, publishUri }),
      ...(force && reason ? { force: { reason } } : {}),
    })
  }

  @FieldResolver(() => [ReleaseComponent])
  components(@Root() { manifest }: Release): ReleaseComponent[] {
    return manifest.components.map(({ artifact_id: artifactId, ...rest }) => ({ ...rest, artifactId }))
  }

  @FieldResolver(() => String, { description: 'Where its package is to be had' })
  publishUri(@Root() { manifest }: Release): string {
    return manifest.publish_uri
  }
}

@Resolver(() => ReleaseComponent)
export class ReleaseComponentResolver {
  @FieldResolver(() => Artifact, { nullable: true })
  artifact(@Root() { artifactId }: ReleaseComponent, @Ctx() { loaders }: ApiContext): Promise<Artifact | null> {
    return loaders.artifact.load(artifactId)
  }
}

@Resolver()
export class BundleResolver {
  @Query(() => [BundleFile], { description: 'The files of an artifact or a release, its manifest first: a bundle is a folder of them.' })
  async bundleFiles(
    @Ctx() { platform }: ApiContext,
    @Arg('id', () => ID, { description: 'Of an artifact or a release' }) id: string,
  ): Promise<BundleFile[]> {
    const { files } = await readBundle(platform.database, id)
    return files.map((file) => ({ ...file, url: artifactUrl.file(id, file.path) }))
  }

  @Mutation(() => Package, { description: 'Makes the package of an artifact or a release, unless there is one already.' })
  async packageArtifact(@Ctx() { platform }: ApiContext, @Arg('id', () => ID) id: string): Promise<Package> {
    return { ...(await packageBundle(platform.database, platform.blobs, id, new Date())), url: artifactUrl.package(id) }
  }

  @Query(() => JsonScalar, {
    description: 'Per model of an artifact or a release: inputs, the answers that any runtime must give, and the tolerance.',
  })
  paritySamples(@Ctx() { platform }: ApiContext, @Arg('id', () => ID) id: string): Promise<object> {
    return readSamples(platform.database, platform.blobs, id)
  }

  @Query(() => ArtifactDiff, { description: 'Metrics side by side, and the options, the data and the files that differ.' })
  async artifactDiff(
    @Ctx() { platform, loaders }: ApiContext,
    @Arg('before', () => ID) before: string,
    @Arg('after', () => ID) after: string,
  ): Promise<ArtifactDiff> {
    const [left, right] = (await Promise.all([before, after].map((id) => readArtifact(platform.database, id)))) as [
      StoredArtifact,
      StoredArtifact,
    ]
    const optionsOf = async ({ runId }: StoredArtifact) => (runId ? ((await loaders.run.load(runId))?.options ?? null) : null)
    return diffManifests(left.manifest, right.manifest, { before: await optionsOf(left), after: await optionsOf(right) })
  }

  @Mutation(() => Pruned, {
    description:
      'Deletes artifacts that nobody needs, and blobs that nothing refers to. Never what an alias or a release names, or was staged.',
  })
  async pruneArtifacts(
    @Ctx() { platform }: ApiContext,
    @Arg('keep', () => Int, { defaultValue: 10, description: 'Newest artifacts of each component that are kept' }) keep: number,
    @Arg('artifactDays', () => Int, { defaultValue: 30, description: 'Days that an artifact is kept at least' }) artifactDays: number,
    @Arg('blobHours', () => Int, { defaultValue: 24, description: 'Hours that a blob without references is kept' }) blobHours: number,
    @Arg('dryRun', () => Boolean, { defaultValue: false }) dryRun: boolean,
  ): Promise<Pruned> {
    for (const [name, value] of Object.entries({ keep, artifactDays, blobHours }))
      if (value < 0) throw new EspalierError('BAD_INPUT', `pruneArtifacts: ${name} is ${value}, expected 0 or more`)
    const { database, blobs } = platform
    const done = await prune(
      { database, blobs, referrers: blobReferrers(database) },
      { keep, artifactDays, blobHours, dryRun, now: new Date() },
    )
    return { artifacts: done.artifacts, blobs: done.blobs.deleted, bytes: done.blobs.bytes, dryRun }
  }
}
