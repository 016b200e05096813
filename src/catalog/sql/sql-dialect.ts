import { type Fold, foldHive } from './names.js'

/** How a dialect of SQL spells things, as far as reading its DDL needs it. */
export interface SqlDialect {
  /** its key in the table of sources */
  dialect: string
  /** what a person calls it */
  title: string
  /** what makes two spellings of a name one, for ids */
  fold: Fold
  /** what a name without quotes stands for */
  plainName: (written: string) => string
  /** characters that quote names; `'` and, where it is not among them, `"` quote texts */
  nameQuotes: string
  /** is `\'` a quote inside a text? */
  hasBackslash: boolean
  hasHashComments: boolean
  /** `/*!40101 … * /` is executed */
  hasConditionalComments: boolean
  /** `$$ … $$` and `$tag$ … $tag$` */
  hasDollarQuotes: boolean
  /** where tables lie that name no database (schema) */
  defaultDatabase: string
  /** does a column list hold KEY and INDEX definitions (so that no column can be called `key`)? */
  hasInlineIndexes: boolean
  /** is REFERENCES right behind a column enforced? */
  enforcesInlineKeys: boolean
  /** is a declared key enforced at all? */
  enforcesKeys: boolean
  /** after CREATE TABLE … PARTITIONED BY, are those columns of the table? */
  hasPartitionColumns: boolean
}

/** What most have in common; each dialect's own file says what differs. Hive has a full parser of its own (hive-ddl.ts). */
export const plainDialect = {
  fold: foldHive,
  plainName: (written: string) => written,
  nameQuotes: '`',
  hasBackslash: false,
  hasHashComments: false,
  hasConditionalComments: false,
  hasDollarQuotes: false,
  defaultDatabase: 'default',
  hasInlineIndexes: false,
  enforcesInlineKeys: false,
  enforcesKeys: false,
  hasPartitionColumns: false,
} as const satisfies Omit<SqlDialect, 'dialect' | 'title'>
