import type { EdgeLabel, JsonValue, NodeKind, Properties } from '../../vocabulary.js'
import { partsOfId } from '../resolve/scope.js'
import { type StartLogic, type Waited, waitedKey } from './start-logic.js'

/** A condition that a job or folder adds or deletes. */
export interface ConditionSet {
  condition: string
  /** normalised, as of a wait */
  odate: string
  sign: '+' | '-'
  /** the code of the ON … that it hangs on; '' for one that always happens */
  on: string
}

/** A job, or a folder with conditions of its own: what waits, starts and sets. */
export interface Step extends StartLogic {
  /** catalog id */
  id: string
  kind: 'job' | 'folder'
  name: string
  /** qualified name */
  path: string
  /** id of the folder around it, where it has one */
  folder: string | null
  sets: readonly ConditionSet[]
  /** it may run more than once a day */
  isCyclic: boolean
}

/** The slice of a node that steps are told from: a fact of a source, or a node of the ledger. */
export interface StepNode {
  id: string
  kind: NodeKind
  name: string
  qualifiedName: string
  properties: Properties
}

export interface StepEdge {
  sourceId: string
  label: EdgeLabel
  targetId: string
  properties: Properties
}

/** What `workflowOf` reads. */
export const stepKinds = ['ControlMJob', 'ControlMFolder'] as const satisfies readonly NodeKind[]
export const stepLabels = ['BLOCKS', 'RELEASES', 'CLEARS', 'CONTAINS'] as const satisfies readonly EdgeLabel[]

/** Does a condition of this day satisfy a wait of the run's own day? One of another day ties no two jobs of one run together. */
export const isSameDay = (odate: string): boolean => odate === 'run-date' || odate === 'any'

/**
 * The properties that keep what BLOCKS edges cannot: how several waits belong together. None where all of them are needed; of `a or (a
 * and b)` only `a` is.
 */
export function startProperties({ alternatives, isExact }: StartLogic, waits: readonly Waited[]): Properties {
  const written: JsonValue = alternatives.map((a) => a.map(({ condition, odate }) => ({ condition, odate })))
  const isPlain = alternatives.length === 1 && alternatives[0]!.length === new Set(waits.map(waitedKey)).size
  return { ...(isPlain ? {} : { start_when: written }), ...(isExact ? {} : { start_is_lenient: true }) }
}

/** The jobs and folders of Control-M facts (of any number of files, or of the ledger), in the order of their nodes. */
export function workflowOf(nodes: Iterable<StepNode>, edges: Iterable<StepEdge>): Step[] {
  const steps = new Map<string, Step & { alternatives: Waited[][]; sets: ConditionSet[] }>()
  const starts = new Map<string, Waited[][]>()
  for (const node of nodes) {
    if ((node.kind !== 'ControlMJob' && node.kind !== 'ControlMFolder') || steps.has(node.id)) continue
    const { id, name, qualifiedName: path, properties } = node
    const [isCyclic, isExact] = [properties['cyclic'] === true, properties['start_is_lenient'] !== true]
    const kind = node.kind === 'ControlMJob' ? 'job' : 'folder'
    steps.set(id, { id, kind, name, path, folder: null, sets: [], alternatives: [[]], isCyclic, isExact })
    const alternatives = readAlternatives(properties['start_when'])
    if (alternatives) starts.set(id, alternatives)
  }
  for (const edge of edges) addEdge(steps, edge)
  for (const [id, alternatives] of starts) steps.get(id)!.alternatives = alternatives
  return [...steps.values()]
}

type OpenStep = Step & { alternatives: Waited[][]; sets: ConditionSet[] }

function addEdge(steps: ReadonlyMap<string, OpenStep>, { sourceId, label, targetId, properties }: StepEdge): void {
  const odate = String(properties['odate'] ?? 'run-date')
  if (label === 'BLOCKS') steps.get(targetId)?.alternatives[0]?.push({ condition: conditionName(sourceId), odate })
  else if (label === 'RELEASES' || label === 'CLEARS')
    steps.get(sourceId)?.sets.push({
      condition: conditionName(targetId),
      odate,
      sign: label === 'RELEASES' ? '+' : '-',
      on: String(properties['on'] ?? ''),
    })
  else if (label === 'CONTAINS') {
    const inner = steps.get(targetId)
    if (inner && steps.has(sourceId)) inner.folder = sourceId
  }
}

const conditionName = (id: string): string => partsOfId(id)?.qualifiedName ?? id

/** The property `start_when`; undefined where it is not there or of another shape. */
function readAlternatives(value: JsonValue | undefined): Waited[][] | undefined {
  if (!Array.isArray(value)) return undefined
  const alternatives = value.map((a) => (Array.isArray(a) ? a.map(readWaited) : []))
  return alternatives.every((a) => a.every((w) => w !== undefined)) ? (alternatives as Waited[][]) : undefined
}

function readWaited(value: JsonValue): Waited | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined
  const { condition, odate } = value
  return typeof condition === 'string' && typeof odate === 'string' ? { condition, odate } : undefined
}

/** Every condition that a step waits for, in any alternative, each once. */
export const waitsOf = ({ alternatives }: Pick<Step, 'alternatives'>): Waited[] =>
  alternatives.length === 1 ? alternatives[0]! : [...new Map(alternatives.flat().map((w) => [`${w.odate}\n${w.condition}`, w])).values()]
