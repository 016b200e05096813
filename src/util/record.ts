/**
 * The own member `key` of a record whose keys come from outside; made by `make` where it is absent. Names such as `constructor` and
 * `__proto__` are members like any other.
 */
export function memberOf<T>(record: Record<string, T>, key: string, make: () => T): T {
  if (!Object.hasOwn(record, key)) setMember(record, key, make())
  return record[key]!
}

/** Sets the own member `key`; `__proto__` does not reach the prototype. */
export function setMember<T>(record: Record<string, T>, key: string, value: T): void {
  if (key === '__proto__') Object.defineProperty(record, key, { value, enumerable: true, configurable: true, writable: true })
  else record[key] = value
}

/** The own member `key`, or undefined. */
export const ownMember = <T>(record: Record<string, T>, key: string): T | undefined =>
  Object.hasOwn(record, key) ? record[key] : undefined
