import type { JsonValue, Properties } from '../../vocabulary.js'
import { isObject } from '../records/record-kind.js'
import type { Survey } from '../validation/survey.js'
import type { ReportIssue, RuleRun } from './rule.js'

export interface Span {
  field: string
  text: string
  start: number
  end: number
}

const isSpan = (text: JsonValue | undefined, start: JsonValue | undefined, end: JsonValue | undefined): boolean =>
  typeof text === 'string' && Number.isInteger(start) && Number.isInteger(end)

function entities(row: Properties): Span[] {
  const list = row['expected_entities']
  if (!Array.isArray(list)) return []
  return list.flatMap((entity, i) => {
    const [text, , start, end] = Array.isArray(entity)
      ? entity
      : isObject(entity)
        ? [entity['text'], null, entity['start'], entity['end']]
        : []
    return isSpan(text, start, end) ? [{ field: `expected_entities[${i}]`, text, start, end } as Span] : []
  })
}

function related(row: Properties): Span[] {
  return ['entity1', 'entity2'].flatMap((field) => {
    const entity = row[field]
    if (!isObject(entity) || !isSpan(entity['text'], entity['start'], entity['end'])) return []
    return [{ field, text: entity['text'], start: entity['start'], end: entity['end'] } as Span]
  })
}

/** Reads the spans of a row that are well formed (the others are an error of their type); null for kinds without spans. */
export const spanReader = ({ kind }: Survey): ((row: Properties) => Span[]) | null =>
  kind === 'labeled-text' ? entities : kind === 'relation' ? related : null

export const isWithin = ({ start, end }: Span, text: string): boolean => start >= 0 && start < end && end <= text.length

/** A rule over the well-formed spans of each row, one after another. */
export function eachSpan(
  survey: Survey,
  report: ReportIssue,
  judge: (span: Span, text: string) => { message: string; suggestion?: string | undefined; fixable?: boolean } | null,
): RuleRun | null {
  const spans = spanReader(survey)
  return (
    spans && {
      row({ row, text, number, line }) {
        for (const span of spans(row)) {
          const { message, suggestion, fixable } = judge(span, text!) ?? {}
          if (message === undefined) continue
          report({ row: number, line, field: span.field }, message, { ...(fixable && { fixable }), ...(suggestion && { suggestion }) })
        }
      },
    }
  )
}
