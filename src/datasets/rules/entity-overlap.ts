import type { Rule } from './rule.js'
import { isWithin, spanReader } from './spans.js'

export const entityOverlap: Rule = {
  name: 'entity-overlap',
  severity: 'error',
  description: 'Entity spans do not overlap, where the format to be written forbids it (option overlaps).',
  start(survey, report) {
    const spans = survey.kind === 'labeled-text' && survey.options.overlaps === 'forbidden' ? spanReader(survey) : null
    return (
      spans && {
        row({ row, text, number, line }) {
          const sorted = spans(row)
            .filter((span) => isWithin(span, text!))
            .sort((a, b) => a.start - b.start || b.end - a.end)
          let widest = sorted[0]
          for (const span of sorted.slice(1)) {
            if (span.start < widest!.end)
              report(
                { row: number, line, field: span.field },
                `the span ${span.start}..${span.end} overlaps ${widest!.start}..${widest!.end}`,
                {
                  suggestion: 'Keep one of the two, or write a format that carries overlaps (JSON, JSONL, CSV, Parquet).',
                },
              )
            if (span.end > widest!.end) widest = span
          }
        },
      }
    )
  },
}
