import type { Problem } from '../../util/problem.js'
import type { EdgeFact, Fact, NodeFact } from '../fact.js'
import { stepKinds, stepLabels, workflowOf } from '../workflow/workflow.js'
import { planOrder } from '../workflow/workflow-order.js'
import { dependencyFacts, orderCodes, orderProblems } from './control-m-order.js'

const kinds: ReadonlySet<string> = new Set(stepKinds)
const labels: ReadonlySet<string> = new Set(stepLabels)
const isStep = (fact: Fact): fact is NodeFact => fact.fact === 'node' && kinds.has(fact.kind)
const isTie = (fact: Fact): fact is EdgeFact => fact.fact === 'edge' && labels.has(fact.label)

/**
 * Jobs of several Control-M texts, taken together: DEPENDS_ON reaches from one text into another, and a condition is dangling only
 * where none of the texts sets it. Each text alone was judged when it was read; that judgement is replaced. Facts of other kinds, and
 * all of it where fewer than two texts hold jobs, stay as they are.
 */
export function relateControlM(
  facts: readonly Fact[],
  problems: readonly Problem[],
): { facts: readonly Fact[]; problems: readonly Problem[] } {
  const nodes = facts.filter(isStep)
  if (new Set(nodes.map((n) => n.provenance.file)).size < 2) return { facts, problems }
  const places = new Map(nodes.map((n) => [n.id, n.provenance]))
  const provenanceOf = (id: string) => places.get(id)!
  const order = planOrder(workflowOf(nodes, facts.filter(isTie)))
  const isReplaced = (fact: Fact) => fact.fact === 'edge' && fact.label === 'DEPENDS_ON' && places.has(fact.sourceId)
  return {
    facts: [...facts.filter((fact) => !isReplaced(fact)), ...dependencyFacts(order, provenanceOf)],
    problems: [...problems.filter((p) => !orderCodes.has(p.code)), ...orderProblems(order, provenanceOf, 'ingest')],
  }
}
