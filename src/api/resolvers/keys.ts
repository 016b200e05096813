import { Arg, Ctx, ID, Mutation, Query, Resolver } from 'type-graphql'
import { createKey, readKeys, revokeKey } from '../../access/key-store.js'
import { appendAudit } from '../../access/store.js'
import type { ApiContext } from '../context.js'
import { ApiKey, Caller, CreatedKey, NewKeyInput } from '../types/keys.js'

@Resolver()
export class KeyResolver {
  @Query(() => Caller, { description: 'Who the key or token of this request stands for.' })
  whoAmI(@Ctx() { principal }: ApiContext): Caller {
    const { name, scopes, projects } = principal
    return { name, scopes: [...scopes], projects: projects && [...projects] }
  }

  @Query(() => [ApiKey], { description: 'All keys, revoked and expired ones too, newest first.' })
  keys(@Ctx() { platform }: ApiContext): Promise<ApiKey[]> {
    return readKeys(platform.database)
  }

  @Mutation(() => CreatedKey, { description: 'Makes a key. From the first one on the API is shut to whoever brings none.' })
  createKey(@Ctx() { platform, actor }: ApiContext, @Arg('input', () => NewKeyInput) input: NewKeyInput): Promise<CreatedKey> {
    return platform.database.transaction(async (sql) => {
      const { projects = null, expiresAt = null, ...rest } = input
      const made = await createKey(sql, { ...rest, projects, expiresAt, createdBy: actor })
      const { id, name, scopes } = made.key
      await appendAudit(sql, { actor, action: 'create-key', subject: id, details: { name, scopes, projects: made.key.projects } })
      return made
    })
  }

  @Mutation(() => ApiKey, { description: 'Shuts a key out, from the next request on.' })
  revokeKey(@Ctx() { platform, actor }: ApiContext, @Arg('id', () => ID) id: string): Promise<ApiKey> {
    return platform.database.transaction(async (sql) => {
      const key = await revokeKey(sql, id)
      await appendAudit(sql, { actor, action: 'revoke-key', subject: id, details: { name: key.name } })
      return key
    })
  }
}
