-- Columns are brought in faster: the words of an entry are cut by the reader of tsvector (src/catalog/search/search-index-store.ts), which
-- takes a text. These are the steps to it; given columns, they become part of the statement that calls them.

-- The punctuation that names are made of, as spaces. translate() looks through its whole set for every character: most names have only
-- the first two of it.
create function search_spaced(said text) returns text language sql immutable parallel safe return
  case when said ~ '[-/:,()"`]|\[|\]' then translate(said, '_.-/:,()[]"`', '            ') else replace(replace(said, '_', ' '), '.', ' ') end;

-- The same of texts.
create function search_spaced_text(said text) returns text language sql immutable parallel safe return
  case when said ~ '[][/:;(){}<>''"`!?@#$%^&*+=|\\~\t\n\r-]' then regexp_replace(said, '[][_./:,;(){}<>''"`!?@#$%^&*+=|\\~\t\n\r-]', ' ', 'g')
  else replace(replace(replace(said, '_', ' '), '.', ' '), ',', ' ') end;

-- Words of a name as the reader of tsvector takes them.
create function search_quoted(said text) returns text language sql immutable parallel safe return
  replace(replace(said, '\', '\\'), '''', '\''');

drop function search_text(text);
