import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import type { Sql } from '../postgres/sql.js'
import { didYouMean } from '../util/closest.js'
import { EspalierError } from '../util/error.js'
import type { Principal } from './principal.js'
import { isScope, type Scope, scopeNames, unlimitedScopes } from './scopes.js'

export interface ApiKey {
  /** the readable part of the token, `esp_<id>_…` */
  id: string
  name: string
  scopes: Scope[]
  /** null: every project */
  projects: string[] | null
  createdAt: Date
  createdBy: string
  expiresAt: Date | null
  /** to the minute */
  lastUsedAt: Date | null
  revokedAt: Date | null
}

export interface NewKey {
  name: string
  scopes: readonly string[]
  /** left out or null: every project */
  projects?: readonly string[] | null
  /** left out or null: never */
  expiresAt?: Date | null
  createdBy: string
}

const columns = `id, name, scopes, projects, created_at AS "createdAt", created_by AS "createdBy", expires_at AS "expiresAt",
  last_used_at AS "lastUsedAt", revoked_at AS "revokedAt"`
const tokenShape = /^esp_([0-9a-z]{12})_([\w-]{43})$/
const digestOf = (token: string): Buffer => createHash('sha256').update(token).digest()

/** Twelve letters and digits: names the key, hides nothing. */
const newId = (): string => [...randomBytes(12)].map((byte) => (byte % 36).toString(36)).join('')

function assertKey({ name, scopes, projects }: NewKey): void {
  if (name.trim() === '') throw new EspalierError('BAD_INPUT', 'key name: found nothing, expected who or what will use the key')
  for (const scope of scopes)
    if (!isScope(scope))
      throw new EspalierError('BAD_INPUT', `key scopes: found "${scope}", expected ${scopeNames.join(', ')}`, {
        remedy: didYouMean(scope, scopeNames) ?? 'Give the least that is needed.',
      })
  if (scopes.length === 0) throw new EspalierError('BAD_INPUT', `key scopes: found none, expected some of ${scopeNames.join(', ')}`)
  if (!projects) return
  if (projects.length === 0)
    throw new EspalierError('BAD_INPUT', 'key projects: found an empty list, expected project ids, or nothing for every project')
  const tooWide = unlimitedScopes.filter((scope) => scopes.includes(scope))
  if (tooWide.length > 0)
    throw new EspalierError('BAD_INPUT', `key scopes: ${tooWide.join(' and ')} cannot be limited to the projects ${projects.join(', ')}`, {
      remedy: 'That scope sees the whole graph: leave it out, or make a key without projects.',
    })
}

/** Makes a key. The token is in this answer and nowhere else, ever. Throws BAD_INPUT. */
export async function createKey(sql: Sql, key: NewKey): Promise<{ key: ApiKey; token: string }> {
  assertKey(key)
  const id = newId()
  const token = `esp_${id}_${randomBytes(32).toString('base64url')}`
  const { rows } = await sql.query<ApiKey>(
    `INSERT INTO api_key (id, name, digest, scopes, projects, expires_at, created_by) VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING ${columns}`,
    [id, key.name, digestOf(token), [...new Set(key.scopes)], key.projects ?? null, key.expiresAt ?? null, key.createdBy],
  )
  return { key: rows[0]!, token }
}

/** All keys, revoked and expired ones too, newest first; no secrets. */
export const readKeys = async (sql: Sql): Promise<ApiKey[]> =>
  (await sql.query<ApiKey>(`SELECT ${columns} FROM api_key ORDER BY created_at DESC, id`)).rows

/** From the next request on the key opens nothing. Revoking twice is no error. */
export async function revokeKey(sql: Sql, id: string): Promise<ApiKey> {
  const { rows } = await sql.query<ApiKey>(
    `UPDATE api_key SET revoked_at = coalesce(revoked_at, now()) WHERE id = $1 RETURNING ${columns}`,
    [id],
  )
  if (rows[0]) return rows[0]
  throw new EspalierError('NOT_FOUND', `there is no key "${id.slice(0, 40)}"`, { remedy: '`espalier keys list` names them.' })
}

/** Whether a key was ever made: from then on nobody comes in without one. */
export const isAnyKey = async (sql: Sql): Promise<boolean> =>
  (await sql.query<{ any: boolean }>('SELECT EXISTS (SELECT FROM api_key) AS any')).rows[0]!.any

/** Who a key's token stands for; null when the token is no key's, or the key is revoked or over. One indexed read. */
export async function findKeyHolder(sql: Sql, token: string, now: Date): Promise<Principal | null> {
  const id = tokenShape.exec(token)?.[1]
  if (!id) return null
  const { rows } = await sql.query<ApiKey & { digest: Buffer }>(`SELECT ${columns}, digest FROM api_key WHERE id = $1`, [id])
  const [key] = rows
  if (!key || !timingSafeEqual(key.digest, digestOf(token))) return null
  if (key.revokedAt || (key.expiresAt && key.expiresAt <= now)) return null
  if (!key.lastUsedAt || now.getTime() - key.lastUsedAt.getTime() > 60_000)
    await sql.query('UPDATE api_key SET last_used_at = $2 WHERE id = $1', [id, now])
  const projects = key.projects ? new Set(key.projects) : null
  return { name: `key:${key.name}`, kind: 'key', id: key.id, scopes: new Set(key.scopes.filter(isScope)), projects }
}

export const isKeyToken = (token: string): boolean => token.startsWith('esp_')
