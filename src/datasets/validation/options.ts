import { z } from 'zod'
import { EspalierError } from '../../util/error.js'

/** What a dataset is held to; every option has a default. */
export const validationOptions = z.strictObject({
  requiredLabels: z
    .array(z.string())
    .optional()
    .describe('label sets that every row must have (default: what the import found; else intent and sentiment, or relation)'),
  minLength: z.int().min(0).default(5).describe('characters below which a text is told to be short'),
  maxLength: z.int().min(1).default(10_000).describe('characters above which a text is told to be long'),
  overlaps: z.enum(['allowed', 'forbidden']).default('allowed').describe('may entity spans overlap? CoNLL and spaCy cannot carry it'),
  similarity: z
    .number()
    .min(0.5)
    .max(1)
    .default(0.8)
    .describe('Jaccard similarity of character 5-grams from which texts are near-duplicates'),
  imbalance: z.number().min(1).default(5).describe('times that the largest class may be larger than the smallest'),
  rareClass: z.int().min(0).default(5).describe('rows below which a class is rare, in sets of ten times as many rows'),
  scoring: z.enum(['v2', 'classic']).default('v2').describe('which score is the quality score; both are told'),
  sample: z.int().min(0).max(50_000).default(5000).describe('rows, drawn at random, that label noise is estimated on'),
  seed: z.int().default(0).describe('of the draw'),
  maxIssues: z.int().min(0).max(100_000).default(1000).describe('issues that are listed; all are counted'),
})
export type ValidationOptions = z.output<typeof validationOptions>
export type ValidationOptionsInput = z.input<typeof validationOptions>

/** Options with their defaults; BAD_INPUT says what does not fit. */
export function parseValidationOptions(given: unknown): ValidationOptions {
  const parsed = validationOptions.safeParse(given ?? {})
  if (parsed.success) return parsed.data
  throw new EspalierError('BAD_INPUT', `options of the validation: ${z.prettifyError(parsed.error)}`)
}
