import { plainDialect } from '../sql/sql-dialect.js'
import { sqlSource } from '../sql/sql-source.js'

/**
 * DDL of PostgreSQL, pg_dump's included. A name without quotes is lower-case, a quoted one is another name (`"User"` is not `user`).
 * A table without a schema lies in `public`, or in the first of the search path.
 */
export const postgresDdl = sqlSource(
  {
    ...plainDialect,
    dialect: 'postgres-ddl',
    title: 'PostgreSQL DDL',
    fold: (name) => name,
    plainName: (name) => name.toLowerCase(),
    nameQuotes: '"',
    hasDollarQuotes: true,
    defaultDatabase: 'public',
    enforcesInlineKeys: true,
    enforcesKeys: true,
  },
  {
    extensions: ['.sql', '.ddl', '.psql', '.pgsql'],
    words:
      /\b(?:(?:small|big)?serial|timestamptz|jsonb|bytea|character varying|without time zone|nextval\s*\(|owner to|set search_path|alter table only|inherits|partition of)\b|\busing (?:gin|gist|btree|brin)\b|::\s*["a-z]|\$\$/i,
    heading: /postgresql database dump/i,
  },
)
