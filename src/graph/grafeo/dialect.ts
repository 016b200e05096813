import { withoutConvertFormat } from '../convert-format.js'

/**
 * The Cypher of @neo4j/graphql, translated for Grafeo: the only place that knows the differences. Each rule is one row; the text comes
 * from a generator, never from a person, so its shape is known.
 */
interface Rule {
  name: string
  translate(text: string): string
}

const aggregate = /\b(?:count|min|max|avg|sum|collect)\s*\(/

const rules: readonly Rule[] = [
  { name: 'the version prefix', translate: (text) => text.replace(/^CYPHER 5\s+/, '') },
  {
    name: 'apoc.date.convertFormat: Grafeo prints moments as ISO 8601 already',
    translate: withoutConvertFormat,
  },
  {
    name: 'a map projection that does not begin with a property is a syntax error',
    translate: (text) => text.replace(/\b((?:this|var|edge)\d*) \{ (?=[\w`]+:)/g, '$1 { .__, '),
  },
  {
    name: 'aggregates inside a map literal: WITH them first',
    translate: (text) => {
      let made = 0
      return text.replace(/RETURN \{([^{}]*)\} AS (\w+)/g, (whole, body: string, name: string) => {
        if (!aggregate.test(body)) return whole
        const entries = body
          .split(/,\s*(?=\w+:)/)
          .map((entry) => [entry.slice(0, entry.indexOf(':')).trim(), entry.slice(entry.indexOf(':') + 1).trim()])
        const names = entries.map(() => `aggregate${made++}`)
        return `WITH ${entries.map(([, e], i) => `${e} AS ${names[i]}`).join(', ')} RETURN {${entries.map(([k], i) => `${k}: ${names[i]}`).join(', ')}} AS ${name}`
      })
    },
  },
  { name: 'single(x IN [pattern WHERE … | 1] WHERE true): COUNT { … } = 1', translate: withoutSingle },
]

/** Relationship filters nest, so brackets are followed rather than matched by a pattern. */
function withoutSingle(text: string): string {
  const begin = /single\(\w+ IN \[/.exec(text)
  if (!begin) return text
  const from = begin.index + begin[0].length
  let depth = 1
  let end = from
  for (; depth > 0 && end < text.length; end++) depth += text[end] === '[' ? 1 : text[end] === ']' ? -1 : 0
  const tail = ' WHERE true)'
  const pattern = text.slice(from, end - 1)
  if (!pattern.endsWith('| 1') || !text.startsWith(tail, end)) return text
  const counted = `COUNT { MATCH ${withoutSingle(pattern.slice(0, -3).trim())} } = 1`
  return text.slice(0, begin.index) + counted + withoutSingle(text.slice(end + tail.length))
}

/** The generated text as Grafeo takes it. */
export const translateToGrafeo = (text: string): string => rules.reduce((cypher, rule) => rule.translate(cypher), text)
