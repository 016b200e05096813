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
  /**
   * The text only adds to a node that it does not define (ALTER of a table from another file, a database named in passing): properties
   * not named here keep their values; where the node does not exist yet, it is made from these.
   */
  partial?: true
}

/**
 * An end that the text names without saying where it lies; ingest looks for it in the ledger. On an edge with `sourceId` '' (or
 * `targetId` '' where the target is the open one): `properties.unresolved`.
 */
export type Unresolved =
  /** a column that one of these tables has */
  | { column: string; candidates: string[] }
  /** `SELECT *` over tables that this text does not create: every column of each, in order, into columns of the same name of the target (a view's id) */
  | { star: true; candidates: string[] }
  /** a table by its (folded) qualified name, or bare name, in any system of the project */
  | { table_name: string }

/**
 * A target column of a table that the text names without making it (INSERT … SELECT): on an edge with `targetId` '',
 * `properties.unresolved_target`. The edge's source may be open too.
 */
export type UnresolvedTarget = { table_name: string } & (
  | { column: string }
  /** the n-th (from 0) of the table's columns, those left out that the statement sets itself (partitions with a fixed value) */
  | { position: number; except: string[] }
)

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
  /** JSON tables: how many levels of nested objects become dotted columns (default 3) */
  depth?: number
}

/** What a history says of one time: only what changed then. */
export interface Moment {
  observedAt: Date
  facts: Fact[]
}

export interface ParsedSource {
  facts: Fact[]
  problems: Problem[]
  /** earlier times that the text tells of, in order; `facts` is what stands after them */
  moments?: Moment[]
}
