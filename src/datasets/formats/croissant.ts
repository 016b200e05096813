import { createHash } from 'node:crypto'
import path from 'node:path'
import { EspalierError } from '../../util/error.js'
import type { Properties } from '../../vocabulary.js'
import { datasetKinds } from '../version.js'
import { type ColumnType, columnsOf, tabularColumns } from './columns.js'
import { packFolder, unpackFolder } from './folder-archive.js'
import type { DatasetFormat, RowSource, WriteOptions } from './format.js'
import { jsonl } from './jsonl.js'
import { readFile, withFolder, writeFile } from './staging.js'

/** The context of Croissant 1.0 (https://docs.mlcommons.org/croissant/docs/croissant-spec.html), as its own tools print it. */
const context = {
  '@language': 'en',
  '@vocab': 'https://schema.org/',
  citeAs: 'cr:citeAs',
  column: 'cr:column',
  conformsTo: 'dct:conformsTo',
  cr: 'http://mlcommons.org/croissant/',
  rai: 'http://mlcommons.org/croissant/RAI/',
  data: { '@id': 'cr:data', '@type': '@json' },
  dataType: { '@id': 'cr:dataType', '@type': '@vocab' },
  dct: 'http://purl.org/dc/terms/',
  equivalentProperty: 'cr:equivalentProperty',
  examples: { '@id': 'cr:examples', '@type': '@json' },
  extract: 'cr:extract',
  field: 'cr:field',
  fileProperty: 'cr:fileProperty',
  fileObject: 'cr:fileObject',
  fileSet: 'cr:fileSet',
  format: 'cr:format',
  includes: 'cr:includes',
  isLiveDataset: 'cr:isLiveDataset',
  jsonPath: 'cr:jsonPath',
  key: 'cr:key',
  md5: 'cr:md5',
  parentField: 'cr:parentField',
  path: 'cr:path',
  recordSet: 'cr:recordSet',
  references: 'cr:references',
  regex: 'cr:regex',
  repeated: 'cr:repeated',
  replace: 'cr:replace',
  samplingRate: 'cr:samplingRate',
  sc: 'https://schema.org/',
  separator: 'cr:separator',
  source: 'cr:source',
  subField: 'cr:subField',
  transform: 'cr:transform',
}

const dataFile = 'data/rows.jsonl'
/** Lists and objects (spans, metadata) lie in the file beside these, but a field of Croissant 1.0 has no type for them. */
const dataTypes = { text: 'sc:Text', number: 'sc:Float' } as const

/** A dataset's description: where its rows lie, with size and digest, and each field that a row has. */
async function describe(
  rows: RowSource,
  file: { bytes: number; sha256: string; fields: ReadonlySet<string> },
  options: WriteOptions,
): Promise<string> {
  const { kind, title, description, license, metadata = {} } = options
  const columns = kind === 'tabular' ? await tabularColumns(rows()) : columnsOf(kind).filter(({ name }) => file.fields.has(name))
  const field = ({ name, type }: { name: string; type: ColumnType }) => ({
    '@type': 'cr:Field',
    '@id': `rows/${name}`,
    name,
    dataType: dataTypes[type === 'number' ? 'number' : 'text'],
    source: { fileObject: { '@id': dataFile }, extract: { column: name } },
  })
  const { version, created_at: created } = metadata
  return `${JSON.stringify(
    {
      '@context': context,
      '@type': 'sc:Dataset',
      conformsTo: 'http://mlcommons.org/croissant/1.0',
      name: title,
      ...(description ? { description } : {}),
      ...(license ? { license } : {}),
      ...(typeof version === 'string' ? { version: /^\d+\.\d+$/.test(version) ? `${version}.0` : version } : {}),
      ...(typeof created === 'string' ? { datePublished: created } : {}),
      distribution: [
        {
          '@type': 'cr:FileObject',
          '@id': dataFile,
          name: dataFile,
          contentUrl: dataFile,
          encodingFormat: 'application/jsonlines',
          contentSize: `${file.bytes} B`,
          sha256: file.sha256,
        },
      ],
      recordSet: [
        { '@type': 'cr:RecordSet', '@id': 'rows', name: 'rows', field: columns.filter(({ type }) => type !== 'json').map(field) },
      ],
    },
    null,
    2,
  )}\n`
}

/**
 * Croissant 1.0: a folder (packed as .tar) of `metadata.json`, which tells people and tools what the data is and where it lies, and the
 * rows as JSON Lines beside it. Read back by its rows; a description whose rows lie elsewhere is refused, nothing is fetched.
 */
export const croissant: DatasetFormat = {
  name: 'croissant',
  title: 'Croissant: metadata.json and JSON Lines, as .tar',
  extensions: ['.croissant.tar'],
  mediaType: 'application/x-tar',
  kinds: datasetKinds,
  loses: null,
  read: (source, options) =>
    withFolder(async function* (folder) {
      const files = await unpackFolder(source, folder, options.file)
      const rows = files.get(dataFile) ?? [...files].find(([name]) => name.endsWith('.jsonl'))?.[1]
      if (!rows)
        throw new EspalierError(
          'BAD_INPUT',
          `${options.file}: holds ${[...files.keys()].join(', ') || 'no file'}, expected ${dataFile} beside metadata.json`,
        )
      yield* jsonl.read(readFile(rows), { ...options, file: `${options.file}/${dataFile}` })
    }),
  write: (rows, options) =>
    withFolder(async function* (folder) {
      const file = path.join(folder, 'rows.jsonl')
      const hash = createHash('sha256')
      const fields = new Set<string>()
      async function* noted() {
        for await (const row of rows()) {
          for (const field in row as Properties) fields.add(field)
          yield row
        }
      }
      async function* hashed() {
        for await (const piece of jsonl.write(noted, options)) {
          hash.update(piece)
          yield piece
        }
      }
      const bytes = await writeFile(file, hashed())
      yield* packFolder([
        { path: 'metadata.json', content: await describe(rows, { bytes, sha256: hash.digest('hex'), fields }, options) },
        { path: dataFile, content: { file } },
      ])
    }),
}
