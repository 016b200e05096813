/** What is wrong with an input: collected by parsers and validators, never thrown. */
export interface Problem {
  severity: 'error' | 'warning' | 'info'
  /** kebab-case, stable: `ddl-syntax`, `unset-variable`, `unknown-type`, … */
  code: string
  /** file (or "text 1"), and line and column or element where known: `orders.sql:12:5` */
  where: string
  /** what came, cut to a readable length */
  found: string
  expected: string
  /** what to do about it */
  suggestion?: string
}

const limit = 200
const cut = (text: string) => (text.length > limit ? `${text.slice(0, limit)}…` : text)

/** Builds a Problem, its `found` cut to 200 characters. */
export function problem(p: Omit<Problem, 'severity'> & { severity?: Problem['severity'] }): Problem {
  return { severity: 'error', ...p, found: cut(p.found) }
}

/** One line for a person: `orders.sql:12:5: found …, expected … (suggestion)`. */
export function describeProblem(p: Problem): string {
  const base = `${p.where}: ${p.severity}: found ${p.found || 'nothing'}, expected ${p.expected}`
  return p.suggestion ? `${base}. ${p.suggestion}` : base
}
