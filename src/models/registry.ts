import { didYouMean } from '../util/closest.js'
import { EspalierError } from '../util/error.js'
import { ggnn } from './ggnn.js'
import { ggnnClassic } from './ggnn-classic.js'
import type { Model } from './model.js'

/** Every model there is. A new one is one file and one line here; the contract suite picks it up. */
export const models: Readonly<Record<string, Model>> = { [ggnn.name]: ggnn, [ggnnClassic.name]: ggnnClassic }

/** Throws NOT_FOUND, naming what there is. */
export function modelNamed(name: string): Model {
  const model = Object.hasOwn(models, name) ? models[name] : undefined
  if (model) return model
  throw new EspalierError('NOT_FOUND', `there is no model "${name}"; there are ${Object.keys(models).join(', ')}`, {
    remedy: didYouMean(name, Object.keys(models)),
  })
}
