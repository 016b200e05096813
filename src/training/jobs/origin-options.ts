import { z } from 'zod'

/** From where a run goes on, where it does not begin anew. */
export const resumeOption = z
  .string()
  .min(1)
  .optional()
  .describe(
    'a checkpoint to go on from: `latest` (of the last run that has the options given here), a run id (its newest), or run@step; what is not given is as that run had it',
  )

/** History from Glean as further examples: links that exports of the last days tell of and the catalog does not have. */
export const gleanHistoryOptions = z.strictObject({
  enable: z.boolean().default(false).describe('whether history is read'),
  projectId: z.string().min(1).optional().describe('project whose exports are read; default the first of the projects'),
  systemId: z.string().min(1).optional().describe('one system of it; default all'),
  daysBack: z.int().min(1).max(36_500).default(30).describe('exports of so many days'),
  outputDir: z.string().min(1).optional().describe("folder on the worker's machine that the five files are written to besides"),
})
export type GleanHistoryOptions = z.output<typeof gleanHistoryOptions>

/** A stored split of the dataset version, in place of one that is drawn for the run. */
export const splitOption = z
  .string()
  .min(1)
  .optional()
  .describe(
    'a stored split of the dataset version: its part train is learned from, validation is judged on; default: whole groups are held out',
  )
