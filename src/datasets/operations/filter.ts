import { z } from 'zod'
import { compileConditions, conditionSchema } from '../versions/condition.js'
import type { Operation } from './operation.js'

const filterOptions = z
  .strictObject({
    op: z.literal('filter'),
    where: z.array(conditionSchema).min(1).optional().describe('rows are kept where all of these hold'),
    anyOf: z
      .array(z.array(conditionSchema).min(1))
      .min(1)
      .optional()
      .describe('rows are kept where all conditions of one of these lists hold'),
  })
  .refine(({ where, anyOf }) => (where === undefined) !== (anyOf === undefined), 'expected either where or anyOf')
type FilterOptions = z.output<typeof filterOptions>

const alternativesOf = ({ where, anyOf }: FilterOptions) => anyOf ?? [where!]

/** Keeps the rows that satisfy conditions; at serving too, where a row that does not gets no answer. */
export const filter: Operation<FilterOptions, null> = {
  options: filterOptions,
  reads: (options) => [...new Set(alternativesOf(options).flatMap((conditions) => conditions.map(({ field }) => field)))],
  changes: () => () => true,
  build(options) {
    const tests = alternativesOf(options).map(compileConditions)
    return (row) => tests.some((test) => test(row))
  },
}
