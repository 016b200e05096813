import { Arg, Ctx, ID, Mutation, Resolver } from 'type-graphql'
import { saveProject } from '../../access/store.js'
import { importDataset } from '../../datasets/import.js'
import type { DatasetKind as Kind } from '../../datasets/version.js'
import type { ApiContext } from '../context.js'
import { present } from '../present.js'
import { DatasetImport, DatasetKind } from '../types/dataset-import.js'

@Resolver()
export class DatasetImportResolver {
  @Mutation(() => DatasetImport, {
    description: 'Saves examples (JSONL, one a line) as a new version of a dataset, all or nothing; equal rows give the version there is.',
  })
  async importDataset(
    @Ctx() { platform: { database, blobs }, actor }: ApiContext,
    @Arg('projectId', () => ID) projectId: string,
    @Arg('name', () => String, { description: 'Of the dataset; made when it is new' }) name: string,
    @Arg('kind', () => DatasetKind) kind: Kind,
    @Arg('text', () => String, { description: 'The lines' }) text: string,
    @Arg('file', () => String, { nullable: true, description: 'What to call the text in problems' }) file?: string | null,
    @Arg('description', () => String, { nullable: true }) description?: string | null,
  ): Promise<DatasetImport> {
    await saveProject(database, { id: projectId })
    const request = { projectId, name, kind, source: text, createdBy: actor, now: new Date(), ...present({ file, description }) }
    const report = await importDataset(database, blobs, request)
    return { ...report, problemCount: report.problems.length }
  }
}
