import type { JsonValue, Properties } from '../vocabulary.js'
import type { Manifest } from './manifest.js'

export interface MetricDifference {
  name: string
  before: number | null
  after: number | null
  /** after - before; null where one has it not */
  change: number | null
}

export interface OptionDifference {
  /** place in the model's options, or in those of the run: `hidden`, `training.learningRate` */
  path: string
  /** null where one has it not */
  before: JsonValue
  after: JsonValue
}

export interface FileDifference {
  path: string
  kind: 'added' | 'removed' | 'changed'
  /** bytes; null where there is none */
  before: number | null
  after: number | null
}

/** What tells two artifacts apart. */
export interface ArtifactDiff {
  before: string
  after: string
  /** every metric of either, also equal ones: they are what one looks at first */
  metrics: MetricDifference[]
  options: OptionDifference[]
  /** dataset, run, feature spec, model: what each was made from, where it differs */
  data: OptionDifference[]
  files: FileDifference[]
}

const sortedUnion = (...records: readonly object[]): string[] => [...new Set(records.flatMap((record) => Object.keys(record)))].sort()
const own = <T>(record: Readonly<Record<string, T>>, key: string): T | null => (Object.hasOwn(record, key) ? record[key]! : null)

/** Nested options as paths: `{ a: { b: 1 } }` -> `a.b`. Lists are values. */
function flatten(value: JsonValue, prefix = ''): Record<string, JsonValue> {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return { [prefix]: value }
  return Object.assign({}, ...Object.entries(value).map(([key, inner]) => flatten(inner, prefix ? `${prefix}.${key}` : key)))
}

function compareValues(before: Record<string, JsonValue>, after: Record<string, JsonValue>): OptionDifference[] {
  return sortedUnion(before, after)
    .map((path) => ({ path, before: own(before, path), after: own(after, path) }))
    .filter((row) => JSON.stringify(row.before) !== JSON.stringify(row.after))
}

function compareFiles(before: Manifest['files'], after: Manifest['files']): FileDifference[] {
  const [left, right] = [before, after].map((files) => new Map(files.map((file) => [file.path, file]))) as [
    Map<string, Manifest['files'][number]>,
    Map<string, Manifest['files'][number]>,
  ]
  return [...new Set([...left.keys(), ...right.keys()])].sort().flatMap((path): FileDifference[] => {
    const [a, b] = [left.get(path), right.get(path)]
    if (a?.sha256 === b?.sha256) return []
    return [{ path, kind: !a ? 'added' : !b ? 'removed' : 'changed', before: a?.size ?? null, after: b?.size ?? null }]
  })
}

const dataOf = ({ dataset, run_id: run, feature_spec_hash: features, model, opset, producer }: Manifest): Record<string, JsonValue> => ({
  'dataset.version_id': dataset?.version_id ?? null,
  'dataset.hash': dataset?.hash ?? null,
  run_id: run,
  feature_spec_hash: features,
  model: model.name,
  opset,
  ...Object.fromEntries(Object.entries(producer).map(([tool, version]) => [`producer.${tool}`, version])),
})

/** Options of the runs that made two artifacts; null where a run is unknown. */
export interface RunOptions {
  before: Properties | null
  after: Properties | null
}

/** What a model was made with: its own options, and what the run was asked for besides. */
function optionsOf({ model }: Manifest, run: Properties | null): Record<string, JsonValue> {
  const { model: _, ...asked } = run ?? {}
  return { ...flatten(asked), ...flatten(model.options as JsonValue) }
}

/** Metrics side by side, and the options, the data and the files that differ. Options of runs count where both are known. */
export function diffManifests(before: Manifest, after: Manifest, runs: RunOptions = { before: null, after: null }): ArtifactDiff {
  const [asked, askedThen] = runs.before && runs.after ? [runs.before, runs.after] : [null, null]
  const metrics = sortedUnion(before.metrics, after.metrics).map((name): MetricDifference => {
    const [a, b] = [own(before.metrics, name), own(after.metrics, name)]
    return { name, before: a, after: b, change: a === null || b === null ? null : b - a }
  })
  return {
    before: `${before.component}@${before.version}`,
    after: `${after.component}@${after.version}`,
    metrics,
    options: compareValues(optionsOf(before, asked), optionsOf(after, askedThen)),
    data: compareValues(dataOf(before), dataOf(after)),
    files: compareFiles(before.files, after.files),
  }
}
