import { z } from 'zod'
import { ingestOptions, scopeName } from './catalog/ingest-options.js'
import { trainRankerOptions } from './training/jobs/ranking-job.js'

/** What of a training is left to whoever asks for a pipeline: what it learns from, the pipeline decides. */
export const pipelineTraining = trainRankerOptions.pick({
  task: true,
  lists: true,
  model: true,
  training: true,
  export: true,
  component: true,
})

const runId = z.uuid()

/** Options of a `pipeline` run: everything from documents to an evaluated, exported model. Only the documents are needed. */
export const pipelineOptions = z.strictObject({
  ...ingestOptions.pick({ projectId: true, systemId: true, sources: true, complete: true, variables: true, defaultDatabase: true }).shape,
  observedAt: z.iso.datetime().optional().describe('when the documents were true; default asOf'),
  asOf: z.iso.datetime().optional().describe('as of when is learned; default observedAt, else when the run was asked for'),
  gleanDaysBack: z.int().min(1).max(36_500).default(30).describe('exports to Glean of so many days are read as history'),
  enableGlean: z.boolean().default(true).describe('whether history is read from Glean and metrics are written to it'),
  enableIntelligenceMetrics: z.boolean().default(true).describe('whether the evaluation asks the test cases of the five levels'),
  train: pipelineTraining.prefault({}).describe('what is learned, and how: task, lists, model, training, export, component'),
})
export type PipelineOptions = z.output<typeof pipelineOptions>

/** Options of a `glean-history` run: reads the history of a system from Glean, and keeps it with the run. */
export const gleanStepOptions = z.strictObject({
  projectId: scopeName,
  systemId: scopeName.optional().describe('one system of it; default all'),
  daysBack: z.int().min(1).max(36_500).default(30).describe('exports of so many days'),
})
export type GleanStepOptions = z.output<typeof gleanStepOptions>

/** Options of a `temporal-analysis` run: how the metadata of a project changes, and how well that could have been foreseen. */
export const temporalOptions = z.strictObject({
  projectId: scopeName,
  patternSetId: z.string().min(1).optional().describe('`<project>@<version>`: what was learned from its history; default the newest'),
  horizonDays: z.int().min(1).max(3_650).default(90).describe('days ahead that forecasts are held against what came'),
})
export type TemporalOptions = z.output<typeof temporalOptions>

/** Options of a `build-dataset` run: ranking data from the catalog as of a moment. */
export const buildDatasetOptions = z.strictObject({
  projectId: scopeName,
  asOf: z.iso.datetime().optional().describe('the moment whose catalog is read; default when the run was asked for'),
  gleanRunId: runId.optional().describe('the run that read history from Glean: its links are learned from besides'),
  train: pipelineTraining.prefault({}).describe('the training that it is for: task, lists, and the seed of training'),
})
export type BuildDatasetOptions = z.output<typeof buildDatasetOptions>

/** Options of an `evaluate-training` run. */
export const evaluateTrainingOptions = z.strictObject({
  projectId: scopeName,
  trainRunId: runId.describe('the training that is judged'),
  patternSetId: z.string().min(1).optional().describe('`<project>@<version>`: what was learned from its history; default the newest'),
  temporalRunId: runId.optional().describe('the temporal analysis that goes with it'),
  asOf: z.iso.datetime().optional().describe('the moment whose catalog test cases are made of; default when the run was asked for'),
  enableIntelligenceMetrics: z.boolean().default(true).describe('whether the test cases of the five levels are asked'),
  besideProjectIds: z
    .array(scopeName)
    .default([])
    .describe('other projects that cases are made of besides: transfer is then asked between projects, not between databases of the one'),
  seed: z.int().min(0).default(0).describe('of which facts are held out'),
})
export type EvaluateTrainingOptions = z.output<typeof evaluateTrainingOptions>

/** Options of an `export-metrics` run: an evaluation as a fact of Glean. */
export const exportMetricsOptions = z.strictObject({
  projectId: scopeName,
  systemId: scopeName,
  evaluationRunId: runId.describe('the evaluation that is exported'),
})
export type ExportMetricsOptions = z.output<typeof exportMetricsOptions>
