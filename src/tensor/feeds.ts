import { EspalierError } from '../util/error.js'
import { showShape } from './dimension.js'
import type { GraphInput } from './graph.js'
import type { NamedTensors } from './tensor.js'

/**
 * Every input fed, of the right type and rank, symbols standing for one number each. Gives those numbers. Throws BAD_INPUT naming the
 * input.
 */
export function checkFeeds(inputs: readonly GraphInput[], feeds: Readonly<NamedTensors>): ReadonlyMap<string, number> {
  const symbols = new Map<string, { value: number; from: string }>()
  for (const { name, value } of inputs) {
    const fed = feeds[name]
    // said only when refused: this runs for every input of every step
    const refuse = (remedy: string): never => {
      const found = fed ? `${fed.type}[${fed.dims.join(', ')}]` : 'nothing'
      const expected = `${value.type}${showShape(value.shape)}`
      throw new EspalierError('BAD_INPUT', `input "${name}": ${found} came, ${expected} was expected`, { remedy })
    }
    if (!fed) throw refuse(`feed "${name}"; fed were ${Object.keys(feeds).join(', ')}`)
    if (fed.type !== value.type || fed.dims.length !== value.shape.length) refuse('feed a tensor of that type and rank')
    for (const [axis, d] of value.shape.entries()) {
      const length = fed.dims[axis]!
      if (d === length) continue
      if (typeof d === 'number') refuse(`make axis ${axis} ${d} long`)
      const known = symbols.get(d as string)
      if (!known) symbols.set(d as string, { value: length, from: name })
      else if (known.value !== length) refuse(`"${d}" is ${known.value} in input "${known.from}": make axis ${axis} that long`)
    }
  }
  return new Map([...symbols].map(([symbol, { value }]) => [symbol, value]))
}
