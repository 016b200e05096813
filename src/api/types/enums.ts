import 'reflect-metadata'
import { registerEnumType } from 'type-graphql'
import { aliases } from '../../artifacts/store.js'
import { changeKinds } from '../../catalog/change.js'
import { annotationFields } from '../../catalog/people/annotation.js'
import { processingStrategies, qualityLevels } from '../../catalog/quality/quality.js'
import { searchFields } from '../../catalog/search/search.js'
import { deathReasons } from '../../catalog/workflow/workflow-report.js'
import { precisions } from '../../serving/session.js'
import { edgeLabels, nodeKinds, runKinds, runStates } from '../../vocabulary.js'

/** A closed list of the vocabulary as a GraphQL enum: `train-ggnn` is TRAIN_GGNN on the wire and `train-ggnn` inside. */
function enumOf<T extends string>(name: string, description: string, values: readonly T[], spell = upperSnake): Record<string, T> {
  const members = Object.fromEntries(values.map((value) => [spell(value), value]))
  registerEnumType(members, { name, description })
  return members
}
const upperSnake = (value: string) => value.toUpperCase().replace(/-/g, '_')
const asItIs = (value: string) => value

export const NodeKindEnum = enumOf('NodeKind', 'What a node of the catalog is; its label in Cypher.', nodeKinds, asItIs)
export const EdgeLabelEnum = enumOf('EdgeLabel', 'What an edge of the catalog says; its type in Cypher.', edgeLabels, asItIs)
export const RunKindEnum = enumOf('RunKind', 'What a run does.', runKinds)
export const RunStateEnum = enumOf('RunState', 'pending -> running -> completed | failed | cancelled; running <-> paused.', runStates)
export const RunControlEnum = enumOf('RunControl', 'What was asked of a running run; it obeys at its next step.', ['pause', 'cancel'])
export const LogLevelEnum = enumOf('LogLevel', 'How grave a line of a log is.', ['debug', 'info', 'warn', 'error'])
export const SeverityEnum = enumOf('ProblemSeverity', 'How grave a problem of an input is.', ['error', 'warning', 'info'])
export const DirectionEnum = enumOf('LineageDirection', 'Along the flow of data, against it, or both.', ['downstream', 'upstream', 'both'])
export const AliasEnum = enumOf('ArtifactAlias', 'A name that moves between the versions of a component.', aliases)
export const ChangeKindEnum = enumOf('ChangeKind', 'What became of a node or an edge.', changeKinds)
export const DifferenceEnum = enumOf('DifferenceKind', 'How something differs between two moments.', ['added', 'removed', 'changed'])
export const QualityLevelEnum = enumOf('QualityLevel', 'From .9, .7, .5, .3 upwards, else critical.', qualityLevels)
export const ProcessingStrategyEnum = enumOf('ProcessingStrategy', 'How much work the metadata deserves.', processingStrategies)
export const SearchFieldEnum = enumOf('SearchField', 'Where a search found something.', searchFields, (field) =>
  upperSnake(field.replace(/[A-Z]/g, (letter) => `_${letter}`)),
)
export const AnnotationFieldEnum = enumOf('AnnotationField', 'What people may say of a node.', annotationFields)
export const DeathReasonEnum = enumOf('DeathReason', 'Why a job can never start.', deathReasons)
export const PrecisionEnum = enumOf('Precision', 'What an exported model computes with.', precisions)
