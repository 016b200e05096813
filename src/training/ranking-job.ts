import { z } from 'zod'
import { foreignKeyOptionsSchema } from '../datasets/tasks/foreign-key.js'
import { ggnnOptions } from '../models/ggnn.js'
import { trainingOptions } from './options.js'

/** What the data decides is not for the caller to say. */
const modelOptions = ggnnOptions.omit({ features: true, queryFeatures: true, edgeTypes: true })

/** Chosen on the schemas of Spider: a target sharper than the labels' own learns faster, and ten epochs begin to overfit. */
const network = { hidden: 48, steps: 3, temperature: 0.3 }

/** Where ranking lists come from: a stored version, or the catalog as it was at a moment. */
const dataOptions = {
  task: z.enum(['foreign-key']).default('foreign-key').describe('what is learned from the catalog'),
  projectIds: z.array(z.string().min(1)).min(1).optional().describe('projects to learn from; default every one that has such edges'),
  asOf: z.iso.datetime().optional().describe('the moment whose catalog is read; default when the run was asked for'),
  datasetVersionId: z.string().optional().describe('a stored dataset version to learn from instead of the catalog'),
  lists: foreignKeyOptionsSchema.prefault({}).describe('how lists are made from the catalog'),
}

/** Options of a `train-ggnn` run. None is needed. */
export const trainGgnnOptions = z.strictObject({
  ...dataOptions,
  model: modelOptions.prefault(network).describe('the network'),
  training: trainingOptions.prefault({ epochs: 16, learningRate: 2e-3, monitor: 'mrr', patience: 6 }).describe('how it is trained'),
  component: z.string().min(1).default('ranker').describe('what the artifact is published as'),
})
export type TrainGgnnOptions = z.output<typeof trainGgnnOptions>

/** Options of an `evaluate` run: leave-one-database-out, the ranker beside its baselines. None is needed. */
export const evaluateOptions = z.strictObject({
  ...dataOptions,
  model: modelOptions.prefault(network).describe('the network'),
  // A fixed number of epochs: with few databases, one held out for early stopping is missed more than it helps.
  training: trainingOptions.prefault({ epochs: 8, learningRate: 2e-3, validationSplit: 0 }).describe('how it is trained in each fold'),
  folds: z.int().min(2).optional().describe('hold out this many parts of the databases instead of one database at a time'),
})
export type EvaluateOptions = z.output<typeof evaluateOptions>
