import { classImbalance } from './class-imbalance.js'
import { confidenceRange } from './confidence-range.js'
import { emptyText } from './empty-text.js'
import { entityBounds } from './entity-bounds.js'
import { entityOverlap } from './entity-overlap.js'
import { entityText } from './entity-text.js'
import { labelConflicts } from './label-conflicts.js'
import { nearDuplicates } from './near-duplicates.js'
import { rareClasses } from './rare-classes.js'
import { repeatedIds } from './repeated-ids.js'
import { requiredLabels } from './required-labels.js'
import type { Rule } from './rule.js'
import { textLength } from './text-length.js'

/** Every rule, in the order of their reports. Types, missing fields and unknown values are the rule `types` (validation/validate.ts). */
export const rules: readonly Rule[] = [
  emptyText,
  requiredLabels,
  repeatedIds,
  entityBounds,
  entityText,
  entityOverlap,
  textLength,
  confidenceRange,
  nearDuplicates,
  labelConflicts,
  classImbalance,
  rareClasses,
]

/** What modules of the site have added (modules.ts). */
export const siteRules: Rule[] = []
