import { z } from 'zod'
import { ggnnGraphOptions } from '../../models/ggnn/ggnn-graph.js'
import { ggnnNodeOptions } from '../../models/ggnn/ggnn-node.js'
import { ggnnSequenceOptions } from '../../models/ggnn/ggnn-sequence.js'
import { trainingOptions } from '../options.js'
import { withDefaults } from './defaults.js'
import { exportOptions } from './export-options.js'
import { resumeOption, splitOption } from './origin-options.js'

/** What the data decides is not for the caller to say. */
const decided = { features: true, queryFeatures: true, edgeTypes: true } as const

/** The width and the rounds of the paper's tasks (Li et al. 2016, section 5), a little wider. */
const network = { hidden: 16, steps: 5 }
export const readoutTraining = { epochs: 100, learningRate: 1e-2, batchExamples: 10, monitor: 'validation_loss', patience: 30 } as const

/** The networks of the read-outs, as far as the data leaves it to the caller. */
export const readoutModels = {
  node: withDefaults(ggnnNodeOptions.omit(decided), network).describe('the network'),
  graph: withDefaults(ggnnGraphOptions.omit({ ...decided, labels: true }), network).describe('the network'),
  sequence: withDefaults(ggnnSequenceOptions.omit({ ...decided, labels: true, maxOutputs: true }), network).describe('the network'),
}

/** Where graph examples come from. */
export const graphDataOptions = {
  datasetVersionId: z
    .string()
    .min(1)
    .describe('the stored dataset version to learn from: its id, a name (its latest), name@1.2 or name@tag; see importDataset'),
  projectIds: z.array(z.string().min(1)).length(1).optional().describe('the project of that version; decided by it'),
}

const common = {
  ...graphDataOptions,
  split: splitOption,
  training: withDefaults(trainingOptions, readoutTraining).describe('how it is trained; the metric is accuracy'),
  export: exportOptions.prefault({}).describe('how it is exported'),
  resume: resumeOption,
}
const component = (name: string) => z.string().min(1).default(name).describe('what the artifact is published as')

/** Options of a `train-ggnn` run with a read-out other than `rank`. */
export const trainReadoutOptions = [
  z.strictObject({
    readout: z.literal('node').describe('what is read from a graph: one of its nodes'),
    ...common,
    model: readoutModels.node,
    component: component('node-selector'),
  }),
  z.strictObject({
    readout: z.literal('graph').describe('what is read from a graph: a label of it'),
    ...common,
    model: readoutModels.graph,
    component: component('graph-classifier'),
  }),
  z.strictObject({
    readout: z.literal('sequence').describe('what is read from a graph: a sequence of nodes or of labels'),
    ...common,
    model: readoutModels.sequence,
    component: component('sequence-writer'),
  }),
] as const
export type TrainReadoutOptions = z.output<(typeof trainReadoutOptions)[number]>
