import { z } from 'zod'

/**
 * The options of `schema` with other defaults for some of them, and none needed. Each stands by itself: naming one option leaves the
 * defaults of the others as they are (a default of the whole object would give them up).
 */
export function withDefaults<Shape extends z.core.$ZodShape, Config extends z.core.$ZodObjectConfig>(
  schema: z.ZodObject<Shape, Config>,
  defaults: Partial<z.input<z.ZodObject<Shape, Config>>>,
): z.ZodPrefault<z.ZodObject<Shape, Config>> {
  const shape = schema.shape as unknown as Record<string, z.ZodType>
  const changed = Object.entries(defaults).map(([name, value]) => {
    const option = shape[name]!
    const bare = option instanceof z.ZodDefault ? (option.removeDefault() as z.ZodType) : option
    return [name, bare.prefault(value as never).describe(option.description ?? '')] as const
  })
  const extended = schema.extend(Object.fromEntries(changed)) as unknown as z.ZodObject<Shape, Config>
  return extended.prefault({} as never)
}
