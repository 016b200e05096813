import 'reflect-metadata'
import { Field, ID, Int, ObjectType } from 'type-graphql'
import type { Manifest } from '../../artifacts/manifest.js'
import type { Artifact as StoredArtifact, Promotion as StoredPromotion } from '../../artifacts/store.js'
import { BigIntScalar, DateTime, JsonScalar } from '../scalars.js'
import { AliasEnum } from './enums.js'
import { connectionType } from './paging.js'
import { Problem } from './problem.js'

@ObjectType({ description: 'A published model with all that it needs. Versions never change.' })
export class Artifact implements StoredArtifact {
  @Field(() => ID, { description: '<component>@<version>' }) id!: string
  @Field(() => String, { description: 'What it does in a release: ranker, embedding, …' }) component!: string
  @Field(() => String) version!: string
  @Field(() => ID, { nullable: true }) projectId!: string | null
  @Field(() => ID, { nullable: true }) runId!: string | null
  @Field(() => ID, { nullable: true }) datasetVersionId!: string | null
  @Field(() => Boolean, { description: 'Met every gate; only then it can be promoted without force' }) passed!: boolean
  @Field(() => JsonScalar, { description: 'Files, signature, producers, metrics, gates and parity (schema/manifest.schema.json)' })
  manifest!: Manifest
  @Field(() => String, { description: 'SHA-256 of the manifest file' }) manifestDigest!: string
  @Field(() => DateTime) createdAt!: Date
  @Field(() => [AliasEnum], { description: 'Aliases that name it now' }) aliases!: StoredArtifact['aliases']
}
export const ArtifactConnection = connectionType('Artifact', () => Artifact)

@ObjectType()
export class ArtifactFile {
  @Field(() => String) path!: string
  @Field(() => BigIntScalar) size!: number
  @Field(() => String) sha256!: string
}

@ObjectType({ description: 'One move of an alias. Roll-backs are moves too.' })
export class Promotion implements StoredPromotion {
  @Field(() => Int) id!: number
  @Field(() => String) component!: string
  @Field(() => AliasEnum) alias!: StoredPromotion['alias']
  @Field(() => ID) artifactId!: string
  @Field(() => ID, { nullable: true }) previousId!: string | null
  @Field(() => Int, { nullable: true, description: 'The promotion that this roll-back took back' }) undoes!: number | null
  @Field(() => String, { nullable: true }) reason!: string | null
  @Field(() => Boolean, { description: 'Of an artifact that had failed a gate' }) forced!: boolean
  @Field(() => String, { nullable: true }) actor!: string | null
  @Field(() => DateTime) at!: Date
}

@ObjectType()
export class CheckedFile {
  @Field(() => String) path!: string
  @Field(() => String) sha256!: string
  @Field(() => Boolean) isIntact!: boolean
}

@ObjectType({ description: 'What re-hashing every file of an artifact or a release found.' })
export class Verification {
  @Field(() => ID) artifactId!: string
  @Field(() => [CheckedFile]) files!: CheckedFile[]
  @Field(() => [Problem]) problems!: Problem[]
}
