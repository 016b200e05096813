import { type Request, type RequestHandler, type Response, Router } from 'express'
import { assertProject, assertScope } from '../../access/principal.js'
import { bundleName, fileOf, readBundle } from '../../artifacts/release/bundle.js'
import { isReleaseId } from '../../artifacts/release/manifest.js'
import { packageBundle } from '../../artifacts/release/package.js'
import { readReleaseProjects } from '../../artifacts/release/release-store.js'
import { readArtifact } from '../../artifacts/store.js'
import type { ApiPlatform } from '../context.js'
import { type Identified, refuse } from './callers.js'

/** First and last byte, both included. */
export interface ByteRange {
  first: number
  last: number
}

/**
 * What a Range header asks for of `size` bytes (RFC 9110, 14): one range of bytes, or null for the whole (no header, another unit, several
 * ranges, nonsense: all of which a server may ignore); `unsatisfiable` when nothing of it is there.
 */
export function parseRange(header: string | undefined, size: number): ByteRange | 'unsatisfiable' | null {
  const [, from = '', to = ''] = /^bytes=\s*(\d*)-(\d*)\s*$/.exec(header ?? '') ?? []
  if (from === '' && to === '') return null
  if (from === '') return Number(to) === 0 || size === 0 ? 'unsatisfiable' : { first: Math.max(0, size - Number(to)), last: size - 1 }
  const [first, last] = [Number(from), to === '' ? size - 1 : Math.min(Number(to), size - 1)]
  if (to !== '' && Number(to) < first) return null
  return first >= size ? 'unsatisfiable' : { first, last }
}

const types: readonly [RegExp, string][] = [
  [/\.json$/, 'application/json'],
  [/\.tar\.gz$/, 'application/gzip'],
  [/./, 'application/octet-stream'],
]

interface Content {
  name: string
  digest: string
  read(): Promise<Uint8Array>
}

/** Content under its digest never changes: it is its own ETag, and may be kept for ever by whoever was let through. */
export async function send(request: Request, response: Response, { name, digest, read }: Content): Promise<void> {
  const etag = `"${digest}"`
  response.set({
    etag,
    'accept-ranges': 'bytes',
    'cache-control': 'private, max-age=31536000, immutable',
    'content-type': types.find(([pattern]) => pattern.test(name))![1],
    'content-disposition': `attachment; filename="${name}"`,
    'x-content-type-options': 'nosniff',
  })
  const known = request.get('if-none-match')
  if (known !== undefined && (known.trim() === '*' || known.split(',').some((tag) => tag.trim().replace(/^W\//, '') === etag))) {
    response.status(304).end()
    return
  }
  const bytes = await read()
  const ifRange = request.get('if-range')
  const range = ifRange === undefined || ifRange === etag ? parseRange(request.get('range'), bytes.length) : null
  if (range === 'unsatisfiable') {
    response.status(416).set('content-range', `bytes */${bytes.length}`).removeHeader('content-disposition')
    response.end()
    return
  }
  const part = range ? bytes.subarray(range.first, range.last + 1) : bytes
  if (range) response.status(206).set('content-range', `bytes ${range.first}-${range.last}/${bytes.length}`)
  response.set('content-length', String(part.length))
  response.end(request.method === 'HEAD' ? undefined : Buffer.from(part.buffer, part.byteOffset, part.byteLength))
}

/** Throws FORBIDDEN unless the caller may read artifacts, and see the projects that this one (or this release) belongs to. */
async function assertReadable({ database }: ApiPlatform, response: Response, id: string): Promise<void> {
  const { principal } = (response as Identified).locals
  const deed = `download of ${id}`
  assertScope(principal, 'catalog:read', deed)
  if (principal.projects === null) return
  const projects = isReleaseId(id) ? await readReleaseProjects(database, id) : [(await readArtifact(database, id)).projectId]
  for (const project of projects) assertProject(principal, project, deed)
}

/**
 * `/artifacts/<id>/files/<path>` and `/artifacts/<id>/package.tar.gz`, for artifacts and releases: verified bytes, with ranges and ETags.
 * Mount it behind `identified`.
 */
export function artifactRoutes(platform: ApiPlatform): Router {
  const { database, blobs } = platform
  const router = Router()
  const serve =
    (find: (request: Request, id: string) => Promise<Content>): RequestHandler =>
    async (request, response) => {
      try {
        const id = String(request.params['id'])
        await assertReadable(platform, response, id)
        await send(request, response, await find(request, id))
      } catch (thrown) {
        refuse(response, thrown)
      }
    }
  router.get(
    '/artifacts/:id/files/*path',
    serve(async (request, id) => {
      const bundle = await readBundle(database, id)
      const { path, sha256 } = fileOf(bundle, [request.params['path']].flat().join('/'))
      return { name: `${bundleName(id)}-${path.replaceAll('/', '-')}`, digest: sha256, read: () => blobs.get(sha256) }
    }),
  )
  router.get(
    '/artifacts/:id/package.tar.gz',
    serve(async (_request, id) => {
      const { digest, name } = await packageBundle(database, blobs, id, new Date())
      return { name, digest, read: () => blobs.get(digest) }
    }),
  )
  return router
}
