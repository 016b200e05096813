import { once } from 'node:events'
import type { Request, RequestHandler, Response } from 'express'
import { assertProject, assertScope, type Principal } from '../../access/principal.js'
import type { Scope } from '../../access/scopes.js'
import { findDataset, readDataset } from '../../datasets/exchange/dataset-store.js'
import { findDatasetVersion } from '../../datasets/store.js'
import type { Dataset, DatasetVersion } from '../../datasets/version.js'
import { auditDeed, type Parts } from '../../training-data.js'
import { didYouMean } from '../../util/closest.js'
import { EspalierError } from '../../util/error.js'
import type { JsonValue, Properties } from '../../vocabulary.js'
import type { ApiPlatform } from '../context.js'
import { type Identified, refuse } from '../http/callers.js'

/** What a request says by query, form fields or a JSON body, read strictly: an unknown name is an error, not silence. */
export class Parameters {
  private readonly asked = new Set<string>()
  constructor(private readonly given: Readonly<Record<string, unknown>>) {}

  text(name: string): string | undefined {
    this.asked.add(name)
    const value = this.given[name]
    if (value === undefined || value === '' || value === null) return undefined
    if (typeof value === 'string') return value
    if (typeof value === 'number' || typeof value === 'boolean') return String(value)
    throw new EspalierError('BAD_INPUT', `${name}: found ${JSON.stringify(value).slice(0, 60)}, expected one text`)
  }

  required(name: string): string {
    const value = this.text(name)
    if (value !== undefined) return value
    throw new EspalierError('BAD_INPUT', `${name}: found nothing, expected a text`, { remedy: `Give ${name} in the query, or as a field.` })
  }

  choice<T extends string>(name: string, choices: readonly T[]): T | undefined {
    const value = this.text(name)
    if (value === undefined || choices.includes(value as T)) return value as T | undefined
    throw new EspalierError('BAD_INPUT', `${name}: found "${value.slice(0, 60)}", expected one of ${choices.join(', ')}`, {
      remedy: didYouMean(value, choices) ?? 'Name one of these.',
    })
  }

  flag(name: string): boolean | undefined {
    const value = this.choice(name, ['true', 'false', '1', '0'])
    return value === undefined ? undefined : value === 'true' || value === '1'
  }

  number(name: string, { min, max, usual }: { min: number; max: number; usual: number }): number {
    const value = this.text(name)
    if (value === undefined) return usual
    const number = Number(value)
    if (Number.isInteger(number) && number >= min && number <= max) return number
    throw new EspalierError('BAD_INPUT', `${name}: found "${value.slice(0, 60)}", expected a whole number from ${min} to ${max}`)
  }

  /** A JSON value, given as such or as its text. */
  json(name: string): JsonValue | undefined {
    this.asked.add(name)
    const value = this.given[name]
    if (typeof value !== 'string') return value as JsonValue | undefined
    try {
      return JSON.parse(value) as JsonValue
    } catch {
      throw new EspalierError('BAD_INPUT', `${name}: found ${value.slice(0, 60)}, expected JSON`)
    }
  }

  /** A JSON object, likewise. */
  object(name: string): Properties | undefined {
    const value = this.json(name)
    if (value === undefined || (typeof value === 'object' && value !== null && !Array.isArray(value))) return value
    throw new EspalierError('BAD_INPUT', `${name}: found ${JSON.stringify(value).slice(0, 60)}, expected an object`)
  }

  /** Throws BAD_INPUT when something was given that nobody asked for. Call it when all is read. */
  end(): void {
    const unknown = Object.keys(this.given).find((name) => !this.asked.has(name))
    if (unknown === undefined) return
    throw new EspalierError('BAD_INPUT', `"${unknown.slice(0, 60)}" is no parameter here`, {
      remedy: didYouMean(unknown, this.asked) ?? `There are ${[...this.asked].join(', ')}.`,
    })
  }
}

/** A request whose caller is known. */
export interface Call {
  request: Request
  response: Response
  principal: Principal
  parts: Parts
  parameters: Parameters
}

/** Answers with what `work` returns as JSON; refusals are told as such, and noted when they concern a dataset. */
export function handler(platform: ApiPlatform, work: (call: Call) => Promise<unknown>): RequestHandler {
  const { database, blobs } = platform
  return async (request, response) => {
    const { principal } = (response as Identified).locals
    const parts = { database, blobs, actor: principal.name }
    try {
      const body = request.body !== null && typeof request.body === 'object' ? (request.body as Record<string, unknown>) : {}
      const parameters = new Parameters({ ...request.query, ...body })
      const answer = await work({ request, response, principal, parts, parameters })
      if (answer !== undefined) response.json(answer)
    } catch (thrown) {
      if (thrown instanceof EspalierError && thrown.code === 'FORBIDDEN')
        await auditDeed(database, principal.name, 'denied', String(request.params['id'] ?? ''), {
          deed: `${request.method} ${request.path}`,
        })
      if (response.headersSent) {
        platform.log.error({ err: thrown }, 'an answer was broken off')
        response.destroy()
      } else refuse(response, thrown)
    }
  }
}

/** The dataset of the path, when the caller may do this to it. What is not there and what is another's is the same to who is limited. */
export async function reach({ request, principal, parts: { database } }: Call, scope: Scope, deed: string): Promise<Dataset> {
  assertScope(principal, scope, deed)
  const id = String(request.params['id'])
  const found = await findDataset(database, id)
  if (principal.projects !== null) assertProject(principal, found?.projectId ?? null, deed)
  return found ?? readDataset(database, id)
}

export const versionOf = ({ parts: { database }, parameters }: Call, dataset: Dataset): Promise<DatasetVersion> =>
  findDatasetVersion(database, dataset.id, parameters.text('version') ?? 'latest')

/** Names of fields by names of fields: an object, or `intent=expected_intent,label=expected_sentiment`. */
export function mappingOf(given: JsonValue | string | undefined): Record<string, string> | undefined {
  if (given === undefined || given === null) return undefined
  const pairs =
    typeof given === 'string'
      ? given.split(',').map((pair) => pair.split('=').map((side) => side.trim()))
      : typeof given === 'object' && !Array.isArray(given)
        ? Object.entries(given)
        : []
  if (
    pairs.length > 0 &&
    pairs.every(([from, to, more]) => typeof from === 'string' && from && typeof to === 'string' && to && more === undefined)
  )
    return Object.fromEntries(pairs as [string, string][])
  throw new EspalierError(
    'BAD_INPUT',
    `mapping: found ${JSON.stringify(given).slice(0, 80)}, expected intent=expected_intent, or an object`,
  )
}

/** Sends bytes as they come. Nothing is sent before the first of them is there, so that what goes wrong at the start is told as an error. */
export async function sendBytes(
  { response }: Call,
  { fileName, mediaType, loses, bytes }: { fileName: string; mediaType: string; loses: string | null; bytes: AsyncIterable<Uint8Array> },
): Promise<void> {
  const iterator = bytes[Symbol.asyncIterator]()
  try {
    let next = await iterator.next()
    response.set({
      'content-type': mediaType,
      'content-disposition': `attachment; filename="${fileName}"`,
      'x-content-type-options': 'nosniff',
      'cache-control': 'private, no-store',
      ...(loses ? { 'x-dataset-loses': loses } : {}),
    })
    while (!next.done && !response.destroyed) {
      if (!response.write(next.value)) await Promise.race([once(response, 'drain'), once(response, 'close')])
      next = await iterator.next()
    }
    if (next.done) response.end()
  } finally {
    await iterator.return?.()
  }
}

/** Does what a path stands for; what it returns is answered as JSON. */
export type Route = (call: Call) => Promise<unknown>
