import { z } from 'zod'
import { conditionSchema } from './condition.js'

const mapping = z.record(z.string(), z.string())

/** What a version is made of another by. Done in this order: merge, filter, drop, mappings, confidence, sample. */
export const modificationsSchema = z.strictObject({
  merge: z.array(z.string()).default([]).describe('ids of versions whose rows are added; rows with equal content come in once'),
  filter: z.array(conditionSchema).default([]).describe('rows are kept where all of these hold'),
  drop: z.array(z.string()).default([]).describe('rows left out, by id or content hash'),
  intent_mapping: mapping.default({}).describe('intent -> what it becomes'),
  sentiment_mapping: mapping.default({}).describe('sentiment -> what it becomes'),
  label_mapping: z
    .record(z.string(), mapping)
    .default({})
    .describe('label set (intent, sentiment, persona, entity, relation) -> label -> what it becomes'),
  confidence_adjustment: z
    .union([z.number(), z.strictObject({ multiply: z.number().default(1), add: z.number().default(0) })])
    .optional()
    .describe('added to the confidence of every row (a number), or multiplied and added; then held within 0..1'),
  sample: z
    .strictObject({
      size: z.int().min(0).optional().describe('rows to keep'),
      share: z.number().min(0).max(1).optional().describe('share of the rows to keep'),
      seed: z.int().default(0),
    })
    .refine(({ size, share }) => (size === undefined) !== (share === undefined), { message: 'expected either size or share' })
    .optional()
    .describe('rows drawn at random; they keep their order'),
})
export type Modifications = z.output<typeof modificationsSchema>
export type ModificationsInput = z.input<typeof modificationsSchema>
