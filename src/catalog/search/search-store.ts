import type { Sql } from '../../postgres/sql.js'
import { EspalierError } from '../../util/error.js'
import type { NodeKind } from '../../vocabulary.js'
import { noAnnotations } from '../people/annotation.js'
import { readAnnotations } from '../people/people-store.js'
import {
  type AskedWord,
  askedWords,
  type Candidate,
  type Highlight,
  highlightsOf,
  meantBy,
  type Narrowing,
  rank,
  searchQueries,
} from './search.js'

export interface SearchRequest {
  /** words, in any spelling: `customer_id`, `CustomerId`, `customer id`; the last ones may be beginnings */
  text: string
  kinds?: readonly NodeKind[]
  projectId?: string
  /** a system of that project */
  systemId?: string
  /** default 25 */
  first?: number
  /** where the page before ended */
  after?: { score: number; id: string }
}

export interface SearchHit {
  id: string
  score: number
  highlights: Highlight[]
}

export interface SearchAnswer {
  hits: SearchHit[]
  hasMore: boolean
  /** words that were taken for others, because they found (next to) nothing themselves */
  corrections: AskedWord[]
  /** more match than were ranked: the best names are among them, of lesser matches some may not be */
  isPartial: boolean
  /** all that match, ranked or not */
  count(): Promise<number>
}

/** Candidates per tier (search.ts): whole names and tables before the mass of columns. Their sum bounds the time that ranking takes. */
const tierLimits = [100, 200, 200, 300]
/** With fewer candidates than this, words are also taken for others like them. */
const enough = 10

/** Nodes that exist now by what they are called and what is said of them, the best first; every word must be found, if any can be. */
export async function search(sql: Sql, request: SearchRequest): Promise<SearchAnswer> {
  const words = askedWords(request.text).map((word): AskedWord => ({ word, meant: [] }))
  if (words.length === 0)
    throw new EspalierError(
      'BAD_INPUT',
      `search: found ${JSON.stringify(request.text.slice(0, 80))}, expected letters or digits to look for`,
    )
  const narrowing = await readNarrowing(sql, request)
  if (narrowing === null) return nothing
  const found = await findCandidates(sql, words, narrowing)
  const ranked = rank(found.candidates, found.words)
  const { after, first = 25 } = request
  const rest = after
    ? ranked.filter(({ score, candidate: { id } }) => score < after.score || (score === after.score && id > after.id))
    : ranked
  return {
    hits: rest
      .slice(0, first)
      .map(({ candidate, score }) => ({ id: candidate.id, score, highlights: highlightsOf(candidate, found.words) })),
    hasMore: rest.length > first,
    corrections: found.words.filter(({ meant }) => meant.length > 0),
    isPartial: found.isPartial,
    async count() {
      const { rows } = await sql.query<{ n: number }>('select count(*) as n from search_entry where words @@ $1::tsquery', [found.query])
      return rows[0]!.n
    },
  }
}

const nothing: SearchAnswer = { hits: [], hasMore: false, corrections: [], isPartial: false, count: async () => 0 }

/** null: nothing can be in a project or system that does not exist. */
async function readNarrowing(sql: Sql, { kinds, projectId, systemId }: SearchRequest): Promise<Narrowing | null> {
  const ofKinds = kinds ? { kinds } : {}
  if (kinds?.length === 0) return null
  if (projectId === undefined && systemId === undefined) return ofKinds
  const { rows } = await sql.query<{ key: number; is_meant: boolean }>(
    `select key, ($1::text is null or project_id = $1) and ($2::text is null or system_id = $2) as is_meant from catalog_scope`,
    [projectId ?? null, systemId ?? null],
  )
  const scopes = rows.filter((row) => row.is_meant).map((row) => row.key)
  if (scopes.length === 0) return null
  // where everything is meant, nothing needs to be compared
  return scopes.length === rows.length ? ofKinds : { ...ofKinds, scopes }
}

interface Found {
  words: AskedWord[]
  candidates: Candidate[]
  isPartial: boolean
  /** what all that match must fulfil */
  query: string
}

/** First the words as they are; if they find too little, with those they may mean; if that finds nothing, any of them. */
async function findCandidates(sql: Sql, words: AskedWord[], narrowing: Narrowing): Promise<Found> {
  const strict = searchQueries(words, narrowing)
  const exact = await readCandidates(sql, strict.tiers, tierLimits)
  if (exact.candidates.length >= enough) return { words, ...exact, query: strict.all }
  const corrected = await readMeant(sql, words)
  const tolerant = searchQueries(corrected, narrowing)
  const near = corrected.some(({ meant }) => meant.length > 0) ? await readCandidates(sql, tolerant.tiers, tierLimits) : exact
  if (near.candidates.length > 0) return { words: corrected, ...near, query: tolerant.all }
  if (words.length === 1) return { words: corrected, ...near, query: tolerant.all }
  return { words: corrected, ...(await readCandidates(sql, tolerant.anyTiers, tierLimits.slice(2))), query: tolerant.any }
}

async function readMeant(sql: Sql, words: readonly AskedWord[]): Promise<AskedWord[]> {
  const { rows } = await sql.query<{ asked: string; word: string }>(
    'select asked, n.word from unnest($1::text[]) as asked, search_near(asked, 20) n',
    [words.map(({ word }) => word)],
  )
  return words.map(({ word }) => ({
    word,
    meant: meantBy(
      word,
      rows.filter((row) => row.asked === word).map((row) => row.word),
    ),
  }))
}

async function readCandidates(
  sql: Sql,
  tiers: readonly string[],
  limits: readonly number[],
): Promise<{ candidates: Candidate[]; isPartial: boolean }> {
  const { rows } = await sql.query<Omit<Candidate, 'said'> & { is_full: boolean }>(
    `with tier as materialized (
       select t.tier, m.node from unnest($1::text[], $2::integer[]) with ordinality as t(query, most, tier), search_matches(t.query::tsquery, t.most) m(node)
     )
     select k.id, h.kind, v.name, v.qualified_name as "qualifiedName", left(v.properties ->> 'comment', 1000) as comment,
       left(v.properties ->> 'description', 1000) as description,
       (select count(*) >= $3 from tier where tier = cardinality($1::text[])) as is_full
     from (select distinct node from tier) t
     join lateral (select id from node_key k where k.key = t.node limit 1) k on true
     join lateral (select kind, version from node_history h where h.node = t.node and h.valid_to = 'infinity' limit 1) h on true
     join lateral (select * from fact_version f where f.hash = h.version limit 1) v on true`,
    [tiers, limits, limits.at(-1)],
  )
  const said = await readAnnotations(
    sql,
    rows.map((row) => row.id),
  )
  return {
    candidates: rows.map(({ is_full: _, ...row }) => ({ ...row, said: said.get(row.id) ?? noAnnotations })),
    isPartial: rows[0]?.is_full ?? false,
  }
}
