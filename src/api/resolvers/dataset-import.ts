import { setImmediate } from 'node:timers/promises'
import { Arg, Ctx, ID, Mutation, Query, Resolver } from 'type-graphql'
import { exportVersion } from '../../datasets/exchange/export.js'
import type { ImportReport } from '../../datasets/exchange/import.js'
import { readUpload } from '../../datasets/exchange/upload-store.js'
import { formats } from '../../datasets/formats/index.js'
import { readDatasetVersion } from '../../datasets/store.js'
import type { DatasetKind as Kind } from '../../datasets/version.js'
import { importFile } from '../../training-data.js'
import { EspalierError } from '../../util/error.js'
import type { JsonValue } from '../../vocabulary.js'
import type { ApiContext } from '../context.js'
import { present } from '../present.js'
import { mappingOf } from '../training-data/call.js'
import { exportUrl } from '../training-data/routes.js'
import { ownerOf } from '../training-data/uploads.js'
import { DatasetExport, DatasetFormat, DatasetImport, DatasetImportOptions, DatasetKind, SpanUnitName } from '../types/dataset-import.js'

const pieceSize = 1 << 20

/** A text as the bytes of a file, in pieces between which others are served. */
async function* bytesOf(text: string): AsyncGenerator<Uint8Array> {
  const bytes = new TextEncoder().encode(text)
  for (let at = 0; at < bytes.length; at += pieceSize) {
    yield bytes.subarray(at, at + pieceSize)
    await setImmediate()
  }
}

/** The options of an import as the rooms know them. */
export const importOptionsOf = (options: DatasetImportOptions | null | undefined) => {
  const { mapping, versionDescription, ...rest } = options ?? {}
  const named = mappingOf(mapping as JsonValue | undefined)
  return { ...present(rest), ...(named && { mapping: named }), ...present({ description: versionDescription }) }
}

@Resolver()
export class DatasetImportResolver {
  @Mutation(() => DatasetImport, {
    description:
      'Saves a file of examples as a new version of a dataset, all or nothing; equal rows give the version there is. The file is a text, or was sent to /uploads before.',
  })
  async importDataset(
    @Ctx() { platform, actor, principal }: ApiContext,
    @Arg('projectId', () => ID) projectId: string,
    @Arg('name', () => String, { description: 'Of the dataset; made when it is new' }) name: string,
    @Arg('kind', () => DatasetKind) kind: Kind,
    @Arg('text', () => String, { nullable: true, description: 'The file itself' }) text?: string | null,
    @Arg('uploadId', () => ID, { nullable: true, description: 'What /uploads answered, in place of the text' }) uploadId?: string | null,
    @Arg('file', () => String, { nullable: true, description: 'What to call the text in problems' }) file?: string | null,
    @Arg('description', () => String, { nullable: true, description: 'Of the dataset' }) description?: string | null,
    @Arg('options', () => DatasetImportOptions, { nullable: true }) options?: DatasetImportOptions | null,
  ): Promise<ImportReport> {
    const { database, blobs } = platform
    const isText = typeof text === 'string'
    if (isText === (typeof uploadId === 'string'))
      throw new EspalierError('BAD_INPUT', `importDataset: found ${isText ? 'both' : 'neither'} of text and uploadId, expected one of them`)
    const upload = typeof uploadId === 'string' ? await readUpload(database, uploadId, ownerOf(principal), new Date()) : null
    return importFile(
      { database, blobs, actor },
      {
        ...importOptionsOf(options),
        dataset: { projectId, name, kind, ...present({ description }) },
        source: upload ? blobs.read(upload.blob) : bytesOf(text!),
        ...present({ file: file ?? upload?.file }),
        now: new Date(),
      },
    )
  }

  @Query(() => [DatasetFormat], { description: 'The formats that datasets are read from and written in.' })
  datasetFormats(): DatasetFormat[] {
    return Object.values(formats).map((format) => ({ ...format }))
  }

  @Query(() => DatasetExport, { description: 'Where a version is downloaded in a format; nothing is made before it is asked for there.' })
  async datasetExport(
    @Ctx() { platform: { database, blobs } }: ApiContext,
    @Arg('versionId', () => ID) versionId: string,
    @Arg('format', () => String, { defaultValue: 'jsonl', description: 'A name of datasetFormats' }) format: string,
    @Arg('includeMetadata', () => Boolean, {
      defaultValue: true,
      description: 'Say in the file what it holds, where it has a place for it',
    })
    includeMetadata: boolean,
    @Arg('spans', () => SpanUnitName, { defaultValue: 'utf16' }) spans: 'utf16' | 'code-points',
  ): Promise<DatasetExport> {
    const version = await readDatasetVersion(database, versionId)
    const { fileName, mediaType, loses } = exportVersion(database, blobs, version, { format, includeMetadata, spans })
    const url = exportUrl(version.datasetId, { version: version.id, format, include_metadata: String(includeMetadata), spans })
    return { url, fileName, mediaType, loses }
  }
}
