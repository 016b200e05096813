import type { Step } from './step.js'

export const confidence: Step = {
  name: 'confidence',
  start({ confidence: options }, kind) {
    if (!options || kind !== 'labeled-text') return null
    return {
      open:
        () =>
        ({ number, row }, report) => {
          const { confidence: before } = row
          if (typeof before !== 'number' || (before >= 0 && before <= 1)) return [{ number, row }]
          const isPercent = options.percent && before > 1 && before <= 100
          const after = isPercent ? before / 100 : Math.min(1, Math.max(0, before))
          report.changed(number, 'confidence', before, after, isPercent ? 'a percentage' : 'outside 0..1')
          return [{ number, row: { ...row, confidence: after } }]
        },
    }
  },
}
