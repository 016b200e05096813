import { z } from 'zod'

/** Options of a `learn-patterns` run. None is needed. */
export const learnPatternsOptions = z.strictObject({
  projectIds: z.array(z.string().min(1)).min(1).optional().describe('projects to learn from, a pattern set each; default every one'),
  since: z.iso
    .datetime({ offset: true })
    .optional()
    .describe('moment from which on changes are learned; what stood then is where history begins. Default: all of history'),
  horizonDays: z.int().min(1).max(3_650).default(90).describe('days ahead that changes are forecast for'),
  enableGlean: z.boolean().default(true).describe('whether exports to Glean are looked at'),
  gleanDaysBack: z.int().min(1).max(36_500).default(30).describe('days of exports to Glean that are looked at'),
})
export type LearnPatternsOptions = z.output<typeof learnPatternsOptions>
