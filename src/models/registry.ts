import { didYouMean } from '../util/closest.js'
import { EspalierError } from '../util/error.js'
import { ggnnClassic } from './ggnn/ggnn-classic.js'
import { ggnnGraph } from './ggnn/ggnn-graph.js'
import { ggnnNode } from './ggnn/ggnn-node.js'
import { ggnnSequence } from './ggnn/ggnn-sequence.js'
import { ggnn } from './ggnn.js'
import type { Model } from './model.js'

/** A model whose options and examples are known by its own schema and its `examples` only. */
// biome-ignore lint/suspicious/noExplicitAny: a table of models of different options and examples
export type AnyModel = Model<any, any>

/** Every model there is. A new one is one file and one line here; the contract suite picks it up. */
export const models: Readonly<Record<string, AnyModel>> = Object.fromEntries(
  [ggnn, ggnnNode, ggnnGraph, ggnnSequence, ggnnClassic].map((model) => [model.name, model as AnyModel]),
)

/** Throws NOT_FOUND, naming what there is. */
export function modelNamed(name: string): AnyModel {
  const model = Object.hasOwn(models, name) ? models[name] : undefined
  if (model) return model
  throw new EspalierError('NOT_FOUND', `there is no model "${name}"; there are ${Object.keys(models).join(', ')}`, {
    remedy: didYouMean(name, Object.keys(models)),
  })
}
