import { recordKind } from '../records/index.js'
import { samenessOf, samenessThreshold } from '../records/record-kind.js'
import { NearTexts } from '../similarity/near-texts.js'
import type { EnhancementOptions } from './options.js'
import type { NumberedRow, Step } from './step.js'

type Policy = NonNullable<EnhancementOptions['duplicates']>['policy']

interface Member {
  number: number
  labels: number
  confidence: number
}

/** Which of rows with one text and different labels stays; null: none. */
const keeps: Record<Policy, (members: readonly Member[]) => Member | null> = {
  first: (members) => members[0]!,
  majority: (members) => {
    const votes = new Map<number, number>()
    for (const { labels } of members) votes.set(labels, (votes.get(labels) ?? 0) + 1)
    const most = Math.max(...votes.values())
    return members.find(({ labels }) => votes.get(labels) === most)!
  },
  'highest-confidence': (members) => members.reduce((best, member) => (member.confidence > best.confidence ? member : best)),
  drop: () => null,
}

/** conflicts that are listed */
const listed = 1000

/** Rows by what makes them the same. Of every row there are a few numbers; groups are made where a second row comes. */
class Groups {
  private readonly texts: NearTexts
  private readonly numbers: number[] = []
  private readonly labels: number[] = []
  private readonly confidences: number[] = []
  private readonly names: string[] = []
  private readonly known = new Map<string, number>()

  constructor(similarity: number) {
    this.texts = new NearTexts({ threshold: similarity })
  }

  add(same: string, number: number, labels: string, confidence: number): void {
    let known = this.known.get(labels)
    if (known === undefined) {
      this.known.set(labels, (known = this.names.length))
      this.names.push(labels)
    }
    this.texts.add(same)
    this.numbers.push(number)
    this.labels.push(known)
    this.confidences.push(confidence)
  }

  nameOf(labels: number): string {
    return this.names[labels]!
  }

  private member(row: number): Member {
    return { number: this.numbers[row - 1]!, labels: this.labels[row - 1]!, confidence: this.confidences[row - 1]! }
  }

  /** groups of two rows or more, each in order */
  several(): Iterable<readonly Member[]> {
    const groups = new Map<number, Member[]>()
    for (const { row } of this.texts.duplicates()) {
      const head = this.texts.headOf(row)
      const members = groups.get(head)
      if (members) members.push(this.member(row))
      else groups.set(head, [this.member(head), this.member(row)])
    }
    return groups.values()
  }
}

export const duplicates: Step = {
  name: 'duplicates',
  start({ duplicates: options }, kind) {
    const record = recordKind(kind)
    if (!options || !record.text) return null
    /** row that goes -> the row that stays for it (0: none) */
    const dropped = new Map<number, number>()
    const conflicts: { rows: number[]; labels: string[]; kept: number | null }[] = []
    let [groupCount, conflictCount] = [0, 0]

    const decide = (members: readonly Member[], groups: Groups) => {
      groupCount++
      const isConflict = members.some(({ labels }) => labels !== members[0]!.labels)
      const kept = isConflict ? keeps[options.policy](members) : members[0]!
      for (const member of members) if (member !== kept) dropped.set(member.number, kept?.number ?? 0)
      if (!isConflict || ++conflictCount > listed) return
      conflicts.push({
        rows: members.slice(0, listed).map(({ number }) => number),
        labels: members.slice(0, listed).map(({ labels }) => groups.nameOf(labels)),
        kept: kept?.number ?? null,
      })
    }

    return {
      async plan(rows) {
        const groups = new Groups(samenessThreshold(record, options.similarity))
        for await (const { number, row } of rows) {
          const labels = record.labels?.(row) ?? {}
          const classes = Object.keys(labels).filter((set) => set !== 'entity' && set !== 'persona')
          const told = classes.map((set) => `${set}: ${labels[set]!.join(', ')}`).join('; ')
          groups.add(samenessOf(record, row), number, told, typeof row['confidence'] === 'number' ? row['confidence'] : 1)
        }
        for (const members of groups.several()) decide(members, groups)
      },
      open: () => (row: NumberedRow, report) => {
        const kept = dropped.get(row.number)
        if (kept === undefined) return [row]
        report.dropped(row, kept === 0 ? 'other rows like it have other labels' : `the same as row ${kept}`)
        return []
      },
      details: () => ({ groups: groupCount, conflicts: conflictCount, listed: conflicts }),
    }
  },
}
