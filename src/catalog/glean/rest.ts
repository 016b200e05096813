import { EspalierError, messageOf } from '../../util/error.js'
import { printAngle } from './angle.js'
import { predicateName, type RawKey } from './predicates.js'
import { defaultTimeoutMs, type FactQuery, type FactRange, type GleanTransport } from './transport.js'

export interface RestOptions {
  /** the bridge: queries go to `<url>/query` */
  url: string
  prefix: string
  /** default 60,000 */
  timeoutMs?: number
}

/** Asked for where the caller sets no limit: the bridge wants a number. */
const noLimit = 1_000_000

const remedy = 'Is GLEAN_QUERY_API_URL the address of the bridge, without /query at its end?'

/** The keys in an answer: a list of `{ key }`, or one object. */
function keysOf(answer: unknown): RawKey[] {
  const facts = Array.isArray(answer) ? answer : [answer]
  return facts.map((fact: unknown) => {
    const key = typeof fact === 'object' && fact !== null ? (fact as { key?: unknown }).key : undefined
    if (typeof key === 'object' && key !== null) return key as RawKey
    throw new TypeError(`expected a list of { key }, found ${(JSON.stringify(fact) ?? 'nothing').slice(0, 120)}`)
  })
}

/** Glean behind a REST bridge: `POST <url>/query { predicate, query, limit }`. It can only be read. */
export function openRest({ url, prefix, timeoutMs = defaultTimeoutMs }: RestOptions): GleanTransport {
  const address = `${url.replace(/\/+$/, '')}/query`

  async function ask(body: object): Promise<string> {
    try {
      const response = await fetch(address, {
        method: 'POST',
        headers: { 'content-type': 'application/json', accept: 'application/json' },
        body: JSON.stringify(body),
        signal: AbortSignal.timeout(timeoutMs),
      })
      const text = await response.text()
      if (response.ok) return text
      const cause = new Error(text.slice(0, 2_000) || 'the answer is empty')
      throw new EspalierError('GLEAN_FAILED', `${address} answered HTTP ${response.status}: ${text.slice(0, 200)}`, { cause, remedy })
    } catch (cause) {
      if (cause instanceof EspalierError) throw cause
      if ((cause as Error).name === 'TimeoutError')
        throw new EspalierError('TIMEOUT', `${address}: no answer within ${timeoutMs / 1000} s`, {
          cause,
          remedy: 'Ask for fewer days or facts.',
        })
      throw new EspalierError('UNAVAILABLE', `${address} cannot be reached: ${messageOf((cause as Error).cause ?? cause)}`, {
        cause,
        remedy,
      })
    }
  }

  return {
    name: 'rest',
    place: url,

    async query(query: FactQuery, { offset = 0, limit }: FactRange = {}) {
      const end = limit === undefined ? noLimit : offset + limit
      if (end <= 0) return []
      const text = await ask({ predicate: predicateName(prefix, query.predicate), query: printAngle(query, prefix), limit: end })
      try {
        const keys = keysOf(JSON.parse(text))
        if (limit === undefined && keys.length >= noLimit) throw new RangeError(`it has ${noLimit} facts or more: ask for fewer days`)
        return keys.slice(offset, end)
      } catch (cause) {
        throw new EspalierError('GLEAN_FAILED', `${address}: ${messageOf(cause)}`, { cause, remedy })
      }
    },

    write() {
      return Promise.reject(
        new EspalierError('BAD_INPUT', 'the REST bridge of Glean can only be read', {
          remedy: 'Export into a folder (give a directory, or set GLEAN_BATCH_DIR), or let the glean command line write.',
        }),
      )
    },
  }
}
