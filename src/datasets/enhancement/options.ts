import { z } from 'zod'
import { EspalierError } from '../../util/error.js'

/** What is done to a dataset. Steps that are named are done, in this order; `{}` takes a step with its defaults. */
export const enhancementOptions = z.strictObject({
  clean: z
    .strictObject({
      trim: z.boolean().default(true).describe('white space off both ends'),
      collapse: z.boolean().default(true).describe('runs of white space to one space'),
      control: z.boolean().default(true).describe('control characters off'),
    })
    .optional()
    .describe('clean texts; entity spans move along'),
  spans: z.strictObject({}).optional().describe('move an entity whose span holds other text to where its text stands, if that is once'),
  confidence: z
    .strictObject({
      percent: z.boolean().default(false).describe('read 1 to 100 as a percentage instead of as too high'),
    })
    .optional()
    .describe('bring confidences within 0..1'),
  duplicates: z
    .strictObject({
      policy: z
        .enum(['first', 'majority', 'highest-confidence', 'drop'])
        .default('first')
        .describe('which row of those with one text stays where their labels differ; drop: none. Where they agree, the first stays'),
      similarity: z
        .number()
        .min(0.5)
        .max(1)
        .default(1)
        .describe('Jaccard similarity of character 5-grams from which texts are one text; 1: equal but for case and white space'),
    })
    .optional()
    .describe('remove rows whose text was there before (case and white space aside)'),
  balance: z
    .strictObject({
      by: z.string().optional().describe('label set (default: intent, or relation)'),
      method: z
        .enum(['median', 'min', 'max-ratio', 'oversample', 'weights'])
        .default('median')
        .describe(
          'hold classes to the median or the smallest one, or to ratio times the smallest; copy rows up to the largest; or weights alone',
        ),
      ratio: z.number().min(1).default(5).describe('of max-ratio'),
    })
    .optional()
    .describe('make classes of more equal size; rows that have no label of the set stay'),
  enrich: z
    .strictObject({
      measures: z.boolean().default(true).describe('text_length, word_count and entity_count into metadata'),
      set: z.record(z.string(), z.json()).default({}).describe('members to set in the metadata of every row'),
    })
    .optional()
    .describe('add to the metadata of labeled text'),
  seed: z.int().default(0).describe('of what is drawn at random'),
  maxListed: z.int().min(0).max(1_000_000).default(10_000).describe('changes, and dropped rows, that are listed; all are counted'),
})
export type EnhancementOptions = z.output<typeof enhancementOptions>
export type EnhancementOptionsInput = z.input<typeof enhancementOptions>

/** Options with their defaults; BAD_INPUT says what does not fit. */
export function parseEnhancementOptions(given: unknown): EnhancementOptions {
  const parsed = enhancementOptions.safeParse(given)
  if (parsed.success) return parsed.data
  throw new EspalierError('BAD_INPUT', `options of the enhancement: ${z.prettifyError(parsed.error)}`)
}
