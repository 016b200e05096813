import 'reflect-metadata'
import { Field, Float, ID, InputType, Int, ObjectType } from 'type-graphql'
import type { FileDifference as StoredFileDifference } from '../../artifacts/diff.js'
import type { ReleaseManifest } from '../../artifacts/release/manifest.js'
import type { Release as StoredRelease } from '../../artifacts/release/release-store.js'
import { BigIntScalar, DateTime, JsonScalar, MetricValue } from '../scalars.js'
import { AliasEnum, DifferenceEnum } from './enums.js'
import { connectionType } from './paging.js'

@ObjectType({ description: 'A file of an artifact or a release, and where to download it (with range support).' })
export class BundleFile {
  @Field(() => String, { description: "Relative to the bundle's folder" }) path!: string
  @Field(() => BigIntScalar) size!: number
  @Field(() => String) sha256!: string
  @Field(() => String, { description: 'Path on this server' }) url!: string
}

@ObjectType()
export class ReleaseComponent {
  @Field(() => String) component!: string
  @Field(() => ID) artifactId!: string
  @Field(() => String) version!: string
  @Field(() => JsonScalar) metrics!: object
  @Field(() => Boolean, { description: 'Met every gate and parity' }) passed!: boolean
  @Field(() => String, { nullable: true, description: 'Why it is here although it had not passed' }) forced!: string | null
  @Field(() => AliasEnum, { nullable: true, description: 'The alias that named it; null when it was named itself' }) alias!: string | null
}

@ObjectType({ description: 'Several components in one checked manifest. Versions never change.' })
export class Release implements StoredRelease {
  @Field(() => ID, { description: 'release:<version>' }) id!: string
  @Field(() => String) version!: string
  @Field(() => JsonScalar, { description: 'Components, their artifacts, files and metrics (schema/release.schema.json)' })
  manifest!: ReleaseManifest
  @Field(() => String, { description: 'SHA-256 of the manifest file' }) manifestDigest!: string
  @Field(() => DateTime) createdAt!: Date
  @Field(() => String, { nullable: true }) createdBy!: string | null
}
export const ReleaseConnection = connectionType('Release', () => Release)

@InputType({ description: 'A component of a release.' })
export class ReleaseComponentInput {
  @Field(() => String) component!: string
  @Field(() => ID, { nullable: true, description: 'Default: the artifact that the alias names' }) artifactId?: string | null
}

@ObjectType({ description: 'An artifact or a release as one tar.gz: the same bytes whenever and wherever it is made.' })
export class Package {
  @Field(() => ID, { description: 'Of the artifact or the release' }) subjectId!: string
  @Field(() => String, { description: 'A name for the file' }) name!: string
  @Field(() => String, { description: 'SHA-256' }) digest!: string
  @Field(() => BigIntScalar) size!: number
  @Field(() => String, { description: 'Path on this server' }) url!: string
}

@ObjectType()
export class MetricDifference {
  @Field(() => String) name!: string
  @Field(() => MetricValue, { nullable: true }) before!: number | null
  @Field(() => MetricValue, { nullable: true }) after!: number | null
  @Field(() => MetricValue, { nullable: true, description: 'after - before' }) change!: number | null
}

@ObjectType()
export class ValueDifference {
  @Field(() => String, { description: 'Place: training.hidden' }) path!: string
  @Field(() => JsonScalar, { nullable: true }) before!: unknown
  @Field(() => JsonScalar, { nullable: true }) after!: unknown
}

@ObjectType()
export class FileDifference implements StoredFileDifference {
  @Field(() => String) path!: string
  @Field(() => DifferenceEnum) kind!: StoredFileDifference['kind']
  @Field(() => Float, { nullable: true, description: 'Bytes' }) before!: number | null
  @Field(() => Float, { nullable: true, description: 'Bytes' }) after!: number | null
}

@ObjectType({ description: 'What tells two artifacts apart.' })
export class ArtifactDiff {
  @Field(() => ID) before!: string
  @Field(() => ID) after!: string
  @Field(() => [MetricDifference], { description: 'Every metric of either' }) metrics!: MetricDifference[]
  @Field(() => [ValueDifference], { description: 'Model options that differ' }) options!: ValueDifference[]
  @Field(() => [ValueDifference], { description: 'Dataset, run, feature spec and tools, where they differ' }) data!: ValueDifference[]
  @Field(() => [FileDifference], { description: 'Files that differ' }) files!: FileDifference[]
}

@ObjectType({ description: 'What was deleted because nobody needs it.' })
export class Pruned {
  @Field(() => [ID]) artifacts!: string[]
  @Field(() => Int, { description: 'Blobs that nothing referred to' }) blobs!: number
  @Field(() => BigIntScalar, { description: 'Of those blobs' }) bytes!: number
  @Field(() => Boolean, { description: 'Nothing was deleted: this is what would be' }) dryRun!: boolean
}
