import { type CharSet, intersect, isSubset } from './charset.js'
import { chars, type Regex, sequence } from './syntax.js'

/** Texts of one length, as the characters that may stand at each place. */
type Shape = readonly CharSet[]

const mostShapes = 64
const longestShape = 200

/** The shortest and longest text that it matches; null where there is no longest. */
export function lengthsOf(regex: Regex): readonly [least: number, most: number] | null {
  switch (regex.kind) {
    case 'chars':
      return regex.most === Number.POSITIVE_INFINITY ? null : [regex.least, regex.most]
    case 'loop':
      return null
    case 'optional': {
      const body = lengthsOf(regex.body)
      return body && [0, body[1]]
    }
    case 'sequence':
      return combine(regex.parts, (all) => [sum(all.map(([least]) => least)), sum(all.map(([, most]) => most))])
    case 'choice':
      return combine(regex.options, (all) => [Math.min(...all.map(([least]) => least)), Math.max(...all.map(([, most]) => most))])
  }
}

type Lengths = readonly [number, number]
const sum = (numbers: readonly number[]) => numbers.reduce((a, b) => a + b, 0)

function combine(parts: readonly Regex[], merge: (lengths: Lengths[]) => Lengths): Lengths | null {
  const lengths = parts.map(lengthsOf)
  return lengths.every((one) => one !== null) ? merge(lengths) : null
}

/**
 * The same between two gaps, so written that the first match from the left ends before or where all others do; null where that
 * cannot be. `isWithinGap`: the gap before may read what it reads; then `customer` is not looked for where `cust` will do.
 */
export function endEarliest(regex: Regex, isWithinGap: boolean): Regex | null {
  const shapes = shapesOf(regex)
  if (!shapes || shapes.some((shape) => shape.length === 0)) return null
  const needed: Shape[] = []
  for (const shape of [...shapes].sort((a, b) => a.length - b.length))
    if (!needed.some((shorter) => isCovered(shape, shorter, isWithinGap ? shape.length : 0))) needed.push(shape)
  for (const shape of needed) for (const other of needed) if (mayLieInside(other, shape)) return null
  const options = needed.map((shape) => sequence(shape.map((set) => chars(set))))
  return options.length === 1 ? options[0]! : { kind: 'choice', options }
}

/** Whether each text of the shape has one of the shorter shape in it, at a place up to `last`. */
function isCovered(shape: Shape, shorter: Shape, last: number): boolean {
  for (let at = 0; at <= Math.min(last, shape.length - shorter.length); at++)
    if (shorter.every((set, i) => isSubset(shape[at + i]!, set))) return true
  return false
}

/** Whether a text of the inner shape can begin after the beginning and end before the end of one of the outer. */
function mayLieInside(inner: Shape, outer: Shape): boolean {
  for (let at = 1; at + inner.length < outer.length; at++) if (inner.every((set, i) => intersect(set, outer[at + i]!))) return true
  return false
}

function shapesOf(regex: Regex): Shape[] | null {
  switch (regex.kind) {
    case 'chars': {
      if (regex.most > longestShape || regex.most - regex.least >= mostShapes) return null
      return Array.from({ length: regex.most - regex.least + 1 }, (_, i) => Array.from({ length: regex.least + i }, () => regex.set))
    }
    case 'loop':
      return null
    case 'optional': {
      const body = shapesOf(regex.body)
      return body && limited([[], ...body])
    }
    case 'choice': {
      const all = regex.options.map(shapesOf)
      return all.every((some) => some !== null) ? limited(all.flat()) : null
    }
    case 'sequence':
      return regex.parts.reduce<Shape[] | null>(
        (before, part) => {
          const after = before && shapesOf(part)
          return after && limited(before.flatMap((head) => after.map((tail) => [...head, ...tail])))
        },
        [[]],
      )
  }
}

const limited = (shapes: Shape[]): Shape[] | null =>
  shapes.length > mostShapes || shapes.some((shape) => shape.length > longestShape) ? null : shapes
