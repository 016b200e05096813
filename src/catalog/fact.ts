import type { Problem } from '../util/problem.js'
import type { EdgeLabel, NodeKind, Properties } from '../vocabulary.js'

/** Where a fact was read: which dialect, which file, which line or element. */
export interface Provenance {
  dialect: string
  file: string
  /** `line 12`, `/DEFTABLE/FOLDER[2]/JOB[3]`, … */
  location: string
}

/**
 * What a source says: "this node (edge) is so". Ids are full catalog ids (identity.ts builds them). Project, system, snapshot and
 * observation time are stamped by ingest, not by the source; `observedAt` only where the text itself says when it was true.
 */
export interface NodeFact {
  fact: 'node'
  id: string
  kind: NodeKind
  /** as spelled by the source */
  name: string
  qualifiedName: string
  properties: Properties
  provenance: Provenance
  observedAt?: Date
}

export interface EdgeFact {
  fact: 'edge'
  sourceId: string
  label: EdgeLabel
  targetId: string
  discriminator?: string
  properties: Properties
  provenance: Provenance
  observedAt?: Date
}

/** A node that a statement takes away (DROP TABLE …), with all that it contains. */
export interface RemovalFact {
  fact: 'removal'
  id: string
  provenance: Provenance
}

export type Fact = NodeFact | EdgeFact | RemovalFact

/** What every source gets besides its text. */
export interface SourceContext {
  projectId: string
  systemId: string
  /** path relative to what the caller named, or `text 1`; part of ids only where a source has no better name (JSON tables) */
  file: string
  /** values of `${NAME}` in DDL; one that is not set is a problem that names it */
  variables?: Readonly<Record<string, string>>
  /** where no USE was seen (default `default`) */
  defaultDatabase?: string
}

export interface ParsedSource {
  facts: Fact[]
  problems: Problem[]
}
