import type { ReadItem } from './format.js'

/** Names of class labels by the column that counts them: what turns a 3 back into what it stands for. */
export type ClassNames = Map<string, Record<string, string>>

/** The features that a dataset card, or an older dataset_infos.json, tells of. */
export function classNames(card: unknown): ClassNames {
  const names: ClassNames = new Map()
  const visit = (value: unknown): void => {
    if (Array.isArray(value)) for (const one of value) visit(one)
    if (value === null || typeof value !== 'object' || Array.isArray(value)) return
    const { name, dtype } = value as { name?: unknown; dtype?: { class_label?: { names?: unknown } } }
    const known = dtype?.class_label?.names
    if (typeof name === 'string' && known && typeof known === 'object') names.set(name, { ...(known as Record<string, string>) })
    for (const [key, inner] of Object.entries(value)) {
      const feature = inner as { _type?: string; names?: string[] } | null
      if (feature?._type === 'ClassLabel' && Array.isArray(feature.names))
        names.set(key, { ...feature.names } as unknown as Record<string, string>)
      else visit(inner)
    }
  }
  visit(card)
  return names
}

/** Numbers of classes as their names; `-1` is Hugging Face's "no label". */
export function named(item: ReadItem, names: ClassNames): ReadItem {
  if (!item.value) return item
  for (const [column, labels] of names) {
    const number = item.value[column]
    if (number === -1) delete item.value[column]
    else if (typeof number === 'number' && labels[number] !== undefined) item.value[column] = labels[number]
  }
  return item
}
