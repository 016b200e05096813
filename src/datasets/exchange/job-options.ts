import { z } from 'zod'
import { enhancementOptions } from '../enhancement/options.js'
import { spanUnits } from '../formats/format.js'
import { datasetKinds } from '../records/index.js'
import { validationOptions } from '../validation/options.js'

const projectId = z.string().min(1).describe('project of the dataset')
const createdBy = z.string().default('system').describe('who asked for it')
const format = z.string().describe('a name of formats/index.ts, or of a format that the site has added')
const versionId = z.uuid().describe('the dataset version')
const spans = z.enum(spanUnits).describe('how entity spans are counted')

const importJob = z.strictObject({
  operation: z.literal('import'),
  projectId,
  createdBy,
  name: z.string().min(1).describe('of the dataset; made when it is new'),
  kind: z.enum(datasetKinds),
  description: z.string().optional().describe('of the dataset'),
  blob: z.string().describe('digest of the file among the blobs'),
  file: z.string().default('upload').describe("the file's name"),
  format: format.optional().describe('default: what name and first bytes tell'),
  mapping: z.record(z.string(), z.string()).optional().describe('field of the file -> field of the row'),
  spans: spans.optional(),
  keepUnknown: z.boolean().default(false).describe('unknown fields go into metadata'),
  append: z.boolean().default(false).describe('add to the rows of the latest version'),
  versionDescription: z.string().optional().describe('of the version'),
})

const exportJob = z.strictObject({
  operation: z.literal('export'),
  projectId,
  createdBy,
  versionId,
  format: format.default('jsonl'),
  includeMetadata: z.boolean().default(true),
  spans: spans.default('utf16'),
})

const validateJob = z.strictObject({
  operation: z.literal('validate'),
  projectId,
  createdBy,
  versionId,
  options: validationOptions.prefault({}).describe('what the rows are held to'),
  fresh: z.boolean().default(false).describe('judge anew, whatever was found before'),
})

const enhanceJob = z.strictObject({
  operation: z.literal('enhance'),
  projectId,
  createdBy,
  versionId,
  steps: enhancementOptions.describe('steps that are named are done'),
  dryRun: z.boolean().default(false).describe('say what would be done, and save nothing'),
  description: z.string().optional().describe('of the new version'),
})

/** Work on a dataset that takes longer than a request should. */
export const datasetJobOptions = z.discriminatedUnion('operation', [importJob, exportJob, validateJob, enhanceJob])
export type DatasetJobOptions = z.output<typeof datasetJobOptions>
export type DatasetJobInput = z.input<typeof datasetJobOptions>
