import type { Estate } from '../links/estate.js'

/** A table without names: what its columns are, in order, and how many keys lead out of it and into it. */
export interface AnonymousTable {
  columns: { type: string; isKey: boolean; isReference: boolean; nullable: boolean | null }[]
  references: number
  referencedBy: number
}

/** A table and those around it, all without names. */
export interface AnonymousRole {
  table: AnonymousTable
  references: AnonymousTable[]
  referencedBy: AnonymousTable[]
}

/** What is asked, without its answer. */
export type Question =
  /** what base type has this column? */
  | { ask: 'column-type'; columnId: string; column: string; tableId: string; ordinal: number | null }
  /** by which two labels, `FIRST>SECOND`, does one walk from the source over the middle to the target? */
  | { ask: 'two-hops'; sourceId: string; sourceKind: string; middleId: string; middleKind: string; targetId: string; targetKind: string }
  /** which of these tables has in its project the part that this one has in another? */
  | { ask: 'role'; role: AnonymousRole; candidates: string[] }

export const levels = [1, 2, 3, 4, 5] as const
export type Level = (typeof levels)[number]

export const levelNames: Record<Level, string> = {
  1: 'pattern recognition',
  2: 'generalization',
  3: 'compositional reasoning',
  4: 'transfer',
  5: 'abstract reasoning',
}

/** A question whose answer is known because it was held out. */
export interface TestCase {
  id: string
  level: Level
  /** cases of one group resemble each other: of one table, one composition, one pair of projects */
  group: string
  /** name of the estate, among the visible ones, that may be learned from to answer it */
  from: string
  question: Question
  expected: string
  /** what the majority baseline answers: the commonest answer */
  majority: string
  /** answers that the random baseline chooses from */
  choices: number
}

export interface DomainTestCases {
  cases: TestCase[]
  /** what may be learned from: estates by name, everything that is asked held out of them */
  visible: Record<string, Estate>
  /** what stood for projects in transfer and abstract reasoning: the projects, or where there is only one its databases */
  domains: 'project' | 'database'
  /** the pattern set that the cases were made beside */
  patternSetId: string | null
}

/** Answers a question from the estate that may be learned from; null: it has no answer. It is never told what is expected. */
export type Predictor = (question: Question, visible: Estate) => string | null | Promise<string | null>

/** Asks every case; the predictor gets the question and what may be learned from, nothing else. */
export async function askCases({ cases, visible }: DomainTestCases, predict: Predictor): Promise<Record<string, string | null>> {
  const answers: Record<string, string | null> = {}
  for (const { id, question, from } of cases) answers[id] = await predict(structuredClone(question), visible[from]!)
  return answers
}
