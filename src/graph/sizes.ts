/** Roughly the bytes of a value as JSON. */
export function sizeOf(value: unknown): number {
  if (typeof value === 'string') return value.length + 2
  if (value === null || typeof value !== 'object') return 8
  return Object.entries(value).reduce((sum, [key, item]) => sum + key.length + 4 + sizeOf(item), 2)
}

export const rowTooLarge = (bytes: number) => `one row of the answer is larger than ${bytes / 2 ** 20} MiB`
