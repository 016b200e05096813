import { predicateName } from './predicates.js'
import type { FactQuery } from './transport.js'

const fieldName = /^[a-z][A-Za-z0-9_]*$/

/** Text as an Angle string: JSON's escapes, which is what Angle's lexer reads; half a surrogate pair, which is no text, becomes U+FFFD. */
export const angleString = (text: string): string =>
  JSON.stringify(text.replace(/[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/g, '\uFFFD'))

const choice = (wanted: string | readonly string[]): string => {
  if (typeof wanted === 'string') return angleString(wanted)
  if (wanted.length === 0) return 'never'
  return wanted.length === 1 ? angleString(wanted[0]!) : `(${wanted.map(angleString).join(' | ')})`
}

/**
 * The query in Angle: `F where F = ns.Node.1 { project_id = "bank", exported_at_epoch = At }; At >= 1700000000`. Values are always
 * escaped; only numbers can be compared, hence the epoch. Grammar: glean.software/docs/angle/reference.
 */
export function printAngle(query: FactQuery, prefix: string): string {
  const fields = Object.entries(query.where).map(([name, wanted]) => {
    if (!fieldName.test(name)) throw new TypeError(`Angle: "${name}" is no name of a field`)
    return `${name} = ${choice(wanted)}`
  })
  const isTimed = query.since !== undefined
  if (isTimed) fields.push('exported_at_epoch = At')
  const pattern = `${predicateName(prefix, query.predicate)} ${fields.length > 0 ? `{ ${fields.join(', ')} }` : '_'}`
  if (!isTimed) return pattern
  // a nat has no sign and no fraction
  return `F where F = ${pattern}; At >= ${Math.max(0, Math.floor(query.since!))}`
}
