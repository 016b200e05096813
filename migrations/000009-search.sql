-- Search over what nodes are called, what is said of them, and by whom. Written by statements at the end of an ingest, for the facts that
-- it changed and no others; everything here can be derived again (src/catalog/search-index-store.ts).
create extension if not exists pg_trgm;

-- Lower case in every alphabet, also where the database's own collation knows ASCII alone.
create function search_lower(said text) returns text language sql immutable parallel safe return
  case when octet_length(said) = char_length(said) then lower(said) else lower(said collate "und-x-icu") end;

-- The words of a name: cut at the punctuation that names are made of. translate() looks through the whole set for every character (a set
-- of 36 takes 5 microseconds a name, and 100,000 columns wait for it), a regular expression takes longer still.
create function search_words(name text) returns text[] language sql immutable parallel safe return
  array_remove(string_to_array(translate(search_lower(left(name, 500)), '_.-/:,()[]"`', '            '), ' '), '');

-- The words of a text, 500 characters at most: a lexeme holds 2,046 bytes.
create function search_text(said text) returns text[] language sql immutable parallel safe return
  case when said is null then '{}'::text[] else
  array_remove(string_to_array(translate(search_lower(left(said, 500)),
    '_.-/:,;()[]{}<>''"`!?@#$%^&*+=|\~' || chr(9) || chr(10) || chr(13), repeat(' ', 36)), ' '), '') end;

-- A name with its humps cut: CustomerID is customer, id. Most names have none.
create function search_name(name text) returns text language sql immutable parallel safe return
  regexp_replace(regexp_replace(left(name, 500), '([[:lower:][:digit:]])([[:upper:]])', '\1 \2', 'g'), '([[:upper:]])([[:upper:]][[:lower:]])', '\1 \2', 'g');

-- Of each node that exists now: its words, and marks that no word can be: `=whole name`, `#Kind`, `#` for all but columns, `@scope`.
create table search_entry (
  node bigint primary key,
  words tsvector not null
);
create index search_entry_words on search_entry using gin (words);

-- What people say of nodes as words, by the id of the node.
create table search_said (
  node_id text collate "C" primary key,
  words tsvector not null
);

-- Every word that was indexed, until a deletion sweeps it: what a mistyped one may have been meant to be.
create table search_word (
  word text collate "C" primary key
);
create index search_word_trigrams on search_word using gin (word gin_trgm_ops);

-- Words like one, by trigrams; a short word with one slip shares few of them, so the bound is below the usual .3.
create function search_near(asked text, most integer) returns table (word text, closeness real) language sql stable
  set pg_trgm.similarity_threshold = 0.2 as
  $$ select w.word, similarity(w.word, asked) from search_word w where w.word % asked order by 2 desc, 1 limit most $$;

-- Entries that match, in the order of their rows. Always by the index: a planner that hopes to meet the few rows of a LIMIT soon would
-- read the whole table where they stand at its end, and where scans begin in the middle two pages of one search would not agree.
create function search_matches(asked tsquery, most integer) returns setof bigint language sql stable
  set enable_seqscan = off as
  $$ select node from search_entry where words @@ asked limit most $$;
