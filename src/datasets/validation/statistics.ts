import type { RowFacts, Survey } from './survey.js'

export interface DatasetStatistics {
  rows: number
  /** of texts in characters; null without text */
  textLength: { mean: number; min: number; max: number } | null
  /** null where no row has one */
  meanConfidence: number | null
  /** label set -> its labels with their rows, the most frequent first, and how many there are */
  labels: Record<string, { distinct: number; counts: { label: string; rows: number }[] }>
  /** source -> rows */
  sources: Record<string, number>
  /** rows whose text is nearly that of an earlier one */
  nearDuplicates: number
}

/** labels listed a set */
const listed = 200

/** Gathers what a validation report tells of the rows as a whole. */
export class StatisticsGatherer {
  private texts = 0
  private characters = 0
  private shortest = Number.POSITIVE_INFINITY
  private longest = 0
  private confidence = 0
  private confident = 0
  private readonly sources = new Map<string, number>()

  add({ row, text }: RowFacts): void {
    if (text !== null) {
      this.texts++
      this.characters += text.length
      this.shortest = Math.min(this.shortest, text.length)
      this.longest = Math.max(this.longest, text.length)
    }
    if (typeof row['confidence'] === 'number') {
      this.confidence += row['confidence']
      this.confident++
    }
    const { source } = row
    // there are a handful; free text in its place would be an error of every row
    if (typeof source === 'string' && (this.sources.has(source) || this.sources.size < 100))
      this.sources.set(source, (this.sources.get(source) ?? 0) + 1)
  }

  statistics(survey: Survey): DatasetStatistics {
    const labels = [...survey.labels.keys()].sort().map((set) => {
      const counts = survey.countsOf(set)
      return [set, { distinct: counts.length, counts: counts.slice(0, listed).map(([label, rows]) => ({ label, rows })) }] as const
    })
    return {
      rows: survey.rows,
      textLength: this.texts === 0 ? null : { mean: this.characters / this.texts, min: this.shortest, max: this.longest },
      meanConfidence: this.confident === 0 ? null : this.confidence / this.confident,
      labels: Object.fromEntries(labels),
      sources: Object.fromEntries(this.sources),
      nearDuplicates: survey.texts?.countDuplicates() ?? 0,
    }
  }
}
