import type { Properties } from '../../vocabulary.js'
import type { EdgeFact, Fact, NodeFact, Provenance } from '../fact.js'
import { nodeId } from '../identity.js'
import type { Arc, PetriNet, Place, Transition } from './petri-net.js'

/** Where the facts of a net belong. */
export interface PetriContext {
  projectId: string
  systemId: string
  /** where a job or folder was read, by its id */
  provenanceOf: (step: string) => Provenance
}

/** One net holds all that a system's Control-M files say: each file tells of its own jobs, and places meet by their names. */
const netName = 'control-m'

/**
 * A net as PetriNet, PetriPlace and PetriTransition nodes with HAS_PLACE, HAS_TRANSITION and PETRI_ARC edges. What is said of a place
 * does not depend on the file that says it. `tokens` is left out where there are none, `weight` is always 1.
 */
export function petriFacts(net: PetriNet, { projectId, systemId, provenanceOf }: PetriContext): Fact[] {
  if (net.transitions.length === 0) return []
  const id = (kind: 'PetriNet' | 'PetriPlace' | 'PetriTransition', name: string) => nodeId(projectId, systemId, kind, name)
  const conditionId = (name: string) => nodeId(projectId, systemId, 'ControlMCondition', name)
  const netId = id('PetriNet', netName)
  const first = provenanceOf(net.transitions[0]!.step)
  const users = new Map<string, Provenance>()
  const [nodes, edges]: [NodeFact[], EdgeFact[]] = [[], []]
  nodes.push({ fact: 'node', id: netId, kind: 'PetriNet', name: netName, qualifiedName: netName, properties: {}, provenance: first })
  for (const transition of net.transitions) {
    const provenance = provenanceOf(transition.step)
    const transitionId = id('PetriTransition', transition.key)
    const { key: qualifiedName, name, step } = transition
    nodes.push({ fact: 'node', id: transitionId, kind: 'PetriTransition', name, qualifiedName, properties: { step }, provenance })
    edges.push({ fact: 'edge', sourceId: netId, label: 'HAS_TRANSITION', targetId: transitionId, properties: {}, provenance })
    for (const arc of arcsOf(transition)) {
      if (!users.has(arc.place)) users.set(arc.place, provenance)
      const [placeId, { isInput, discriminator }] = [id('PetriPlace', arc.place), arc]
      const [sourceId, targetId] = isInput ? [placeId, transitionId] : [transitionId, placeId]
      const edge: EdgeFact = { fact: 'edge', sourceId, label: 'PETRI_ARC', targetId, properties: arcProperties(arc), provenance }
      edges.push(discriminator === '' ? edge : { ...edge, discriminator })
    }
  }
  for (const place of net.places.values()) {
    const provenance = users.get(place.key) ?? first
    const [placeId, properties] = [id('PetriPlace', place.key), placeProperties(place, conditionId)]
    nodes.push({ fact: 'node', id: placeId, kind: 'PetriPlace', name: place.name, qualifiedName: place.key, properties, provenance })
    edges.push({ fact: 'edge', sourceId: netId, label: 'HAS_PLACE', targetId: placeId, properties: {}, provenance })
  }
  return [...nodes, ...edges]
}

type PlacedArc = Arc & { isInput: boolean; discriminator: string }

/** Each arc once. Two ways for one transition to touch one place are told apart by what they do, when. */
function arcsOf({ inputs, outputs }: Transition): PlacedArc[] {
  const arcs = new Map<string, PlacedArc>()
  for (const arc of inputs) arcs.set(`in ${arc.place}`, { ...arc, isInput: true, discriminator: '' })
  for (const arc of outputs) {
    const discriminator = [arc.kind === 'clear' ? 'clear' : '', arc.on ?? '', arc.odate ?? ''].filter((p) => p !== '').join(' ')
    arcs.set(`out ${discriminator}\n${arc.place}`, { ...arc, isInput: false, discriminator })
  }
  return [...arcs.values()]
}

const arcProperties = ({ kind, on, odate }: Arc): Properties => ({
  weight: 1,
  kind,
  ...(on === undefined ? {} : { on }),
  ...(odate === undefined ? {} : { odate }),
})

function placeProperties({ role, tokens, condition, step }: Place, conditionId: (name: string) => string): Properties {
  return {
    role,
    ...(tokens > 0 ? { tokens } : {}),
    ...(condition ? { condition: conditionId(condition.condition), odate: condition.odate } : {}),
    ...(step === undefined ? {} : { step }),
  }
}
