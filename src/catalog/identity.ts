import type { NodeKind } from '../vocabulary.js'

/** A kind as it stands in an id: `controlm-job` for ControlMJob. */
export const kindSlugs: Record<NodeKind, string> = {
  Project: 'project',
  System: 'system',
  InformationSystem: 'information-system',
  Database: 'database',
  Table: 'table',
  View: 'view',
  Column: 'column',
  SqlQuery: 'query',
  ControlMFolder: 'controlm-folder',
  ControlMJob: 'controlm-job',
  ControlMCalendar: 'controlm-calendar',
  ControlMCondition: 'controlm-condition',
  ControlMResource: 'controlm-resource',
  PetriNet: 'petri-net',
  PetriPlace: 'petri-place',
  PetriTransition: 'petri-transition',
  DatasetVersion: 'dataset-version',
  Run: 'run',
  Artifact: 'artifact',
}

/**
 * The stable id of a node: `<project>/<system>/<kind>:<qualified name>`. The qualified name must already be folded by the dialect's
 * case rule (Hive: lower case; Control-M: as it is). Project and System nodes are their own roots: `<project>`, `<project>/<system>`.
 */
export function nodeId(projectId: string, systemId: string, kind: NodeKind, qualifiedName: string): string {
  if (kind === 'Project') return projectId
  if (kind === 'System') return `${projectId}/${systemId}`
  return `${projectId}/${systemId}/${kindSlugs[kind]}:${qualifiedName}`
}

/** Project and system ids: letters, digits, `_`, `-`, `.`; 1 to 100 characters, so that ids split unambiguously. */
export const isScopeName = (name: string): boolean => /^[\p{L}\p{N}_.-]{1,100}$/u.test(name)
