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
  /**
   * answers of each of the others, and how many of them overtook an attack: it was under way when they were asked for, and still when they
   * came
   */
  others: Record<string, { answers: number; overtook: number }>
}

const cypher = 'query ($query: String!, $timeoutMs: Int!) { cypher(query: $query, timeoutMs: $timeoutMs) { rows isPartial } }'

/**
 * Eight attackers at once, each with time limits of its own, while `others` ask over and over: until each attack was tried, and each of the
 * others had answers, some of which overtook an attack. Where they must wait until attackers are through, that never comes, and the test's
 * time runs out. Each of the others checks its answer itself and fails the test with the first wrong one.
 */
export async function attackTogether(post: Post, least: number, others: Record<string, () => Promise<void>>): Promise<AttackReport> {
  const report: AttackReport = { outcomes: {}, others: {} }
  for (const name of Object.keys(others)) report.others[name] = { answers: 0, overtook: 0 }
  let begun = 0
  let failed = false
  const running = new Set<number>()
  const isDone = () =>
    failed || (begun >= attacks.length && Object.values(report.others).every(({ answers, overtook }) => answers >= least && overtook > 0))
  const attackers = Array.from({ length: 8 }, async (_, i) => {
    while (!isDone()) {
      const attack = begun++
      running.add(attack)
      const { data, errors } = await post(cypher, { query: attacks[attack % attacks.length], timeoutMs: 700 + 400 * i })
      running.delete(attack)
      const code = errors?.[0]?.extensions?.code ?? ((data as Answer).cypher.isPartial ? 'cut' : 'answered')
      report.outcomes[code] = (report.outcomes[code] ?? 0) + 1
    }
  })
  const asked = Object.entries(others).map(async ([name, ask]) => {
    const mine = report.others[name]!
    while (!isDone()) {
      const before = [...running]
      await ask()
      mine.answers++
      if (before.some((attack) => running.has(attack))) mine.overtook++
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  })
  const fail = (error: unknown) => {
    failed = true
    throw error
  }
  await Promise.all([...attackers, ...asked].map((one) => one.catch(fail)))
  return report
}

/** A small query of somebody else. */
export const smallQuery = async (post: Post, query: string, rows: unknown[][]): Promise<void> => {
  const { data, errors } = await post(cypher, { query, timeoutMs: 30_000 })
  expect(errors).toBeUndefined()
  expect(data).toEqual({ cypher: { rows, isPartial: false } })
}
