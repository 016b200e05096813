import { z } from 'zod'

export const splitMethods = ['random', 'stratified', 'group', 'time'] as const
export type SplitMethod = (typeof splitMethods)[number]

const defaultParts: Readonly<Record<number, readonly string[]>> = { 2: ['train', 'test'], 3: ['train', 'validation', 'test'] }

/** Ratios are compared with 1 up to this: .7 + .2 + .1 is not 1 in floating point. */
const tolerance = 1e-9

const moment = z.union([z.iso.datetime({ offset: true, local: true }), z.iso.date()])

/** How a version is split. None is needed: a tenth each is held for validation and for the test, at random. */
export const splitOptions = z
  .strictObject({
    method: z
      .enum(splitMethods)
      .default('random')
      .describe('random; stratified: each value of `by` in the same shares; group: rows of one `by` together; time: oldest first'),
    ratios: z.array(z.number().positive().max(1)).min(2).max(16).default([0.8, 0.1, 0.1]).describe('share of each part; together 1'),
    parts: z
      .array(z.string().regex(/^[a-z][a-z0-9_-]{0,39}$/, 'expected lower-case letters, digits, "_" or "-", a letter first'))
      .optional()
      .describe('names of the parts; default train, test for two, train, validation, test for three'),
    seed: z.int().default(0).describe('the same seed and rows give the same parts'),
    by: z
      .string()
      .min(1)
      .optional()
      .describe('field that decides (`a.b` reaches into objects); default the first label set, the group, or the moment of the kind'),
    byContent: z
      .boolean()
      .default(false)
      .describe('random and group: a hash of the text (or of the group) decides, so that growth moves no row; shares then hold on average'),
    cutoffs: z.array(moment).optional().describe('time: the moments at which the second and later parts begin, instead of ratios'),
    group: z
      .string()
      .min(1)
      .optional()
      .describe('field whose values must not be in two parts: leakage is reported (default: that of group)'),
    time: z.string().min(1).optional().describe('field by which no part may reach into an earlier one: leakage is reported'),
  })
  .superRefine((options, context) => {
    for (const message of contradictions(options)) context.addIssue({ code: 'custom', message })
  })
  .transform((options) => ({ ...options, parts: options.parts ?? [...defaultParts[options.ratios.length]!] }))
export type SplitOptions = z.output<typeof splitOptions>

interface Given {
  method: SplitMethod
  ratios: number[]
  parts?: string[] | undefined
  byContent: boolean
  cutoffs?: string[] | undefined
}

function* contradictions({ method, ratios, parts, byContent, cutoffs }: Given): Generator<string> {
  const sum = ratios.reduce((a, b) => a + b, 0)
  if (Math.abs(sum - 1) > tolerance) yield `ratios: found ${ratios.join(' + ')} = ${sum}, expected a sum of 1`
  if (parts ? parts.length !== ratios.length : !defaultParts[ratios.length])
    yield `parts: found ${parts?.length ?? 0} names for ${ratios.length} ratios, expected as many`
  if (parts && new Set(parts).size < parts.length) yield `parts: found ${parts.join(', ')}, expected different names`
  if (byContent && (method === 'stratified' || method === 'time'))
    yield `byContent: found it with the method ${method}, expected random or group${method === 'time' ? '; cutoffs keep a split by time as it is' : ''}`
  if (cutoffs && method !== 'time') yield `cutoffs: found them with the method ${method}, expected time`
  if (cutoffs && cutoffs.length !== ratios.length - 1) yield `cutoffs: found ${cutoffs.length}, expected one fewer than there are parts`
  if (cutoffs?.some((cutoff, i) => i > 0 && Date.parse(cutoff) <= Date.parse(cutoffs[i - 1]!)))
    yield 'cutoffs: expected each to be later than the one before'
}
