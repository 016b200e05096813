import { GraphQLError, locatedError } from 'graphql'
import { describe, expect, test } from 'vitest'
import { formatError } from '../../../src/api/errors.js'
import { type ErrorCode, EspalierError, errorCodes } from '../../../src/util/error.js'

function formatter() {
  const lines: Record<string, unknown>[] = []
  const format = formatError({ error: ((fields: Record<string, unknown>) => void lines.push(fields)) as never })
  /** as graphql-js hands on what a resolver threw */
  return { lines, thrown: (error: Error) => ((e: GraphQLError) => format(e.toJSON(), e))(locatedError(error, [], ['run'])) }
}

describe('formatError', () => {
  test.each(Object.keys(errorCodes) as ErrorCode[])('%s keeps its message and remedy, and has its code of the table', (code) => {
    const { thrown, lines } = formatter()
    expect(thrown(new EspalierError(code, 'what and where', { remedy: 'do this' }))).toEqual({
      message: 'what and where',
      path: ['run'],
      extensions: { code: errorCodes[code].graphql, remedy: 'do this', ...(errorCodes[code].retryable ? { retryable: true } : {}) },
    })
    expect(lines).toEqual([])
  })

  test('problems travel', () => {
    const problems = [{ severity: 'error', code: 'x', where: 'a.sql:1', found: 'y', expected: 'z' }] as const
    expect(formatter().thrown(new EspalierError('BAD_INPUT', 'm', { problems })).extensions?.['problems']).toEqual(problems)
  })

  test('the unknown is masked: neither SQL nor stack nor message leaves, and the log has it under the id', () => {
    const { thrown, lines } = formatter()
    const secret = Object.assign(new Error('syntax error at or near "SELEC" password=hunter2'), { query: 'SELEC 1' })
    const answer = thrown(secret)
    expect(JSON.stringify(answer)).not.toMatch(/SELEC|hunter2|\.ts/)
    expect(answer.extensions?.['code']).toBe('INTERNAL_SERVER_ERROR')
    expect(lines).toMatchObject([{ logId: answer.extensions?.['logId'], err: secret }])
    expect(answer.message).toContain(String(lines[0]!['logId']))
  })

  test("graphql's own errors pass, without a stack", () => {
    const { thrown, lines } = formatter()
    const own = new GraphQLError('Cannot query field "x"', { extensions: { code: 'GRAPHQL_VALIDATION_FAILED', stacktrace: ['at …'] } })
    expect(thrown(own)).toMatchObject({ message: 'Cannot query field "x"', extensions: { code: 'GRAPHQL_VALIDATION_FAILED' } })
    expect(JSON.stringify(thrown(own))).not.toContain('stacktrace')
    expect(lines).toEqual([])
  })
})
