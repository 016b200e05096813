import { z } from 'zod'

/** Options of a `learn-patterns` run. None is needed. */
export const learnPatternsOptions = z.strictObject({
  projectIds: z.array(z.string().min(1)).min(1).optional().describe('projects to learn from, a pattern set each; default every one'),
})
export type LearnPatternsOptions = z.output<typeof learnPatternsOptions>
