import { type Level, levelNames, levels, type TestCase } from '../../datasets/cases/case.js'
import { type Estimate, wilsonInterval } from '../../statistics/intervals.js'

export interface LevelScore {
  level: Level
  name: string
  asked: number
  /** tables, compositions or pairs of projects that the cases are of: cases of one resemble each other, so that few groups say less than the interval */
  groups: number
  answered: number
  correct: number
  /** correct / asked: unanswered is wrong. Null where nothing was asked. */
  score: Estimate | null
  /** what always giving the commonest answer, and choosing at random, would score */
  baselines: { majority: number | null; random: number | null }
  /** whether it counts: .7 at least, and every lower level too */
  isReached: boolean
}

export interface IntelligenceReport {
  levels: LevelScore[]
  /** the highest level that is reached, 0 to 5 */
  intelligenceLevel: 0 | Level
  /** .30 L1 + .25 L2 + .20 L3 + .15 L4 + .10 L5; a level that was not asked adds nothing */
  domainExpertise: number
}

/** From which score a level counts. */
export const passMark = 0.7
const weights: Record<Level, number> = { 1: 0.3, 2: 0.25, 3: 0.2, 4: 0.15, 5: 0.1 }

/** Answers by the ids of cases; a case that is missing is unanswered. */
export type Answers = Readonly<Record<string, string | null | undefined>>

const answerTo = (answers: Answers, id: string): string | null => (Object.hasOwn(answers, id) ? (answers[id] ?? null) : null)

const shareOf = (cases: readonly TestCase[], value: (one: TestCase) => number): number | null =>
  cases.length === 0 ? null : cases.reduce((sum, one) => sum + value(one), 0) / cases.length

function scoreLevel(level: Level, cases: readonly TestCase[], answers: Answers, isLowerReached: boolean): LevelScore {
  const own = cases.filter((one) => one.level === level)
  const correct = own.filter((one) => answerTo(answers, one.id) === one.expected).length
  const score = wilsonInterval(correct, own.length)
  return {
    level,
    name: levelNames[level],
    asked: own.length,
    groups: new Set(own.map((one) => one.group)).size,
    answered: own.filter((one) => answerTo(answers, one.id) !== null).length,
    correct,
    score,
    baselines: {
      majority: shareOf(own, (one) => (one.majority === one.expected ? 1 : 0)),
      random: shareOf(own, (one) => 1 / Math.max(1, one.choices)),
    },
    isReached: isLowerReached && score !== null && score.value >= passMark,
  }
}

/** Scores answers to the cases of the five levels. Wilson intervals at 95 %, which take cases as independent. */
export function scoreLevels(cases: readonly TestCase[], answers: Answers): IntelligenceReport {
  const scored: LevelScore[] = []
  for (const level of levels) scored.push(scoreLevel(level, cases, answers, scored.at(-1)?.isReached ?? true))
  return {
    levels: scored,
    intelligenceLevel: scored.filter((level) => level.isReached).at(-1)?.level ?? 0,
    domainExpertise: scored.reduce((sum, { level, score }) => sum + weights[level] * (score?.value ?? 0), 0),
  }
}

const number = (value: number | null | undefined) => (value === null || value === undefined ? '-' : value.toFixed(3))

/** The levels as a table for people. */
export function printLevels({ levels: scored, intelligenceLevel, domainExpertise }: IntelligenceReport): string {
  const head = ['', 'level', 'asked', 'groups', 'answered', 'correct', 'score', '95 %', 'majority', 'random', 'counts']
  const rows = scored.map(({ level, name, asked, groups, answered, correct, score, baselines, isReached }) => [
    ...[`L${level}`, name, String(asked), String(groups), String(answered), String(correct), number(score?.value)],
    ...[score ? `${number(score.low)}..${number(score.high)}` : '-', number(baselines.majority), number(baselines.random)],
    isReached ? 'yes' : 'no',
  ])
  const widths = head.map((_, c) => Math.max(...[head, ...rows].map((row) => row[c]!.length)))
  const lines = [head, ...rows].map((row) =>
    row
      .map((cell, c) => cell.padEnd(widths[c]!))
      .join('  ')
      .trimEnd(),
  )
  return `${lines.join('\n')}\nintelligence level ${intelligenceLevel}, domain expertise ${number(domainExpertise)}`
}
