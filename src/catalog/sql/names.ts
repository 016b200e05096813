/**
 * One qualified name from its parts. A part that holds a dot, a back-tick or white space at an end is put in back-ticks, so that
 * `a.b` + `c` and `a` + `b.c` stay two names.
 */
export const qualify = (...parts: readonly string[]): string => parts.map(quotePart).join('.')

const quotePart = (part: string): string => (/[.`]|^\s|\s$|^$/.test(part) ? `\`${part.replaceAll('`', '``')}\`` : part)

/** What makes two spellings of a name one, by a dialect's case rule. */
export type Fold = (name: string) => string

/** Hive (and MySQL, Spark, Trino, Flink as we read them) compares names without regard to case. */
export const foldHive: Fold = (name) => name.toLowerCase()
