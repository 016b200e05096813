import { expect } from 'vitest'

/** Cartesian products, long paths, whatever takes memory, huge answers: none ends by itself and gives what was asked. */
export const attacks = [
  'MATCH (a), (b), (c), (d), (e), (f), (g), (h) RETURN count(*) AS n',
  'UNWIND range(1, 100000) AS a UNWIND range(1, 100000) AS b UNWIND range(1, 100000) AS c RETURN sum(a + b + c) AS s',
  'MATCH p = (a)-[*1..30]-(b), q = (c)-[*1..30]-(d) RETURN count(*) AS n',
  'MATCH (a), (b), (c), (d), (e) RETURN collect(a.name + b.name + c.name + d.name + e.name) AS l',
  'UNWIND range(1, 2000000000) AS x RETURN collect(toString(x) + "................................") AS l',
  'MATCH (a), (b), (c), (d), (e) WITH a, b, c, d, e ORDER BY a.name + b.name + c.name + d.name + e.name DESC RETURN a.name AS n LIMIT 1',
  'UNWIND range(1, 100000) AS x MATCH (a), (b), (c) RETURN x, a.name AS a, b.name AS b, c.name AS c ORDER BY x + size(a.name) LIMIT 5',
  'RETURN size(reduce(s = "x", i IN range(1, 60) | s + s)) AS n',
  'UNWIND range(1, 10000) AS x RETURN x, range(1, 200000) AS l',
  'RETURN range(1, 300000000) AS l',
  'RETURN [x IN range(1, 300000000) | {a: x, b: toString(x)}] AS l',
  'RETURN any(x IN range(1, 1000000000000) WHERE x < 0) AS x',
  'RETURN size(split(reduce(s = "a,", i IN range(1, 26) | s + s), ",")) AS n',
  'WITH reduce(l = [1], i IN range(1, 40) | l + l) AS l RETURN DISTINCT l',
]

/** Sends a query of GraphQL by HTTP; answers what came. */
export type Post = (query: string, variables?: Record<string, unknown>) => Promise<{ data?: unknown; errors?: Failure[] }>
interface Failure {
  message: string
  extensions?: { code?: string }
}

interface Answer {
  cypher: { isPartial: boolean }
}

export interface AttackReport {
  /** how attackers' queries ended, by code; `cut`: at the limit of an answer's size */
  outcomes: Record<string, number>
  /** answers of each of the others, and the longest it waited, in milliseconds */
  others: Record<string, { answers: number; longestMs: number }>
}

const cypher = 'query ($query: String!, $timeoutMs: Int!) { cypher(query: $query, timeoutMs: $timeoutMs) { rows isPartial } }'

/**
 * Eight attackers at once for `ms`, each with time limits of its own, while `others` ask over and over. Each of the others checks its answer
 * itself and fails the test with the first wrong one.
 */
export async function attackTogether(post: Post, ms: number, others: Record<string, () => Promise<void>>): Promise<AttackReport> {
  const end = performance.now() + ms
  const report: AttackReport = { outcomes: {}, others: {} }
  const attackers = Array.from({ length: 8 }, async (_, i) => {
    for (let k = i; performance.now() < end; k++) {
      const { data, errors } = await post(cypher, { query: attacks[k % attacks.length], timeoutMs: 700 + 300 * i })
      const code = errors?.[0]?.extensions?.code ?? ((data as Answer).cypher.isPartial ? 'cut' : 'answered')
      report.outcomes[code] = (report.outcomes[code] ?? 0) + 1
    }
  })
  const asked = Object.entries(others).map(async ([name, ask]) => {
    const mine = { answers: 0, longestMs: 0 }
    report.others[name] = mine
    while (performance.now() < end) {
      const began = performance.now()
      await ask()
      mine.longestMs = Math.max(mine.longestMs, performance.now() - began)
      mine.answers++
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  })
  await Promise.all([...attackers, ...asked])
  return report
}

/** A small query of somebody else. */
export const smallQuery = async (post: Post, query: string, rows: unknown[][]): Promise<void> => {
  const { data, errors } = await post(cypher, { query, timeoutMs: 30_000 })
  expect(errors).toBeUndefined()
  expect(data).toEqual({ cypher: { rows, isPartial: false } })
}
