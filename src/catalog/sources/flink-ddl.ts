import { plainDialect } from '../sql/sql-dialect.js'
import { sqlSource } from '../sql/sql-source.js'

/** DDL of Flink SQL: connectors in WITH, computed and metadata columns, watermarks, keys that are not enforced. */
export const flinkDdl = sqlSource(
  { ...plainDialect, dialect: 'flink-ddl', title: 'Flink DDL', hasPartitionColumns: true },
  { extensions: ['.sql', '.ddl', '.flink'], words: /\bwatermark\s+for\b|'connector'\s*=/i },
)
