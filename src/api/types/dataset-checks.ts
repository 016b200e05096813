import 'reflect-metadata'
import { Field, Float, Int, ObjectType } from 'type-graphql'
import type { EnhancementReport } from '../../datasets/enhancement/enhance.js'
import type { QualityReport } from '../../datasets/quality/report.js'
import type { ValidationReport } from '../../datasets/validation/validate.js'
import { JsonScalar } from '../scalars.js'
import { DatasetVersion } from './datasets.js'
import { SeverityEnum } from './enums.js'

type FoundIssue = ValidationReport['issues'][number]

@ObjectType({ description: 'What a rule found in a dataset.' })
export class DatasetIssue {
  @Field(() => String) rule!: string
  @Field(() => SeverityEnum) severity!: string
  @Field(() => Int, { nullable: true, description: 'From 1; null where the dataset as a whole is meant' }) row!: number | null
  @Field(() => String, { description: 'expected_entities[0]; empty where no one field is meant' }) field!: string
  @Field(() => String) message!: string
  @Field(() => String, { nullable: true }) suggestion?: string
  @Field(() => Boolean, { description: 'Can an enhancement mend it?' }) fixable!: boolean
}

@ObjectType({ description: 'How good a dataset is: six dimensions, each with what its number was made of.' })
export class DatasetQuality implements QualityReport {
  @Field(() => Float, { description: 'Weighted mean of the dimensions that can be judged, 0 to 1' }) overall!: number
  @Field(() => String, { description: 'excellent, good, fair, poor, or invalid when most rows have errors' }) band!: QualityReport['band']
  @Field(() => Int) rows!: number
  @Field(() => Float, { description: 'Share of rows without an error' }) validShare!: number
  @Field(() => JsonScalar, { description: 'Dimension -> weight, score (null where there is nothing to judge), sampleSize, of, details' })
  dimensions!: QualityReport['dimensions']
}

@ObjectType({ description: 'The report on a version.' })
export class DatasetValidation implements Omit<ValidationReport, 'issues'> {
  @Field(() => DatasetVersion) version!: DatasetVersion
  @Field(() => Boolean, { description: 'Found before for equal rows and options' }) cached!: boolean
  @Field(() => Boolean, { description: 'There are rows, and no error among them' }) passed!: boolean
  @Field(() => Int) total!: number
  @Field(() => Int, { description: 'Rows without an error' }) valid!: number
  @Field(() => Int) invalid!: number
  @Field(() => Float, { description: 'By the scoring that was asked for' }) qualityScore!: number
  @Field(() => JsonScalar, { description: 'Both scorings: v2 and classic' }) scores!: ValidationReport['scores']
  @Field(() => Int) errors!: number
  @Field(() => Int) warnings!: number
  @Field(() => Int) infos!: number
  @Field(() => JsonScalar, { description: 'Rule -> issues found, listed or not' }) counts!: Record<string, number>
  @Field(() => [DatasetIssue], { description: 'The first of them, each rule having its share' }) issues!: FoundIssue[]
  @Field(() => [String]) requiredLabels!: readonly string[]
  @Field(() => JsonScalar) statistics!: ValidationReport['statistics']
  @Field(() => DatasetQuality) quality!: QualityReport
  @Field(() => [String]) recommendations!: string[]
}

@ObjectType({ description: 'What an enhancement did, or would do.' })
export class DatasetEnhancement implements EnhancementReport {
  @Field(() => DatasetVersion, { nullable: true, description: 'Null of a preview' }) version!: DatasetVersion | null
  @Field(() => Boolean, { description: 'False of a preview, and where nothing was changed' }) isNew!: boolean
  @Field(() => Int) rowsBefore!: number
  @Field(() => Int) rowsAfter!: number
  @Field(() => JsonScalar, { description: 'A step each: name, changed, dropped, added, details' }) steps!: EnhancementReport['steps']
  @Field(() => JsonScalar, { description: 'The first of them: step, row, field, before, after, why' })
  changes!: EnhancementReport['changes']
  @Field(() => JsonScalar, { description: 'The first of them: step, row, key, why' }) dropped!: EnhancementReport['dropped']
}
