import { plainDialect } from '../sql/sql-dialect.js'
import { sqlSource } from '../sql/sql-source.js'

/** DDL of Spark SQL and Delta: USING a format, OPTIONS, partition columns in the list or of their own. */
export const sparkDdl = sqlSource(
  { ...plainDialect, dialect: 'spark-ddl', title: 'Spark DDL', hasBackslash: true, hasPartitionColumns: true },
  { extensions: ['.sql', '.ddl', '.spark'], words: /\busing\s+(?:parquet|delta|orc|csv|json|iceberg|avro|hudi|text|jdbc)\b/i },
)
