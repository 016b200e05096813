import { createRemoteJWKSet, errors, importSPKI, type JWTPayload, type JWTVerifyGetKey, jwtVerify } from 'jose'
import { EspalierError } from '../util/error.js'
import type { Principal } from './principal.js'
import { isScope, type Scope, unlimitedScopes } from './scopes.js'

/** How tokens of an identity provider are checked: exactly one of `jwksUrl`, `publicKey` and `secret`. */
export interface TokenSettings {
  /** the provider's published keys, e.g. `https://idp/.well-known/jwks.json` */
  jwksUrl?: string | undefined
  /** PEM (SPKI) */
  publicKey?: string | undefined
  /** of HS256, HS384 and HS512; at least 32 characters */
  secret?: string | undefined
  issuer?: string | undefined
  audience?: string | undefined
  /** claim with the scopes, text or list (default `scope`) */
  scopesClaim: string
  /** claim with the project ids, text or list, `*` for every project (default `projects`) */
  projectsClaim: string
}

export type TokenReader = (token: string) => Promise<Principal>

const asymmetric = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA']
const symmetric = ['HS256', 'HS384', 'HS512']

/** Which algorithms may sign, and the key to a token; a shared secret never opens a token that claims another kind of key. */
async function keyOf({ jwksUrl, publicKey, secret }: TokenSettings): Promise<{ algorithms: string[]; key: JWTVerifyGetKey }> {
  if (jwksUrl) return { algorithms: asymmetric, key: createRemoteJWKSet(new URL(jwksUrl)) }
  if (secret) {
    const bytes = new TextEncoder().encode(secret)
    return { algorithms: symmetric, key: async () => bytes }
  }
  const pem = publicKey ?? ''
  return { algorithms: asymmetric, key: async ({ alg }) => importSPKI(pem, alg ?? 'RS256') }
}

const words = (claim: unknown): string[] =>
  typeof claim === 'string'
    ? claim.split(/[\s,]+/).filter(Boolean)
    : Array.isArray(claim)
      ? claim.filter((it) => typeof it === 'string')
      : []

/** A token without a projects claim sees none: a limit that was forgotten must not open everything. */
function holderOf(payload: JWTPayload, { scopesClaim, projectsClaim }: TokenSettings): Principal {
  const granted = words(payload[scopesClaim]).filter(isScope)
  const named = words(payload[projectsClaim])
  const all = named.includes('*') || granted.includes('admin')
  const scopes = all ? granted : granted.filter((scope) => !unlimitedScopes.includes(scope))
  const subject = payload.sub ?? 'nobody'
  return { name: `user:${subject}`, kind: 'token', id: subject, scopes: new Set<Scope>(scopes), projects: all ? null : new Set(named) }
}

/** A checker of JSON Web Tokens (RFC 7519): signature, expiry, issuer and audience. A bad token throws UNAUTHENTICATED with the reason. */
export async function openTokenReader(settings: TokenSettings): Promise<TokenReader> {
  const { algorithms, key } = await keyOf(settings)
  const { issuer, audience } = settings
  const expected = { algorithms, requiredClaims: ['exp'], ...(issuer ? { issuer } : {}), ...(audience ? { audience } : {}) }
  return async (token) => {
    try {
      const { payload } = await jwtVerify(token, key, expected)
      return holderOf(payload, settings)
    } catch (cause) {
      if (cause instanceof errors.JWKSTimeout || !(cause instanceof errors.JOSEError))
        throw new EspalierError('UNAVAILABLE', 'the keys that sign tokens could not be read', { cause, remedy: 'Try again.' })
      throw new EspalierError('UNAUTHENTICATED', `the token is not accepted: ${cause.message}`, {
        cause,
        remedy: 'Ask your identity provider for a new token.',
      })
    }
  }
}
