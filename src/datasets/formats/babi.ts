import type { GraphExample } from '../../models/graphs/graph-example.js'
import { type Problem, problem } from '../../util/problem.js'

/** One question about a graph of bAbI, as the file numbers it: nodes, edge types, question types and labels from 1. */
export interface BabiQuestion {
  /** of the question in its file, from 1 */
  line: number
  /** [source, edge type, target] */
  edges: readonly (readonly [number, number, number])[]
  type: number
  arguments: readonly number[]
  answer: readonly number[]
}

export interface BabiFile {
  questions: BabiQuestion[]
  problems: Problem[]
}

/**
 * Reads graphs in the form of Li et al. (2016): lines `source type target`, then questions `? type argument … answer …`, a blank line
 * after each graph. How many numbers of a question are arguments must be known: `argumentCount`. A line with an error is reported and
 * left out; a question whose graph has such a line still counts.
 */
export function parseBabi(text: string, argumentCount: number, file = 'text 1'): BabiFile {
  const questions: BabiQuestion[] = []
  const problems: Problem[] = []
  let edges: [number, number, number][] = []
  let isAsked = false
  text.split('\n').forEach((row, i) => {
    const line = i + 1
    const words = row.trim().split(/\s+/)
    const isQuestion = words[0] === '?'
    const numbers = words.slice(isQuestion ? 1 : 0).map(Number)
    const refuse = (code: string, expected: string) =>
      problems.push(problem({ code, where: `${file}:${line}`, found: row.trim(), expected }))
    // A blank line ends a graph, and so does the next graph's first edge.
    if (row.trim() === '' || (!isQuestion && isAsked)) {
      edges = []
      isAsked = false
    }
    if (row.trim() === '') return
    if (numbers.some((n) => !Number.isSafeInteger(n) || n < 1)) refuse('not-a-number', 'whole numbers from 1')
    else if (isQuestion) {
      isAsked = true
      if (numbers.length < 1 + argumentCount)
        refuse('question-too-short', `a question type and ${argumentCount} arguments, then the answer`)
      else {
        const [type, ...rest] = numbers as [number, ...number[]]
        questions.push({ line, edges, type, arguments: rest.slice(0, argumentCount), answer: rest.slice(argumentCount) })
      }
    } else if (numbers.length !== 3) refuse('not-an-edge', 'source, edge type and target')
    else edges.push(numbers as [number, number, number])
  })
  return { questions, problems }
}

/** How the numbers of a task are read. */
export interface BabiTask {
  readout: 'node' | 'graph' | 'sequence'
  /** nodes that a question names */
  arguments: number
  /** whether the answer is labels (classes), not nodes */
  answersLabels: boolean
  /** whether the answer is a walk: where it has come to is then told as observed annotations (`annotations` of the examples) */
  isWalk?: boolean
}

/** The tasks of the GGNN paper (section 5). */
export const babiTasks: Readonly<Record<string, BabiTask>> = {
  '4': { readout: 'node', arguments: 1, answersLabels: false },
  '15': { readout: 'node', arguments: 1, answersLabels: false },
  '16': { readout: 'node', arguments: 1, answersLabels: false },
  '18': { readout: 'graph', arguments: 2, answersLabels: true },
  '19': { readout: 'sequence', arguments: 2, answersLabels: true },
  'sequence-4': { readout: 'sequence', arguments: 2, answersLabels: false, isWalk: true },
  'sequence-5': { readout: 'sequence', arguments: 2, answersLabels: false },
}

/**
 * Questions as graph examples. Nodes are those that the graph, the question or its answer mention, in the order of their numbers. Node
 * features are the paper's annotations: one for each argument of each question type, 1 at the node that the question names there. A walk
 * has one feature more: after each output it is 1 at that node, and the walk's start (the first argument) is 0.
 * `questionTypes` is how many there are, in training and test alike.
 */
export function babiExamples(questions: readonly BabiQuestion[], task: BabiTask, questionTypes: number): GraphExample[] {
  return questions.map(({ line, edges, type, arguments: named, answer }) => {
    const answered = task.answersLabels ? [] : answer
    const nodes = [...new Set([...edges.flatMap(([source, , target]) => [source, target]), ...named, ...answered])].sort((a, b) => a - b)
    const place = new Map(nodes.map((node, i) => [node, i]))
    const columns = questionTypes * task.arguments
    const marks = named.map((node, i) => [place.get(node)!, (type - 1) * task.arguments + i] as const)
    const features = (marked: readonly (readonly [number, number])[]) =>
      nodes.map((_, v) =>
        Array.from({ length: columns + (task.isWalk ? 1 : 0) }, (_, c) => (marked.some(([at, of]) => at === v && of === c) ? 1 : 0)),
      )
    const target = task.answersLabels ? answer.map(String) : answer.map((node) => place.get(node)!)
    return {
      id: `line ${line}`,
      nodeFeatures: features(marks),
      edges: edges.map(([source, , to]) => [place.get(source)!, place.get(to)!] as const),
      edgeTypes: edges.map(([, edgeType]) => edgeType - 1),
      target: task.readout === 'sequence' ? (target as string[] | number[]) : target[0]!,
      ...(task.isWalk && { annotations: (target as number[]).map((node) => features([...marks.slice(1), [node, columns]])) }),
    }
  })
}
