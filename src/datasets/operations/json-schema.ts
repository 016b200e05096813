import { z } from 'zod'
import { splitOptions } from '../splits/options.js'
import { fittedOperations } from './fitted.js'
import { operationStep } from './index.js'

/** Options of a split, steps, and fitted steps as JSON Schema, as callers write them. */
export const operationsJsonSchema = (): unknown => ({
  title: 'Splits of dataset versions, and steps that are done to the rows of tables',
  $defs: {
    split: z.toJSONSchema(splitOptions, { io: 'input' }),
    step: z.toJSONSchema(operationStep, { io: 'input' }),
    fitted: z.toJSONSchema(fittedOperations, { io: 'input' }),
  },
})
