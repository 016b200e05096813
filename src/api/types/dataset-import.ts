import 'reflect-metadata'
import { Field, ID, InputType, Int, ObjectType, registerEnumType } from 'type-graphql'
import { spanUnits } from '../../datasets/formats/format.js'
import { datasetKinds } from '../../datasets/version.js'
import { JsonScalar } from '../scalars.js'
import { DatasetVersion } from './datasets.js'
import { Problem } from './problem.js'

const enumOf = (names: readonly string[]) => Object.fromEntries(names.map((name) => [name.toUpperCase().replaceAll('-', '_'), name]))

export const DatasetKind = enumOf(datasetKinds)
registerEnumType(DatasetKind, { name: 'DatasetKind', description: 'What a row is.' })

export const SpanUnitName = enumOf(spanUnits)
registerEnumType(SpanUnitName, {
  name: 'SpanUnit',
  description: 'How entity spans are counted: UTF16 as rows are kept (JavaScript, Java), CODE_POINTS as Python counts.',
})

@ObjectType({ description: 'What an import saved.' })
export class DatasetImport {
  @Field(() => DatasetVersion) version!: DatasetVersion
  @Field(() => Boolean, { description: 'False when the dataset had these very rows before' }) isNew!: boolean
  @Field(() => String, { description: 'As which the file was read' }) format!: string
  @Field(() => JsonScalar, { description: 'Field of the file -> field of the row, where they differ' }) mapping!: Record<string, string>
  @Field(() => [String], {
    nullable: true,
    description: 'Labels that the dataset must have, where fields were mapped; else the usual ones',
  })
  requiredLabels!: string[] | null
  @Field(() => Int) problemCount!: number
  @Field(() => [Problem], { description: 'Warnings, the first 1,000' }) problems!: Problem[]
}

@InputType({ description: 'How a file is read, and what becomes of its rows. All of it has defaults.' })
export class DatasetImportOptions {
  @Field(() => String, { nullable: true, description: 'A name of datasetFormats (default: what name and first bytes tell)' }) format?:
    | string
    | null
  @Field(() => JsonScalar, { nullable: true, description: 'Field of the file -> field of the row: {"intent": "expected_intent"}' })
  mapping?: unknown
  @Field(() => SpanUnitName, { nullable: true, description: "Default: the format's own, else UTF16" }) spans?:
    | 'utf16'
    | 'code-points'
    | null
  @Field(() => Boolean, { nullable: true, description: 'Unknown fields go into metadata (default: left out, with a warning)' })
  keepUnknown?: boolean | null
  @Field(() => Boolean, { nullable: true, description: 'Add to the rows of the latest version (default: take their place)' })
  append?: boolean | null
  @Field(() => String, { nullable: true, description: 'Of the version' }) versionDescription?: string | null
}

@ObjectType({ description: 'Where a version is downloaded in a format.' })
export class DatasetExport {
  @Field(() => String, { description: 'Path on this server, to be asked with the same key' }) url!: string
  @Field(() => String) fileName!: string
  @Field(() => String) mediaType!: string
  @Field(() => String, { nullable: true, description: 'What the format cannot carry; null when nothing is lost' }) loses!: string | null
}

@ObjectType({ description: 'A format of files. Pickle is none of them: loading one runs the program that it is.' })
export class DatasetFormat {
  @Field(() => String) name!: string
  @Field(() => String) title!: string
  @Field(() => [String]) extensions!: readonly string[]
  @Field(() => String) mediaType!: string
  @Field(() => [DatasetKind], { description: 'Kinds of rows that it carries' }) kinds!: readonly string[]
  @Field(() => String, { nullable: true, description: 'What does not survive the round trip; null when everything does' })
  loses!: string | null
}

@ObjectType({ description: 'What became of a dataset that was deleted.' })
export class DatasetDeletion {
  @Field(() => ID) id!: string
  @Field(() => Int) versions!: number
}
