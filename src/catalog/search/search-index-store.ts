import type { Client, Sql } from '../../postgres/sql.js'
import { type Annotations, noAnnotations } from '../people/annotation.js'
import { nameWords } from './search.js'

/** The words of a node: of its names, its comment and description, and marks by which searches are narrowed. */
const wordsOfFacts = `
array_to_tsvector(
  case when c.name <> lower(c.name) then search_words(search_name(c.name)) else '{}'::text[] end
  || search_words(c.qualified_name) || search_text(c.comment) || search_text(c.description)
  || array['=' || array_to_string(search_words(case when c.name = lower(c.name) then c.name else search_name(c.name) end), ' '),
    '#' || c.kind, '@' || c.scope]
  || case when c.kind <> 'Column' then '{#}'::text[] else '{}'::text[] end)`

const content = `v.name, v.qualified_name, v.properties ->> 'comment' as comment, v.properties ->> 'description' as description`
const versionOf = (hash: string) => `lateral (select * from fact_version f where f.hash = ${hash} limit 1)`
// Each lateral is one look-up: statistics know nothing of rows of this very transaction.

/** Nodes whose words a snapshot later than all others may have changed, by the plan that it was applied by: no look at histories. */
const plannedContent = `
select p.node as key, p.kind, p.scope, ${content} from node_plan p join ${versionOf('p.after')} v on true left join ${versionOf('p.before')} b on true
where b.hash is null or b.name <> v.name or b.qualified_name <> v.qualified_name
  or b.properties -> 'comment' is distinct from v.properties -> 'comment'
  or b.properties -> 'description' is distinct from v.properties -> 'description'`

/** The nodes of `graph_node` as they are now. */
const touchedContent = `
select h.node as key, h.kind, h.scope, ${content} from (select distinct node from graph_node) g
join lateral (select * from node_history h where h.node = g.node and h.valid_to = 'infinity' limit 1) h on true join ${versionOf('h.version')} v on true`

/** Writes the entries of `c` (the content of nodes) and the words that are new. */
const saveEntries = (contents: string, hasSaid: boolean) => `
with c as materialized (${contents}), known as (
  insert into search_word
  select distinct word from (
    select unnest(search_words(case when name = lower(name) then name else search_name(name) end)) as word from (select distinct name from c) n
    -- a column's path is made of its table's words, which come with the table
    union all select unnest(search_words(qualified_name)) from c where kind <> 'Column'
    union all select unnest(search_text(comment)) from (select distinct comment from c) t
    union all select unnest(search_text(description)) from (select distinct description from c) t
  ) w where not exists (select from search_word k where k.word = w.word)
  on conflict do nothing
)
insert into search_entry as e (node, words)
${
  hasSaid
    ? `select c.key, ${wordsOfFacts} || coalesce(s.words, '')
       from c join lateral (select id from node_key k where k.key = c.key limit 1) k on true left join search_said s on s.node_id = k.id`
    : `select c.key, ${wordsOfFacts} from c`
}
on conflict (node) do update set words = excluded.words where e.words <> excluded.words`

/**
 * Brings the index up to what an ingest or a deletion changed of the current state, in the same transaction. `isLast`: it was applied by
 * `node_plan` to the current rows; else `graph_node` names what changed. Entries whose words are as they were are not touched: most
 * changes of facts change no word.
 */
export async function indexChanged(client: Client, { isLast }: { isLast: boolean }): Promise<void> {
  const { rows } = await client.query<{ any: boolean }>('select exists (select from search_said) as any')
  await client.query(
    isLast
      ? 'delete from search_entry e using node_plan p where e.node = p.node and p.after is null'
      : `delete from search_entry e using graph_node g where e.node = g.node
         and not exists (select from node_history h where h.node = g.node and h.valid_to = 'infinity')`,
  )
  await client.query(saveEntries(isLast ? plannedContent : touchedContent, rows[0]!.any))
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
    `with c as (
       select k.key, k.id, h.kind, h.scope, ${content}
       from node_key k join node_history h on h.node = k.key and h.valid_to = 'infinity' join fact_version v on v.hash = h.version
       where k.id = any($1))
     update search_entry e set words = ${wordsOfFacts} || s.words from c join search_said s on s.node_id = c.id where e.node = c.key`,
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
