import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { exportJWK, exportSPKI, generateKeyPair, SignJWT, UnsecuredJWT } from 'jose'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openTokenReader } from '../../../src/access/token.js'

const claims = { scopesClaim: 'scope', projectsClaim: 'projects' }
const secret = 'a secret of more than thirty-two characters'
const hs = (payload: Record<string, unknown>, { key = secret, alg = 'HS256', exp = '5m' as string | null } = {}) => {
  const token = new SignJWT(payload).setProtectedHeader({ alg }).setSubject('ada').setIssuer('idp').setAudience('espalier')
  return (exp ? token.setExpirationTime(exp) : token).sign(new TextEncoder().encode(key))
}
const reader = openTokenReader({ secret, issuer: 'idp', audience: 'espalier', ...claims })

describe('who a token stands for', () => {
  test.each([
    ['text', { scope: 'catalog:read model:deploy', projects: 'bank shop' }, ['catalog:read', 'model:deploy'], ['bank', 'shop']],
    ['lists', { scope: ['catalog:read'], projects: ['bank'] }, ['catalog:read'], ['bank']],
    ['scopes that are none of ours', { scope: 'openid email catalog:read', projects: '*' }, ['catalog:read'], null],
    ['no projects claim: none', { scope: 'catalog:read' }, ['catalog:read'], []],
    ['no scope claim: none', { projects: '*' }, [], null],
    ['admin sees every project', { scope: 'admin' }, ['admin'], null],
    [
      'Cypher sees every project, so a limited token loses it',
      { scope: 'graph:cypher catalog:read', projects: 'bank' },
      ['catalog:read'],
      ['bank'],
    ],
  ])('%s', async (_, payload, scopes, projects) => {
    const found = await (await reader)(await hs(payload))
    expect([...found.scopes]).toEqual(scopes)
    expect(found.projects && [...found.projects]).toEqual(projects)
    expect(found.name).toBe('user:ada')
  })
})

describe('tokens that open nothing', () => {
  let keys: Awaited<ReturnType<typeof generateKeyPair>>
  beforeAll(async () => {
    keys = await generateKeyPair('RS256', { extractable: true })
  })
  const refused = async (
    token: string,
    settings: Parameters<typeof openTokenReader>[0] = { secret, issuer: 'idp', audience: 'espalier', ...claims },
  ) => expect((await openTokenReader(settings))(token)).rejects.toMatchObject({ code: 'UNAUTHENTICATED' })

  test('signed by another secret', async () => refused(await hs({}, { key: 'another secret of thirty-two characters!' })))
  test('over', async () => refused(await hs({}, { exp: '-1s' })))
  test('without an end', async () => refused(await hs({}, { exp: null })))
  test('unsigned', () => refused(new UnsecuredJWT({ scope: 'admin' }).setExpirationTime('5m').encode()))
  test('of another issuer', async () => refused(await hs({}), { secret, issuer: 'other', ...claims }))
  test('for another audience', async () => refused(await hs({}), { secret, audience: 'other', ...claims }))
  test('no token at all', () => refused('nonsense'))
  test('HS256 with the public key as its secret, the classic confusion', async () => {
    const publicKey = await exportSPKI(keys.publicKey)
    await refused(await hs({ scope: 'admin' }, { key: publicKey }), { publicKey, ...claims })
  })
  test('and one of that public key opens', async () => {
    const token = await new SignJWT({ scope: 'admin' })
      .setProtectedHeader({ alg: 'RS256' })
      .setSubject('ada')
      .setExpirationTime('5m')
      .sign(keys.privateKey)
    const found = await (await openTokenReader({ publicKey: await exportSPKI(keys.publicKey), ...claims }))(token)
    expect([...found.scopes]).toEqual(['admin'])
  })
})

describe('the published keys of an identity provider', () => {
  let keys: Awaited<ReturnType<typeof generateKeyPair>>
  let published: object[] = []
  let asked = 0
  let provider: Server
  let jwksUrl: string
  beforeAll(async () => {
    keys = await generateKeyPair('ES256', { extractable: true })
    published = [{ ...(await exportJWK(keys.publicKey)), kid: 'current', alg: 'ES256' }]
    provider = createServer((_, response) => {
      asked++
      response.setHeader('content-type', 'application/json').end(JSON.stringify({ keys: published }))
    })
    await new Promise<void>((resolve) => provider.listen(0, '127.0.0.1', resolve))
    jwksUrl = `http://127.0.0.1:${(provider.address() as AddressInfo).port}/jwks.json`
  })
  afterAll(() => void provider.close())
  const token = (kid: string, key = keys.privateKey) =>
    new SignJWT({ scope: 'catalog:read', projects: 'bank' })
      .setProtectedHeader({ alg: 'ES256', kid })
      .setSubject('ada')
      .setExpirationTime('5m')
      .sign(key)

  test('are fetched once, and open what they signed', async () => {
    const read = await openTokenReader({ jwksUrl, ...claims })
    for (let i = 0; i < 3; i++) expect(await read(await token('current'))).toMatchObject({ name: 'user:ada', projects: new Set(['bank']) })
    expect(asked).toBe(1)
  })
  test('open nothing that another key signed, nor one that is not among them', async () => {
    const read = await openTokenReader({ jwksUrl, ...claims })
    const other = await generateKeyPair('ES256')
    await expect(read(await token('current', other.privateKey))).rejects.toMatchObject({ code: 'UNAUTHENTICATED' })
    await expect(read(await token('former'))).rejects.toMatchObject({ code: 'UNAUTHENTICATED' })
  })
  test('and where the provider does not answer, that is said: the token may be good', async () => {
    const read = await openTokenReader({ jwksUrl: 'http://127.0.0.1:1/jwks.json', ...claims })
    await expect(read(await token('current'))).rejects.toMatchObject({ code: 'UNAVAILABLE' })
  })
})
