/** Every scope, and what it opens. A closed list: a scope that is not here is a mistake, never an extension. */
export const scopes = {
  'catalog:read': 'read the catalog, its history, lineage, patterns, runs, artifacts and predictions',
  'catalog:write': 'ingest, annotate, delete, make projects, learn patterns',
  'graph:cypher': 'read-only Cypher over the whole graph; never for a key that is limited to projects',
  'training:execute': 'start and steer training and evaluation runs',
  'training_data:read': 'read and export training datasets',
  'training_data:write': 'make, change, validate and enhance training datasets',
  'training_data:delete': 'delete training datasets',
  'model:deploy': 'promote and roll back artifacts, make releases',
  admin: 'everything, keys and audit included; never for a key that is limited to projects',
} as const satisfies Record<string, string>

export type Scope = keyof typeof scopes
export const scopeNames = Object.keys(scopes) as readonly Scope[]
export const isScope = (name: string): name is Scope => Object.hasOwn(scopes, name)

/** Scopes that see past the borders of projects. */
export const unlimitedScopes: readonly Scope[] = ['graph:cypher', 'admin']
