import { Arg, Ctx, Int, Query, Resolver } from 'type-graphql'
import { appendAudit } from '../../access/store.js'
import { EspalierError } from '../../util/error.js'
import type { Properties } from '../../vocabulary.js'
import type { ApiContext } from '../context.js'
import { JsonScalar } from '../scalars.js'
import { CypherAnswer } from '../types/cypher.js'

const largest = { limit: 10_000, timeoutMs: 60_000 }
const auditedText = 10_000

function within(name: keyof typeof largest, value: number): number {
  if (value >= 1 && value <= largest[name]) return value
  throw new EspalierError('BAD_INPUT', `${name}: found ${value}, expected 1 to ${largest[name].toLocaleString('en')}`)
}

function parametersOf(params: unknown): Record<string, unknown> {
  if (params === null || params === undefined) return {}
  if (typeof params === 'object' && !Array.isArray(params)) return params as Record<string, unknown>
  throw new EspalierError(
    'BAD_INPUT',
    `params: found ${Array.isArray(params) ? 'a list' : typeof params}, expected an object of named values`,
  )
}

@Resolver()
export class CypherResolver {
  @Query(() => CypherAnswer, {
    description:
      'A read-only Cypher query over the whole graph, guarded, limited and audited. What could write is refused, and so is what the embedded graph lacks of Cypher 5, with a hint what to write instead. The pattern of =~ is a text or a parameter, and one that could take longer than in proportion to the text is refused. Twelve run at once; where too many wait: OVERLOADED.',
  })
  async cypher(
    @Ctx() { platform, actor }: ApiContext,
    @Arg('query', () => String) query: string,
    @Arg('params', () => JsonScalar, { nullable: true, description: 'Values of $names in the query' }) params?: unknown,
    @Arg('limit', () => Int, { defaultValue: 1_000, description: `Rows at most, up to ${largest.limit}` }) limit = 1_000,
    @Arg('timeoutMs', () => Int, { defaultValue: 10_000, description: `Up to ${largest.timeoutMs}` }) timeoutMs = 10_000,
  ): Promise<CypherAnswer> {
    const request = {
      text: query,
      parameters: parametersOf(params),
      limit: within('limit', limit),
      timeoutMs: within('timeoutMs', timeoutMs),
    }
    const audit = (details: Properties) =>
      appendAudit(platform.database, {
        actor,
        action: 'run-cypher',
        subject: 'graph',
        details: { query: query.slice(0, auditedText), ...details },
      })
    try {
      const answer = await platform.graph.read(request)
      await audit({ outcome: 'ok', rows: answer.rows.length, elapsedMs: answer.elapsedMs })
      return { ...answer, elapsedMs: Math.round(answer.elapsedMs) }
    } catch (error) {
      await audit({ outcome: error instanceof EspalierError ? error.code : 'INTERNAL' })
      throw error
    }
  }
}
