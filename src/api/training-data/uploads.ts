import busboy from 'busboy'
import { type Request, Router } from 'express'
import { assertScope, type Principal } from '../../access/principal.js'
import type { BlobStore } from '../../blobs/blob-store.js'
import { saveUpload } from '../../datasets/exchange/upload-store.js'
import { EspalierError } from '../../util/error.js'
import type { ApiPlatform } from '../context.js'
import { type Identified, refuse } from '../http/callers.js'

/** A file that came with a request: its bytes lie in the blob store already. */
export interface Received {
  blob: string
  bytes: number
  /** as the sender calls it, without its folders */
  file: string
  /** the form's other fields */
  fields: Record<string, string>
}

/** Bytes of one file at most. */
export const largestUpload = 16 * 2 ** 30

const baseName = (name: string): string => name.split(/[\\/]/).at(-1)!.slice(0, 200) || 'upload'

/** Counts bytes on their way, and stops what is larger than any file should be. */
async function* measured(source: AsyncIterable<Uint8Array>, count: (bytes: number) => void): AsyncGenerator<Uint8Array> {
  let total = 0
  for await (const piece of source) {
    total += piece.length
    if (total > largestUpload)
      throw new EspalierError('BAD_INPUT', `the file is larger than ${largestUpload / 2 ** 30} GiB`, { remedy: 'Send it in parts.' })
    count(total)
    yield piece
  }
}

async function keep(blobs: Pick<BlobStore, 'put'>, source: AsyncIterable<Uint8Array>): Promise<{ blob: string; bytes: number }> {
  let bytes = 0
  const blob = await blobs.put(measured(source, (total) => (bytes = total)))
  return { blob, bytes }
}

function formParser(request: Request): busboy.Busboy {
  try {
    return busboy({ headers: request.headers, limits: { files: 1, fields: 100, fieldSize: 2 ** 16 }, defParamCharset: 'utf8' })
  } catch (cause) {
    throw new EspalierError('BAD_INPUT', 'upload: the form does not say where its parts end', {
      cause,
      remedy: 'Send "content-type: multipart/form-data; boundary=…", as `curl -F file=@rows.jsonl` does, or the file as the body.',
    })
  }
}

/** Streams the one file of a multipart form to the blobs; its fields may stand before or after it. */
function receiveForm(request: Request, blobs: Pick<BlobStore, 'put'>): Promise<Received> {
  return new Promise((resolve, reject) => {
    const fields: Record<string, string> = {}
    let kept: Promise<{ blob: string; bytes: number; file: string }> | undefined
    const parser = formParser(request)
    const fail = (cause: unknown) => {
      request.unpipe(parser)
      request.resume()
      reject(
        cause instanceof EspalierError
          ? cause
          : new EspalierError('BAD_INPUT', 'upload: the form could not be read to its end', {
              cause,
              remedy: 'Send it again, whole.',
            }),
      )
    }
    parser.on('field', (name, value, info) => {
      if (info.valueTruncated) fail(new EspalierError('BAD_INPUT', `upload: the field ${name.slice(0, 40)} is longer than 64 KiB`))
      fields[name] = value
    })
    parser.on('filesLimit', () => fail(new EspalierError('BAD_INPUT', 'upload: the form has several files, expected one')))
    parser.on('file', (_name, stream, info) => {
      // a form that ends within its file: the store may not be listening yet, and an error that nobody hears ends the process
      stream.on('error', fail)
      kept = keep(blobs, stream).then((stored) => ({ ...stored, file: baseName(info.filename ?? 'upload') }))
      kept.catch(fail)
    })
    parser.on('error', fail)
    parser.on('close', () => {
      if (!kept)
        fail(
          new EspalierError('BAD_INPUT', 'upload: the form has no file', {
            remedy: 'Send a part with a file name: curl -F file=@rows.jsonl',
          }),
        )
      else kept.then((stored) => resolve({ ...stored, fields }), fail)
    })
    // a sender that goes away in the middle: what came of its file is thrown away
    request.on('aborted', () => parser.destroy(new EspalierError('BAD_INPUT', 'upload: the sender went away before its end')))
    request.pipe(parser)
  })
}

/** What the body of a request fails with when its sender goes away. */
const hasGone: ReadonlySet<string | undefined> = new Set(['ECONNRESET', 'ERR_STREAM_PREMATURE_CLOSE'])

/** The file that a request brings, as a multipart form or as its body; memory is that of a piece. BAD_INPUT when there is none. */
export async function receiveFile(request: Request, blobs: Pick<BlobStore, 'put'>, name?: string): Promise<Received> {
  if (request.is('multipart/form-data')) return receiveForm(request, blobs)
  const stored = await keep(blobs, request).catch((cause: NodeJS.ErrnoException) => {
    // anything else is a matter of the store (a full disk, say), and not of the sender
    throw hasGone.has(cause.code) ? new EspalierError('BAD_INPUT', 'upload: the body ended before its end', { cause }) : cause
  })
  if (stored.bytes === 0)
    throw new EspalierError('BAD_INPUT', 'upload: the body is empty', { remedy: 'Send the file as the body, or as a form.' })
  return { ...stored, file: baseName(name ?? 'upload'), fields: {} }
}

/** Whom an upload belongs to: names of keys may be given twice, their ids not. */
export const ownerOf = ({ kind, id }: Principal): string => `${kind}:${id}`

/** `POST /uploads`: a file ahead of the mutation that uses it, which names the id that is answered. */
export function uploadRoutes({ database, blobs }: ApiPlatform): Router {
  const router = Router()
  router.post('/uploads', async (request, response) => {
    try {
      const { principal } = (response as Identified).locals
      assertScope(principal, 'training_data:write', 'upload')
      const name = request.query['file']
      const { blob, bytes, file } = await receiveFile(request, blobs, typeof name === 'string' ? name : undefined)
      const upload = await saveUpload(database, { blob, bytes, file, owner: ownerOf(principal) }, new Date())
      response.status(201).json({ id: upload.id, file, bytes, sha256: blob })
    } catch (thrown) {
      refuse(response, thrown)
    }
  })
  return router
}
