import { z } from 'zod'
import { EspalierError } from '../util/error.js'
import type { Model } from './model.js'

/** A model's options, validated and with every default filled in. Throws BAD_INPUT naming each bad option. */
export function parseOptions<O, E>(model: Model<O, E>, given: unknown): O {
  const parsed = model.options.safeParse(given)
  if (parsed.success) return parsed.data
  throw new EspalierError('BAD_INPUT', `options of model ${model.name}: ${z.prettifyError(parsed.error)}`, {
    remedy: 'leave an option out to have its default',
  })
}
