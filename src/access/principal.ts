import { EspalierError } from '../util/error.js'
import { type Scope, scopeNames } from './scopes.js'

/** Who asks, and what they may. */
export interface Principal {
  /** for the audit: `local`, `key:<name>` or `user:<subject>` */
  readonly name: string
  readonly kind: 'local' | 'key' | 'token'
  /** what limits of rate are counted by */
  readonly id: string
  readonly scopes: ReadonlySet<Scope>
  /** null: every project */
  readonly projects: ReadonlySet<string> | null
}

/** Whoever reaches a server without keys on its own machine, and commands that open the platform themselves. */
export const localPrincipal: Principal = { name: 'local', kind: 'local', id: 'local', scopes: new Set(scopeNames), projects: null }

export const hasScope = ({ scopes }: Principal, scope: Scope): boolean => scopes.has('admin') || scopes.has(scope)

/** Whether things of a project are open to `principal`; what belongs to no project (null) is open to those without limits alone. */
export const maySeeProject = ({ projects }: Principal, project: string | null): boolean =>
  projects === null || (project !== null && projects.has(project))

/** Throws FORBIDDEN that names the scope. */
export function assertScope(principal: Principal, scope: Scope, deed: string): void {
  if (hasScope(principal, scope)) return
  throw new EspalierError('FORBIDDEN', `${deed}: ${principal.name} has the scopes ${listOf(principal.scopes)}, ${scope} was expected`, {
    remedy: `Use a key with the scope ${scope}; \`espalier keys create\` makes one.`,
  })
}

/** Throws FORBIDDEN. The answer is the same for what is not there and for what is another project's: it tells a stranger nothing. */
export function assertProject(principal: Principal, project: string | null, deed: string): void {
  if (maySeeProject(principal, project)) return
  throw new EspalierError('FORBIDDEN', `${deed}: outside the projects of ${principal.name} (${listOf(principal.projects ?? [])})`, {
    remedy: 'Use a key of that project.',
  })
}

/** For what concerns every project at once. Throws FORBIDDEN. */
export function assertUnlimited(principal: Principal, deed: string): void {
  if (principal.projects === null) return
  throw new EspalierError(
    'FORBIDDEN',
    `${deed}: concerns every project, and ${principal.name} is limited to ${listOf(principal.projects)}`,
    { remedy: 'Name a project, or use a key without a limit.' },
  )
}

const listOf = (names: Iterable<string>): string => [...names].join(', ') || 'none'
