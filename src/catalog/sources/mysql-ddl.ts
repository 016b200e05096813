import { plainDialect } from '../sql/sql-dialect.js'
import { sqlSource } from '../sql/sql-source.js'

/**
 * DDL of MySQL and MariaDB of every age: dumps with their comments, `TYPE=`, KEY definitions, code in comments of the form `/*!40101`,
 * prefixes in comments. Rows are passed over. Names compare without regard to case.
 */
export const mysqlDdl = sqlSource(
  {
    ...plainDialect,
    dialect: 'mysql-ddl',
    title: 'MySQL DDL',
    hasBackslash: true,
    hasHashComments: true,
    hasConditionalComments: true,
    hasInlineIndexes: true,
    enforcesKeys: true,
  },
  {
    extensions: ['.sql', '.ddl', '.mysql'],
    words:
      /\b(?:auto_increment|engine\s*=|type\s*=\s*(?:myisam|innodb|heap)|unsigned|(?:tiny|medium|long)(?:text|blob)|mediumint|pack_keys)\b|^\s*(?:unique\s+)?key\s+\W?\w+\W?\s*\(|\/\*!\d{5}/im,
    heading: /\b(?:mysql|mariadb) dump\b|phpmyadmin/i,
  },
)
