import fs from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import express, { type NextFunction, type Request, type Response, Router } from 'express'

/** Where the build put the editor: seen from dist/api/http, else from src/api/http. */
const candidates = ['../../editor/', '../../../dist/editor/'].map((at) => fileURLToPath(new URL(at, import.meta.url)))
const isBuilt = (folder: string) => fs.existsSync(path.join(folder, 'editor.js'))

/** Nothing is fetched from elsewhere; Monaco sets styles from script. */
const contentSecurityPolicy = [
  "default-src 'self'",
  "script-src 'self'",
  "worker-src 'self' blob:",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "font-src 'self' data:",
  "connect-src 'self'",
  "object-src 'none'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ')

const wantsPage = (request: Request) => request.method === 'GET' && (request.headers.accept ?? '').includes('text/html')

/** GraphiQL: `GET /graphql` from a browser answers its page, `/editor/…` its scripts. Everything comes from this server. */
export function editorRoutes(): Router {
  const router = Router()
  const folder = candidates.find(isBuilt)
  const secure = (response: Response) =>
    response.set({
      'content-security-policy': contentSecurityPolicy,
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
    })
  router.get('/', (request, response, next) => (wantsPage(request) ? response.redirect('/graphql') : next()))
  router.get('/graphql', (request: Request, response: Response, next: NextFunction) => {
    if (!wantsPage(request)) return next()
    secure(response)
    if (folder) response.set('cache-control', 'no-cache').sendFile(path.join(folder, 'index.html'))
    else response.status(404).type('text').send('The editor is not built here. Run `npm run build`, then start the server again.\n')
  })
  if (folder)
    router.use(
      '/editor',
      express.static(folder, {
        index: false,
        fallthrough: false,
        maxAge: '1h',
        dotfiles: 'ignore',
        setHeaders: (response) => secure(response as Response),
      }),
    )
  return router
}
