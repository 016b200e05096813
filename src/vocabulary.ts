/** The shared nouns: the same here, in tables and in GraphQL types. Only names and shapes; no behaviour. */

export type JsonValue = null | boolean | number | string | JsonValue[] | { [key: string]: JsonValue }
export type Properties = { [key: string]: JsonValue }

export const nodeKinds = [
  'Project',
  'System',
  'InformationSystem',
  'Database',
  'Table',
  'View',
  'Column',
  'SqlQuery',
  'ControlMFolder',
  'ControlMJob',
  'ControlMCalendar',
  'ControlMCondition',
  'ControlMResource',
  'PetriNet',
  'PetriPlace',
  'PetriTransition',
  'DatasetVersion',
  'Run',
  'Artifact',
] as const
export type NodeKind = (typeof nodeKinds)[number]

export const edgeLabels = [
  'CONTAINS',
  'HAS_COLUMN',
  'REFERENCES',
  'DATA_FLOW',
  'SCHEDULES',
  'BLOCKS',
  'RELEASES',
  'CLEARS',
  'DEPENDS_ON',
  'READS',
  'WRITES',
  'EXECUTES',
  'REQUIRES',
  'HAS_PLACE',
  'HAS_TRANSITION',
  'PETRI_ARC',
  'USED',
  'DERIVED_FROM',
  'PRODUCED_BY',
] as const
export type EdgeLabel = (typeof edgeLabels)[number]

/** A node as the ledger holds it now (or held it at a moment). */
export interface CatalogNode {
  /** `<project>/<system>/<kind>:<qualified name>`, e.g. `bank/hive/table:core.account` */
  id: string
  kind: NodeKind
  /** spelled as the source spells it */
  name: string
  qualifiedName: string
  projectId: string
  systemId: string
  properties: Properties
}

export interface CatalogEdge {
  sourceId: string
  label: EdgeLabel
  targetId: string
  /** tells apart two edges of one label between one pair; '' when there is only one */
  discriminator: string
  projectId: string
  systemId: string
  properties: Properties
}

/** One change of the projection, idempotent; appended to the outbox by any room in its own transaction, applied in order. */
export type GraphChange =
  | { op: 'upsert-node'; id: string; kind: NodeKind; properties: Properties }
  | { op: 'delete-node'; id: string; kind: NodeKind }
  | { op: 'upsert-edge'; sourceId: string; label: EdgeLabel; targetId: string; discriminator: string; properties: Properties }
  | { op: 'delete-edge'; sourceId: string; label: EdgeLabel; targetId: string; discriminator: string }

/** In the outbox beside changes: facts of the catalog by their keys, to be read (as they are then) when the row is applied. */
export interface GraphRefresh {
  op: 'refresh'
  nodes?: GraphKeys
  edges?: GraphKeys
}
/** Keys of facts, or all from one to another (both included). */
export type GraphKeys = number[] | { from: number; to: number }

/** Each has a file in worker/tasks. */
export const runKinds = [
  'ingest',
  'delete',
  'learn-patterns',
  'train-ggnn',
  'evaluate',
  'pipeline',
  'glean-history',
  'temporal-analysis',
  'build-dataset',
  'evaluate-training',
  'export-metrics',
  'dataset',
] as const
export type RunKind = (typeof runKinds)[number]

export const runStates = ['pending', 'running', 'paused', 'completed', 'failed', 'cancelled'] as const
export type RunState = (typeof runStates)[number]

/** What a run says while it works. `value` may be NaN or infinite: metrics are stored as float8. */
export type RunEventBody =
  | { type: 'metric'; name: string; step: number; value: number }
  | { type: 'log'; level: 'debug' | 'info' | 'warn' | 'error'; message: string }
  | { type: 'state'; from: RunState; to: RunState; reason?: string }
  | { type: 'checkpoint'; step: number; blob: string; bytes: number; best: boolean }
  | { type: 'artifact'; artifactId: string; component: string; version: string }

export type RunEvent = { runId: string; sequence: number; attempt: number; at: Date } & RunEventBody

export interface Run {
  id: string
  kind: RunKind
  projectId: string | null
  /** validated and with every default filled in */
  options: Properties
  state: RunState
  /** 0 before the first claim */
  attempt: number
  priority: number
  parentId: string | null
  result: Properties | null
  error: { code: string; message: string; remedy?: string } | null
  /** asked of a running run; the worker obeys at the next step */
  control: 'pause' | 'cancel' | null
  createdAt: Date
  startedAt: Date | null
  endedAt: Date | null
  heartbeatAt: Date | null
}

export const canonicalTypes = ['string', 'number', 'boolean', 'date', 'array', 'object'] as const
export type CanonicalType = (typeof canonicalTypes)[number]

/** A column's type as a tree; `name` is the dialect's own, lower-case, without arguments. */
export interface TypeTree {
  name: string
  /** length, or precision and scale */
  arguments?: number[]
  /** array: [element]; map: [key, value]; union: its members */
  elements?: TypeTree[]
  /** struct members */
  fields?: { name: string; type: TypeTree; comment?: string }[]
}

export const scopes = [
  'catalog:read',
  'catalog:write',
  'graph:cypher',
  'training:execute',
  'training_data:read',
  'training_data:write',
  'training_data:delete',
  'model:deploy',
  'admin',
] as const
export type Scope = (typeof scopes)[number]
