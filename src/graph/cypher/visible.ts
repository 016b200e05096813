import type { Brackets } from './brackets.js'
import type { Edits } from './edits.js'
import type { Token } from './tokenizer.js'
import { hiddenLabel } from './words.js'

/** Where a query could come upon the platform's own node, by token index. */
export interface Sightings {
  /** opening parentheses of the nodes of MATCH */
  nodes: number[]
  /** opening brackets of the relationships of patterns inside expressions */
  relationships: number[]
  /** calls of db.labels: the word CALL, the last token of the call itself, the last of its YIELD */
  labels: { call: number; called: number; end: number }[]
}

interface BracketedText {
  tokens: readonly Token[]
  brackets: Brackets
}

/**
 * Keeps the platform's own node (how far the outbox was applied; `:EspalierMeta`, without relationships) out of every answer. It lives in
 * the graph because it must be written in the same transaction as the changes, on engines that keep nothing but nodes. What is projected has the
 * label `:Node`, so a node that no relationship of at least one hop binds gets it too: `(n)` -> `(n:Node)`, `(n:!Table)` -> `(n:Node&(!Table))`,
 * `(a)-[*0..2]->(b)` -> `(a:Node)-[*0..2]->(b:Node)`. Bound nodes stay as they are, and with them the plans: `MATCH ()-[r]->()
 * RETURN count(r)` is answered by Neo4j's count store. (Naming the label is refused by the guard.)
 */
export function hideOwnNode(text: BracketedText, { nodes, relationships, labels }: Sightings, edits: Edits): void {
  const { tokens, brackets } = text
  for (const open of nodes) if (!isBound(text, open)) bind(text, open, edits)
  for (const open of relationships) {
    if (!mayBeEmpty(text, open)) continue
    const left = walk(tokens, open - 1, -1, '-<')
    if (tokens[left]?.text === ')') bind(text, brackets.enclosing[left]!, edits)
    const right = walk(tokens, brackets.close[open]! + 1, 1, '->')
    if (tokens[right]?.text === '(') bind(text, right, edits)
  }
  const filter = ` label WITH label WHERE label <> '${hiddenLabel}' RETURN`
  for (const { call, called, end } of labels) {
    if (called === end) {
      edits.insert(called, ` YIELD${filter} label`)
      continue
    }
    edits.insert(call, ' { CALL')
    edits.insert(called + 1, filter)
    edits.insert(end, tokens[end + 1]?.upper === 'WHERE' ? ' } WITH *' : ' }')
  }
}

/** Does a relationship of at least one hop begin or end at the node? */
function isBound(text: BracketedText, open: number): boolean {
  const { tokens, brackets } = text
  const end = brackets.close[open]!
  const before = walk(tokens, open - 1, -1, '->')
  if (before < open - 1 && !mayBeEmpty(text, brackets.enclosing[before]!, before)) return true
  const after = walk(tokens, end + 1, 1, '-<')
  return after > end + 1 && !mayBeEmpty(text, after)
}

/**
 * May the relationship with its `[` at `open` have no hop (`*0..3`), or is it quantified (`-[:R]->{0,3}`)? Its brackets may be missing
 * (`-->`); `last`: what stands before its right end.
 */
function mayBeEmpty({ tokens, brackets }: BracketedText, open: number, last = open): boolean {
  if (tokens[last]?.text === '}') return true
  if (tokens[open]?.text !== '[') return tokens[open]?.text === '{'
  const end = brackets.close[open]!
  if (tokens[walk(tokens, end + 1, 1, '->')]?.text === '{') return true
  let star = open + 1
  while (star < end && tokens[star]!.text !== '*') star++
  const least = tokens[star + 1]
  return star < end && least?.kind === 'number' && Number(least.text) === 0
}

/** Adds the label to the node whose parenthesis opens at `open`. */
function bind({ tokens, brackets }: BracketedText, open: number, edits: Edits): void {
  const end = brackets.close[open]!
  const first = open + 1 < end ? tokens[open + 1] : undefined
  const isNamed = (first?.kind === 'word' && first.upper !== 'WHERE' && first.upper !== 'IS') || first?.kind === 'quoted'
  const at = isNamed ? open + 1 : open
  const mark = tokens[at + 1]!
  if (mark.text !== ':' && mark.upper !== 'IS') {
    edits.insert(at, ':Node')
    return
  }
  let stop = at + 2
  while (stop < end && tokens[stop]!.text !== '{' && tokens[stop]!.kind !== 'parameter' && tokens[stop]!.upper !== 'WHERE') stop++
  // Plain labels cannot be those of the platform's own node; what is left out (`!Table`, `%`) can.
  if (!tokens.slice(at + 2, stop).some(({ text }) => text === '!' || text === '%')) return
  edits.insert(at + 1, mark.upper === 'IS' ? ' Node&(' : 'Node&(')
  edits.insert(stop - 1, ')')
}

/** The first index from `at` on, forwards or backwards, whose token is none of `marks`. */
function walk(tokens: readonly Token[], at: number, step: 1 | -1, marks: string): number {
  while (tokens[at] && marks.includes(tokens[at]!.text)) at += step
  return at
}
