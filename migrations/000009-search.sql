-- Search over what nodes are called, what is said of them, and by whom. Written by statements at the end of an ingest, for the facts that
-- it changed and no others; everything here can be derived again (src/catalog/search-index-store.ts).
create extension if not exists pg_trgm;

-- One text as words: lower case, cut at ASCII punctuation and white space. Not at every kind of punctuation: a regular expression takes
-- ten times as long, and 100,000 columns wait for it. 500 characters at most: a lexeme holds 2,046 bytes.
create function search_words(said text) returns text[] language sql immutable parallel safe return
  array_remove(string_to_array(translate(lower(left(said, 500)),
    '_.-/:,;()[]{}<>''"`!?@#$%^&*+=|\~' || chr(9) || chr(10) || chr(13), repeat(' ', 36)), ' '), '');

-- A name with its humps cut: CustomerID is customer, id. Most names have none, and cost a comparison.
create function search_name(name text) returns text language sql immutable parallel safe return
  case when name = lower(name) then name
  else regexp_replace(regexp_replace(left(name, 500), '([[:lower:][:digit:]])([[:upper:]])', '\1 \2', 'g'), '([[:upper:]])([[:upper:]][[:lower:]])', '\1 \2', 'g') end;

-- Of each node that exists now: its words, and marks that no word can be: `=whole name`, `#Kind`, `#` for all but columns, `@scope`.
create table search_entry (
  node bigint primary key,
  words tsvector not null
);
create index search_entry_words on search_entry using gin (words);

-- Words of people (people-store.ts), by the id of the node.
create table search_said (
  node_id text collate "C" primary key,
  words tsvector not null
);

-- Every word that was ever indexed and is not swept yet: what a mistyped one may have been meant to be.
create table search_word (
  word text collate "C" primary key
);
create index search_word_trigrams on search_word using gin (word gin_trgm_ops);

-- Words like one, by trigrams; a short word with one slip shares few of them, so the bound is below the usual .3.
create function search_near(asked text, most integer) returns table (word text, closeness real) language sql stable
  set pg_trgm.similarity_threshold = 0.2 as
  $$ select w.word, similarity(w.word, asked) from search_word w where w.word % asked order by 2 desc, 1 limit most $$;
