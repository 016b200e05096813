import { balance } from './balance.js'
import { clean } from './clean.js'
import { confidence } from './confidence.js'
import { duplicates } from './duplicates.js'
import { enrich } from './enrich.js'
import { spans } from './spans.js'
import type { Step } from './step.js'

/** Every step, in the order in which they are done: texts are clean before they are compared, and rows are one before classes are counted. */
export const steps: readonly Step[] = [clean, spans, confidence, duplicates, balance, enrich]
