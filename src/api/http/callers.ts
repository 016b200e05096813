import type { IncomingHttpHeaders } from 'node:http'
import type { NextFunction, Request, Response } from 'express'
import type { Gate } from '../../access/gate.js'
import { localPrincipal, type Principal } from '../../access/principal.js'
import { type ErrorDetails, EspalierError, errorCodes } from '../../util/error.js'
import { isLocalCaller } from './guard.js'

/** Finds out who calls, by HTTP or WebSocket, and whether too often. */
export interface Callers {
  /** Whether a WebSocket may be opened at all: while there are no keys, not by a page of another site or by another name. */
  isWelcome(headers: IncomingHttpHeaders): Promise<boolean>
  /** Throws UNAUTHENTICATED, FORBIDDEN (a foreign host while there are no keys) or OVERLOADED (too many requests). */
  identify(headers: IncomingHttpHeaders, parameters?: Readonly<Record<string, unknown>>): Promise<Principal>
}

interface Bucket {
  left: number
  at: number
}

/** At most `perMinute` requests of one caller in a minute, in bursts of no more: a token bucket for each, forgotten once it is full. */
export function requestLimit(perMinute: number, now: () => number = () => performance.now()): (id: string) => void {
  const buckets = new Map<string, Bucket>()
  const filled = ({ left, at }: Bucket, moment: number) => Math.min(perMinute, left + ((moment - at) / 60_000) * perMinute)
  return (id) => {
    const moment = now()
    const left = filled(buckets.get(id) ?? { left: perMinute, at: moment }, moment)
    if (left < 1)
      throw new EspalierError('OVERLOADED', `more than ${perMinute} requests in a minute came from this key`, {
        remedy: `Wait ${Math.ceil((1 - left) * (60 / perMinute))} s, or raise ESPALIER_REQUESTS_PER_MINUTE.`,
      })
    buckets.set(id, { left: left - 1, at: moment })
    if (buckets.size > 10_000) for (const [key, bucket] of buckets) if (filled(bucket, moment) >= perMinute) buckets.delete(key)
  }
}

const text = (value: unknown): string | undefined => (typeof value === 'string' && value !== '' ? value : undefined)

/** Headers first; a WebSocket of a browser cannot send any, so its connection parameters (of the same names) count as well. */
export function openCallers(gate: Gate, perMinute: number): Callers {
  const count = requestLimit(perMinute)
  return {
    isWelcome: async (headers) => isLocalCaller(headers) || gate.isGuarded(),
    async identify(headers, parameters = {}) {
      const authorization = text(headers.authorization) ?? text(parameters['authorization'] ?? parameters['Authorization'])
      const apiKey = text(headers['x-api-key']) ?? text(parameters['apiKey'] ?? parameters['x-api-key'] ?? parameters['X-API-Key'])
      const principal = await gate.authenticate({ authorization, apiKey })
      if (principal !== localPrincipal) count(`${principal.kind}:${principal.id}`)
      // whoever brings the owner's key is no page that was rebound to loopback
      else if (!apiKey && !authorization && !isLocalCaller(headers)) throw foreignHost(headers)
      return principal
    },
  }
}

const foreignHost = ({ host, origin }: IncomingHttpHeaders): EspalierError => {
  const details: ErrorDetails = { remedy: 'Use http://127.0.0.1 or http://localhost, or make a key: `espalier keys create`.' }
  const from = `Host "${host}"${origin ? `, origin "${origin}"` : ''}`
  return new EspalierError('FORBIDDEN', `${from}: this server answers only to loopback names while no keys are configured`, details)
}

/** A refusal as the answer of a plain HTTP request. */
export function refuse(response: Response, thrown: unknown): void {
  if (!(thrown instanceof EspalierError)) throw thrown
  const { graphql, http } = errorCodes[thrown.code]
  if (http === 401) response.set('www-authenticate', 'Bearer realm="espalier"')
  response.status(thrown.code === 'OVERLOADED' ? 429 : http).json({
    errors: [
      {
        message: thrown.message,
        extensions: {
          code: graphql,
          ...(thrown.remedy ? { remedy: thrown.remedy } : {}),
          ...(thrown.problems.length > 0 ? { problems: thrown.problems } : {}),
        },
      },
    ],
  })
}

/** Who calls, for the handlers after this one. */
export type Identified = Response<unknown, { principal: Principal }>

/** Lets through whom the gate lets through, and tells the handlers who it is (`response.locals.principal`). */
export const identified =
  ({ identify }: Callers) =>
  async (request: Request, response: Response, next: NextFunction): Promise<void> => {
    try {
      response.locals['principal'] = await identify(request.headers)
    } catch (thrown) {
      return refuse(response, thrown)
    }
    next()
  }
