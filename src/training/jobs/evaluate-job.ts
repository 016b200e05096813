import { z } from 'zod'
import { trainingOptions } from '../options.js'
import { withDefaults } from './defaults.js'
import { gently, rankerModelOptions, rankerNetwork, rankingDataOptions } from './ranking-job.js'
import { graphDataOptions, readoutModels, readoutTraining } from './readout-job.js'

/** What is judged, and on what: the same for every read-out. */
const judged = {
  artifact: z
    .string()
    .min(1)
    .optional()
    .describe(
      'a published artifact that is judged as it is: its id, or a component (what production names); default: models trained anew on what is not held out',
    ),
  split: z
    .string()
    .min(1)
    .optional()
    .describe(
      'a stored split of the dataset version: judged on its part test (validation where it has none); what is trained learns from train',
    ),
  folds: z.int().min(2).optional().describe('hold out this many parts of the groups'),
}

/** Options of an `evaluate` run that ranks: leave-one-database-out, the ranker beside its baselines. None is needed. */
const evaluateRankerOptions = z.strictObject({
  readout: z.literal('rank').default('rank').describe('what is read from the graphs: a score per candidate'),
  ...rankingDataOptions,
  ...judged,
  folds: judged.folds.describe('hold out this many parts of the databases instead of one database at a time'),
  model: withDefaults(rankerModelOptions, rankerNetwork).describe('the network'),
  // A fixed number of epochs: with few databases, one held out for early stopping is missed more than it helps.
  training: withDefaults(trainingOptions, { epochs: 16, ...gently, validationSplit: 0 }).describe('how it is trained in each fold'),
})
export type EvaluateRankerOptions = z.output<typeof evaluateRankerOptions>

const common = {
  ...graphDataOptions,
  ...judged,
  folds: judged.folds.describe('hold out this many parts of the groups (default 5, or one group at a time where there are fewer)'),
  training: withDefaults(trainingOptions, readoutTraining).describe(
    'how it is trained in each fold; validationSplit of the groups that are not held out say when to stop',
  ),
}
const answers = (readout: 'node' | 'graph' | 'sequence') => z.literal(readout).describe('what is read from a graph')
const evaluateReadoutOptions = [
  z.strictObject({ readout: answers('node') as z.ZodLiteral<'node'>, ...common, model: readoutModels.node }),
  z.strictObject({ readout: answers('graph') as z.ZodLiteral<'graph'>, ...common, model: readoutModels.graph }),
  z.strictObject({ readout: answers('sequence') as z.ZodLiteral<'sequence'>, ...common, model: readoutModels.sequence }),
] as const
export type EvaluateReadoutOptions = z.output<(typeof evaluateReadoutOptions)[number]>

/** Options of an `evaluate` run, by its read-out. None is needed to judge rankers; the other read-outs need a dataset version of their kind. */
export const evaluateOptions = z.discriminatedUnion('readout', [evaluateRankerOptions, ...evaluateReadoutOptions])
export type EvaluateOptions = z.output<typeof evaluateOptions>
