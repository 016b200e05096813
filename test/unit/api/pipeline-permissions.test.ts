import { describe, expect, it } from 'vitest'
import type { Principal } from '../../../src/access/principal.js'
import type { Scope } from '../../../src/access/scopes.js'
import { assertPermission } from '../../../src/api/authorize.js'
import type { ApiContext } from '../../../src/api/context.js'
import { permissions } from '../../../src/api/permissions.js'

const key = (scopes: Scope[], projects: string[] | null = null): ApiContext => {
  const principal: Principal = { name: 'key:it', kind: 'key', id: 'it', scopes: new Set(scopes), projects: projects && new Set(projects) }
  return { principal } as ApiContext
}
const run = (args: Record<string, unknown>, context: ApiContext) =>
  assertPermission(permissions.Mutation['runFullPipeline']!, args, context, 'Mutation.runFullPipeline')
const start = (args: Record<string, unknown>, context: ApiContext) =>
  assertPermission(permissions.Mutation['startRun']!, args, context, 'Mutation.startRun')

describe('a full pipeline', () => {
  it('asks for both scopes that its steps need, by its own mutation and as a kind of run', async () => {
    for (const attempt of [
      (context: ApiContext) => run({ projectId: 'bank' }, context),
      (context: ApiContext) => start({ kind: 'pipeline', options: { projectId: 'bank' } }, context),
    ]) {
      await expect(attempt(key(['catalog:write', 'training:execute']))).resolves.toBeUndefined()
      await expect(attempt(key(['catalog:write']))).rejects.toThrow(/training:execute was expected/)
      await expect(attempt(key(['training:execute']))).rejects.toThrow(/catalog:write was expected/)
      await expect(attempt(key(['catalog:write', 'training:execute'], ['shop']))).rejects.toThrow(/outside the projects/)
    }
  })

  it('takes no more than training to judge a training, and the owner to write to Glean', async () => {
    const options = { projectId: 'bank' }
    await expect(start({ kind: 'evaluate-training', options }, key(['training:execute'], ['bank']))).resolves.toBeUndefined()
    await expect(start({ kind: 'export-metrics', options }, key(['training:execute', 'catalog:write']))).rejects.toThrow(
      /admin was expected/,
    )
  })
})
