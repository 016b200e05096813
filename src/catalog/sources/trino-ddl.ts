import { plainDialect } from '../sql/sql-dialect.js'
import { sqlSource } from '../sql/sql-source.js'

/** DDL of Trino (and Presto): `catalog.schema.table`, ROW and ARRAY types in parentheses, properties in WITH. */
export const trinoDdl = sqlSource(
  { ...plainDialect, dialect: 'trino-ddl', title: 'Trino DDL', nameQuotes: '"`' },
  {
    extensions: ['.sql', '.ddl', '.trino'],
    words: /\bwith\s*\(\s*(?:format|partitioned_by|partitioning|external_location|location|bucketed_by|sorted_by)\s*=/i,
  },
)
