import { createHash, timingSafeEqual } from 'node:crypto'
import type { Sql } from '../postgres/sql.js'
import { EspalierError } from '../util/error.js'
import { findKeyHolder, isAnyKey, isKeyToken } from './key-store.js'
import { localPrincipal, type Principal } from './principal.js'
import { openTokenReader, type TokenSettings } from './token.js'

/** Knows who comes in. */
export interface Gate {
  /** Whether keys or tokens are asked for. Once true it stays true. */
  isGuarded(): Promise<boolean>
  /** Who the `Authorization` (`Bearer …`) or `X-API-Key` header stands for. Throws UNAUTHENTICATED. */
  authenticate(credentials: { authorization?: string | undefined; apiKey?: string | undefined }): Promise<Principal>
}

const digestOf = (text: string): Buffer => createHash('sha256').update(text).digest()
/** In time that tells nothing of where they differ. */
const isSame = (a: string, b: string): boolean => timingSafeEqual(digestOf(a), digestOf(b))

const remedy = 'Send `Authorization: Bearer <token>` or `X-API-Key: <key>`; `espalier keys create` makes a key.'
/**
 * The gate of a server: open to its own machine (`local`, every scope) until the first key is made or tokens are configured, then shut
 * to whoever brings neither. `ownerKey` opens it to the owner of the server's home folder, always.
 */
export async function openGate(
  sql: Sql,
  tokens: TokenSettings | undefined,
  ownerKey?: string,
  now: () => Date = () => new Date(),
): Promise<Gate> {
  const readToken = tokens ? await openTokenReader(tokens) : null
  let guarded = readToken !== null
  // asked anew until the first key is there: another process may have made it
  const isGuarded = async () => (guarded ||= await isAnyKey(sql))
  return {
    isGuarded,
    async authenticate({ authorization, apiKey }) {
      const bearer = /^Bearer\s+(\S+)$/i.exec(authorization ?? '')?.[1]
      if (authorization && !bearer)
        throw new EspalierError('UNAUTHENTICATED', 'the Authorization header is not of the form `Bearer <token>`', { remedy })
      const token = apiKey ?? bearer
      if (!token) {
        if (!(await isGuarded())) return localPrincipal
        throw new EspalierError('UNAUTHENTICATED', 'this server asks for a key, and none came', { remedy })
      }
      if (ownerKey && isSame(token, ownerKey)) return localPrincipal
      if (!isKeyToken(token) && readToken) return readToken(token)
      const holder = await findKeyHolder(sql, token, now())
      if (holder) return holder
      throw new EspalierError('UNAUTHENTICATED', 'the key is unknown, revoked or over', { remedy })
    },
  }
}
