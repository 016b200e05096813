import { z } from 'zod'
import { linkListOptions } from '../../datasets/links/lists.js'
import { featureSpecSchema } from '../../datasets/links/spec.js'
import { linkTaskNames } from '../../datasets/tasks/task.js'
import { ggnnOptions } from '../../models/ggnn.js'
import { trainingOptions } from '../options.js'
import { withDefaults } from './defaults.js'
import { exportOptions } from './export-options.js'
import { gleanHistoryOptions, resumeOption, splitOption } from './origin-options.js'
import { trainReadoutOptions } from './readout-job.js'

/** What the data decides is not for the caller to say. */
export const rankerModelOptions = ggnnOptions.omit({ features: true, queryFeatures: true, edgeTypes: true })

/** Chosen on the schemas of Spider: some hundred links teach a small network, kept small, more than a large one. */
export const rankerNetwork = { hidden: 16, steps: 2, temperature: 0.5 }
export const gently = {
  learningRate: 2e-3,
  batchExamples: 8,
  schedule: { name: 'cosine' },
  optimizer: { name: 'adamw', weightDecay: 0.3 },
} as const

/** Where ranking lists come from: a stored version, or the catalog as it was at a moment. */
export const rankingDataOptions = {
  task: z.enum(linkTaskNames).default('foreign-key').describe('which links of the catalog are learned'),
  projectIds: z.array(z.string().min(1)).min(1).optional().describe('projects to learn from; default every one that has such edges'),
  asOf: z.iso.datetime().optional().describe('the moment whose catalog is read; default when the run was asked for'),
  splitAt: z.iso
    .datetime()
    .optional()
    .describe('split by time: learn from the catalog as it was then, be judged on the links that came after; default: by database'),
  datasetVersionId: z
    .string()
    .min(1)
    .optional()
    .describe('a stored dataset version to learn from instead of the catalog: its id, a name (its latest), name@1.2 or name@tag'),
  lists: linkListOptions
    .extend({ features: featureSpecSchema.omit({ version: true, task: true }).prefault({}).describe('how nodes become numbers') })
    .prefault({})
    .describe('how lists are made from the catalog'),
}

/** Options of a run that trains a ranker. None is needed. */
export const trainRankerOptions = z.strictObject({
  readout: z.literal('rank').default('rank').describe('what is read from the graphs: a score per candidate'),
  ...rankingDataOptions,
  split: splitOption,
  glean: gleanHistoryOptions.prefault({}).describe('links that the catalog no longer has, read from Glean, to learn from besides'),
  model: withDefaults(rankerModelOptions, rankerNetwork).describe('the network'),
  training: withDefaults(trainingOptions, { epochs: 24, ...gently, monitor: 'mrr', patience: 6 }).describe('how it is trained'),
  export: exportOptions.prefault({}).describe('how it is exported'),
  component: z
    .string()
    .min(1)
    .optional()
    .describe('what the artifact is published as; default ranker for foreign-key, lineage-ranker, dependency-ranker'),
  resume: resumeOption,
})
export type TrainRankerOptions = z.output<typeof trainRankerOptions>

/** Options of a `train-ggnn` run, by its read-out. None is needed to rank; the other read-outs need a dataset version of their kind. */
export const trainGgnnOptions = z.discriminatedUnion('readout', [trainRankerOptions, ...trainReadoutOptions])
export type TrainGgnnOptions = z.output<typeof trainGgnnOptions>
