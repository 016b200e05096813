type Present<T> = { [K in keyof T]: Exclude<T[K], null | undefined> } & {}
type OptionalKeys<T> = { [K in keyof T]-?: null extends T[K] ? K : undefined extends T[K] ? K : never }[keyof T]
type WithoutNulls<T> = Present<Omit<T, OptionalKeys<T>>> & Partial<Present<Pick<T, OptionalKeys<T>>>>

/** An object without its null and undefined members: GraphQL's "not given" as the rooms understand it. */
export function present<T extends object>(value: T): WithoutNulls<T> {
  return Object.fromEntries(Object.entries(value).filter(([, v]) => v !== null && v !== undefined)) as WithoutNulls<T>
}
