import { EspalierError } from '../../util/error.js'

/** The predicates that we write, in the order in which they stand in a batch file. */
export const predicates = ['ExportManifest', 'Node', 'Edge', 'TrainingMetrics'] as const
export type Predicate = (typeof predicates)[number]

export const predicateVersion = 1
export const defaultPrefix = 'agenticAiETH.ETL'

/** What a namespace of Angle may be: words joined by dots, the first of which begins with a lower-case letter. */
const namespace = /^[a-z][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*$/

/** Throws BAD_INPUT for a prefix that Angle could not read as a name: it stands in queries and schemas as it is. */
export function assertPrefix(prefix: string): void {
  if (namespace.test(prefix)) return
  throw new EspalierError('BAD_INPUT', `Glean: found the predicate prefix "${prefix.slice(0, 80)}", expected words joined by dots`, {
    remedy: `Set GLEAN_PREDICATE_PREFIX to a namespace such as ${defaultPrefix}; its first word begins with a lower-case letter.`,
  })
}

/** `agenticAiETH.ETL.Node.1` */
export function predicateName(prefix: string, predicate: Predicate): string {
  assertPrefix(prefix)
  return `${prefix}.${predicate}.${predicateVersion}`
}

/** The predicate behind a full name, whatever its namespace; null where it is none of ours in a version that we read. */
export function predicateOf(name: string): Predicate | null {
  const [, last, version] = /^(?:.*\.)?([A-Za-z]+)\.(\d+)$/.exec(name) ?? []
  return Number(version) === predicateVersion ? (predicates.find((predicate) => predicate === last) ?? null) : null
}

/** Share of a type in millionths: Angle has neither floats nor free maps. */
export interface TypeShare {
  type: string
  ppm: number
}

/** When and of what an export tells; every key of ours has these. `exported_at_epoch` in whole seconds: only a nat can be compared. */
interface ExportStamp {
  project_id: string
  system_id: string
  exported_at: string
  exported_at_epoch: number
}

export interface NodeKey extends ExportStamp {
  id: string
  kind: string
  label: string
  properties_json: string
}

export interface EdgeKey extends ExportStamp {
  source: string
  target: string
  label: string
  properties_json: string
}

export interface ManifestKey extends ExportStamp {
  node_count: number
  edge_count: number
  export_file: string
  /** decimals travel as text */
  metadata_entropy: string
  kl_divergence: string
  column_count: number
  actual_distribution: TypeShare[]
  ideal_distribution: TypeShare[]
  /** when what is exported was true */
  metrics_calculated_at: string
}

export interface TrainingMetricsKey extends ExportStamp {
  run_id: string
  model: string
  metrics: { name: string; value: string }[]
  properties_json: string
}

export interface Keys {
  ExportManifest: ManifestKey
  Node: NodeKey
  Edge: EdgeKey
  TrainingMetrics: TrainingMetricsKey
}

/** A fact on its way out. */
export type NewFact = { [P in Predicate]: { predicate: P; key: Keys[P] } }[Predicate]

/** A fact as a transport hands it over: its key may hold anything. */
export type RawKey = { [field: string]: unknown }
