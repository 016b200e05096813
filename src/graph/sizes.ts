/** Roughly the bytes of a value as JSON. */
export function sizeOf(value: unknown): number {
  if (typeof value === 'string') return value.length + 2
  if (value === null || typeof value !== 'object') return 8
  let size = 2
  // Lists may have millions of items: nothing is made for each.
  if (Array.isArray(value)) for (const item of value) size += sizeOf(item) + 1
  else for (const key in value) if (Object.hasOwn(value, key)) size += key.length + 4 + sizeOf((value as Record<string, unknown>)[key])
  return size
}

export const rowTooLarge = (bytes: number) => `one row of the answer is larger than ${bytes / 2 ** 20} MiB`
