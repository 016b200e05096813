/** What Postgres cannot keep in text or jsonb: NUL, and halves of surrogate pairs (matched alone under the u flag). */
// biome-ignore lint/suspicious/noControlCharactersInRegex: NUL is what is looked for
const unstorable = /\u0000|\p{Surrogate}/gu

/** The text with what Postgres cannot keep replaced by U+FFFD: a log line, or a label, must never be what stops the work. */
export const storable = (text: string): string => text.replace(unstorable, '\ufffd')

/** JSON for a jsonb column, its strings and keys made storable. */
export const storableJson = (value: unknown): string =>
  JSON.stringify(value, (_, part) => {
    if (typeof part === 'string') return storable(part)
    if (part === null || typeof part !== 'object' || Array.isArray(part)) return part
    return Object.fromEntries(Object.entries(part).map(([key, member]) => [storable(key), member]))
  })
