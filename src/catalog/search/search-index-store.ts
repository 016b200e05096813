import { buildIndexes, takeIndexes } from '../../postgres/bulk-load.js'
import type { Client, Sql } from '../../postgres/sql.js'
import { type Annotations, noAnnotations } from '../people/annotation.js'
import { nameWords } from './search.js'

/**
 * The entries of contents `c` (key, kind, scope, name, qualified_name, comment, description): the words of a node's names, its comment and
 * description, and marks by which searches are narrowed. One text, cut into words by the reader of tsvector: arrays of words put
 * together take four times as long. Layer by layer, as functions are only taken into a statement where they are given columns.
 */
const entriesOf = (contents: string) => `
select key as node, ('''=' || search_quoted(case when name like '%  %' then regexp_replace(name, ' +', ' ', 'g') else name end)
  || ''' #' || kind || case when kind = 'Column' then ' @' else ' # @' end || scope || ' ' || search_quoted(qualified)
  || case when has_humps then ' ' || search_quoted(name) else '' end || coalesce(' ' || comment, '') || coalesce(' ' || description, ''))::tsvector as words
from (
  select key, kind, scope, has_humps, btrim(search_spaced(name), ' ') as name, search_spaced(qualified) as qualified,
    search_spaced_text(comment) as comment, search_spaced_text(description) as description
  from (
    select key, kind, scope, has_humps, case when has_humps then search_lower(search_name(name)) else search_lower(name) end as name,
      search_lower(qualified) as qualified, search_lower(comment) as comment, search_lower(description) as description
    from (
      select key, kind, scope, left(name, 500) as name, name <> lower(name) as has_humps, left(qualified_name, 500) as qualified,
        left(comment, 500) as comment, left(description, 500) as description
      from (${contents}) c offset 0
    ) said offset 0
  ) lowered offset 0
) spaced`

const content = `v.name, v.qualified_name, v.properties ->> 'comment' as comment, v.properties ->> 'description' as description`
const versionOf = (hash: string) => `lateral (select * from fact_version f where f.hash = ${hash} limit 1)`
// Each lateral is one look-up: statistics know nothing of rows of this very transaction.

/** Nodes whose words a snapshot later than all others may have changed, by the plan that it was applied by: no look at histories. */
const plannedContent = `
select p.node as key, p.kind, p.scope, ${content} from node_plan p join ${versionOf('p.after')} v on true left join ${versionOf('p.before')} b on true
where (b.hash is null or b.name <> v.name or b.qualified_name <> v.qualified_name
  or b.properties -> 'comment' is distinct from v.properties -> 'comment'
  or b.properties -> 'description' is distinct from v.properties -> 'description')`

/** Those whose entries did not come with them (fresh-store.ts). */
const isUnworded = 'p.is_worded is not true'

/** Nodes that such a snapshot brought. The words of many are cut on all cores, for which they must not be read from temporary tables. */
const begunContent = (at: Date, isWorded: boolean) => `
select h.node as key, h.kind, h.scope, ${content} from node_history h join fact_version v on v.hash = h.version
where h.valid_to = 'infinity' and h.begins and h.valid_from = '${at.toISOString()}' and h.scope = any(array(select distinct scope from node_plan))
  ${isWorded ? 'and not exists (select from search_entry e where e.node = h.node)' : ''}`
/** By look-ups: hashed tables that workers share want more of /dev/shm than a container has. */
const overCores = (statement: string) => `
set local max_parallel_workers_per_gather = 4; set local parallel_setup_cost = 0; set local parallel_tuple_cost = 0; set local enable_hashjoin = off;
${statement};
set local max_parallel_workers_per_gather to default; set local parallel_setup_cost to default; set local parallel_tuple_cost to default;
set local enable_hashjoin to default`

/** The nodes of `graph_node` as they are now. */
const touchedContent = `
select h.node as key, h.kind, h.scope, ${content} from (select distinct node from graph_node) g
join lateral (select * from node_history h where h.node = g.node and h.valid_to = 'infinity' limit 1) h on true join ${versionOf('h.version')} v on true`

const createIncoming = (contents: string) => `create temp table search_incoming on commit drop as ${entriesOf(contents)}`
const createManyIncoming = (at: Date, isWorded: boolean) => `
${overCores(createIncoming(begunContent(at, isWorded)))};
insert into search_incoming ${entriesOf(`${plannedContent} and p.before is not null`)}`
// Not ts_stat(), whose tree is not balanced: words that come in their order (t1, t2, …) take it the square of their number (40,000: 8 s).
const saveWords = `
insert into search_word
select distinct word from search_incoming i cross join lateral unnest(tsvector_to_array(i.words)) as s(word)
where left(word, 1) not in ('=', '#', '@') and not exists (select from search_word k where k.word = s.word) order by word on conflict do nothing`

const incomingEntries = (hasSaid: boolean) =>
  hasSaid
    ? `select c.node, c.words || coalesce(s.words, '')
       from search_incoming c join lateral (select id from node_key k where k.key = c.node limit 1) k on true left join search_said s on s.node_id = k.id`
    : 'select node, words from search_incoming'

/** What people said of nodes before they came. */
const saySaid = (scope: number) => `
update search_entry e set words = e.words || s.words from search_said s join node_key k on k.id = s.node_id
where e.node = k.key and k.scope = ${scope} and not exists (select from node_plan p where p.node = k.key and ${isUnworded})`

const overwrite = 'on conflict (node) do update set words = excluded.words where e.words <> excluded.words'

/**
 * Brings the index up to what an ingest or a deletion changed of the current state, in the same transaction. `isLast`: it was applied by
 * `node_plan` to the current rows; else `graph_node` names what changed. Entries whose words are as they were are not touched: most
 * changes of facts change no word. `worded`: the scope, where the entries of most that came are there already.
 */
export async function indexChanged(
  client: Client,
  { isLast, observedAt }: { isLast: boolean; observedAt?: Date },
  worded: number | null = null,
): Promise<void> {
  const isWorded = worded !== null
  const { rows } = await client.query<{ any: boolean }>('select exists (select from search_said) as any')
  await client.query(
    isLast
      ? 'delete from search_entry e using node_plan p where e.node = p.node and p.after is null'
      : `delete from search_entry e using graph_node g where e.node = g.node
         and not exists (select from node_history h where h.node = g.node and h.valid_to = 'infinity')`,
  )
  if (isWorded && rows[0]!.any) await client.query(saySaid(worded))
  const isMany = isLast && observedAt !== undefined && (await bringsMany(client, isWorded))
  const planned = isWorded ? `${plannedContent} and ${isUnworded}` : plannedContent
  const incoming = isMany ? createManyIncoming(observedAt, isWorded) : createIncoming(isLast ? planned : touchedContent)
  await client.query(`${incoming}; ${saveWords}`)
  const insert = `insert into search_entry as e (node, words) ${incomingEntries(rows[0]!.any)}`
  const taken = isMany ? await takeIndexes(client, ['search_entry']) : []
  await client.query(taken.length > 0 ? insert : `${insert} ${overwrite}`)
  await buildIndexes(client, taken)
}

/** From so many new nodes on their words are cut on all cores, and the indexes of an empty table are built over them. */
const manyNodes = 20_000

const bringsMany = async (client: Client, isWorded: boolean): Promise<boolean> => {
  const { rows } = await client.query<{ n: number }>(
    `select count(*) as n from node_plan p where before is null ${isWorded ? `and ${isUnworded}` : ''}`,
  )
  return rows[0]!.n >= manyNodes
}

const wordsOfAnnotations = ({ owners, tags, terms, description }: Annotations): string[] => [
  ...new Set([...owners, ...tags, ...terms, description ?? ''].flatMap(nameWords)),
]

/** Writes what people say of nodes now into the index; ids that name no node (now) are remembered for when it comes back. */
export async function indexSaid(client: Client | Sql, ids: readonly string[], said: ReadonlyMap<string, Annotations>): Promise<void> {
  const words = ids.map((id) => JSON.stringify(wordsOfAnnotations(said.get(id) ?? noAnnotations)))
  await client.query(
    `insert into search_said (node_id, words)
     select id, array_to_tsvector(array(select jsonb_array_elements_text(words::jsonb))) from unnest($1::text[], $2::text[]) as t(id, words)
     on conflict (node_id) do update set words = excluded.words`,
    [ids, words],
  )
  await client.query(
    `with c as (${entriesOf(`
       select k.key, h.kind, h.scope, ${content}
       from node_key k join node_history h on h.node = k.key and h.valid_to = 'infinity' join fact_version v on v.hash = h.version
       where k.id = any($1)`)})
     update search_entry e set words = c.words || s.words from c join node_key k on k.key = c.node join search_said s on s.node_id = k.id
     where e.node = c.node`,
    [ids],
  )
  await client.query(
    'insert into search_word select unnest(tsvector_to_array(words)) from search_said where node_id = any($1) on conflict do nothing',
    [ids],
  )
}

/** Notes the words of the entries that a deletion is about to change, for `sweepWords`. */
export async function noteGoing(client: Client): Promise<void> {
  await client.query(
    'create temp table search_gone on commit drop as select e.words from search_entry e join graph_node g on g.node = e.node',
  )
}

/** Forgets words that no entry holds any more, of those in `search_gone`: what was deleted must not be guessed from suggestions. */
export async function sweepWords(client: Client): Promise<void> {
  await client.query(
    `delete from search_word w using (select distinct unnest(tsvector_to_array(words)) as word from search_gone) g
     where w.word = g.word and not exists (select from search_entry e where e.words @@ ('''' || replace(replace(g.word, '\\', '\\\\'), '''', '''''') || '''')::tsquery)`,
  )
}
