import { z } from 'zod'
import { interaction, polynomial, ratio } from './combining.js'
import { cyclical, dateParts } from './dates.js'
import { label, oneHot, ordinal } from './encoding.js'
import { filter } from './filter.js'
import type { AnyOperation } from './operation.js'
import { pca } from './pca.js'
import { impute, minMax, quantileScale, robust, zScore } from './scaling.js'
import { selectCorrelation, selectMutualInformation, selectVariance } from './selection.js'
import { targetEncode } from './target-encoding.js'

/** What can be done to the rows of a table: `op` -> how. A new operation is a file beside this one and a line here. */
export const operations = {
  filter,
  impute,
  'min-max': minMax,
  'z-score': zScore,
  robust,
  quantile: quantileScale,
  'one-hot': oneHot,
  label,
  ordinal,
  'target-encode': targetEncode,
  'date-parts': dateParts,
  cyclical,
  polynomial,
  interaction,
  ratio,
  'select-variance': selectVariance,
  'select-correlation': selectCorrelation,
  'select-mutual-information': selectMutualInformation,
  pca,
} as const satisfies Record<string, AnyOperation>
export type OperationName = keyof typeof operations
export const operationNames = Object.keys(operations) as [OperationName, ...OperationName[]]

export type OperationStep = { [Name in OperationName]: z.output<(typeof operations)[Name]['options']> }[OperationName]

/** The operation of a step, without what TypeScript knows of its options: they were parsed by its own schema. */
export const operationOf = (step: { op: OperationName }): AnyOperation => operations[step.op]

/** One step: `op`, and the options of that operation. */
export const operationStep: z.ZodType<OperationStep> = z.discriminatedUnion(
  'op',
  operationNames.map((name) => operations[name].options) as unknown as [z.ZodObject, ...z.ZodObject[]],
) as unknown as z.ZodType<OperationStep>
