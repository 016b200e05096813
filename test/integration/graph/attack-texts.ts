import fc from 'fast-check'
import { allowedQueries, dangerousLookingButFine } from '../../unit/graph/cypher-cases.js'

const pieces = [
  ...[
    'SET n.x = 1',
    'SET n:Foo',
    'CREATE (:Z)',
    'DELETE n',
    'DETACH DELETE n',
    'REMOVE n.name',
    'MERGE (:Z)',
    'FOREACH (q IN [1] | CREATE (:Z))',
  ],
  ...[
    'CREATE INDEX i FOR (n:Z) ON (n.q)',
    'ſET n.x = 1',
    'CALL {',
    'IN TRANSACTIONS',
    'WITH n',
    'RETURN 1',
    'UNION',
    'WHERE',
    'AS',
    'CASE',
    'END',
  ],
  ...[
    '/*',
    '*/',
    '//',
    '\n',
    '\r',
    '\u2028',
    '\u00a0',
    "'",
    '"',
    '`',
    '\\',
    "\\'",
    '\\u0027',
    '\\\\',
    ';',
    '.',
    '..',
    ':',
    '|',
    '{',
    '}',
    '(',
    ')',
    '[',
    ']',
  ],
  ...[',', '$', 'n', 'x', '1', '1.', '-', '->', '*', '=', 'ſ', '\u212a', '&', '!', '%', '|SET', ' '],
]
const query = fc.constantFrom(...allowedQueries, ...dangerousLookingButFine)
const edits = fc.array(
  fc.record({ at: fc.double({ min: 0, max: 1, noNaN: true }), cut: fc.constantFrom(0, 0, 0, 1, 2), piece: fc.constantFrom('', ...pieces) }),
  { minLength: 1, maxLength: 3 },
)
/** A query that may be asked, with pieces of attacks spliced in. */
export const attack = fc.tuple(query, edits).map(([text, changes]) =>
  changes.reduce((t, { at, cut, piece }) => {
    const place = Math.floor(at * t.length)
    return `${t.slice(0, place)}${piece}${t.slice(place + cut)}`
  }, text),
)
