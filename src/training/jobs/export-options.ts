import { z } from 'zod'

/** How a trained model is exported. */
export const exportOptions = z.strictObject({
  int8: z
    .enum(['required', 'if-passed', 'off'])
    .default('if-passed')
    .describe('int8 files beside the fp32 ones: only where they pass their gate, or nothing is published where they do not, or none'),
  int8MaxDrop: z.number().min(0).max(1).default(0.01).describe("how much of the task's metric int8 may lose, relative to fp32"),
})
