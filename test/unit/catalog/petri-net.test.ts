import { describe, expect, it } from 'vitest'
import type { EdgeFact, NodeFact } from '../../../src/catalog/fact.js'
import { petriFacts } from '../../../src/catalog/workflow/petri-facts.js'
import { type PetriNet, petriNetOf } from '../../../src/catalog/workflow/petri-net.js'
import { stepsOf } from '../../support/workflow-steps.js'

const arcs = (net: PetriNet) =>
  Object.fromEntries(
    net.transitions.map((t) => [
      t.key.replace(/#.*/, '#'),
      [
        ...t.inputs.map((i) => `${i.place} ${i.kind}`),
        ...t.outputs.map((o) => `${o.kind} ${o.place}${o.on ? ` on ${o.on}` : ''}${o.odate ? ` ${o.odate}` : ''}`),
      ],
    ]),
  )
const marking = (net: PetriNet) => [...net.places.values()].filter((p) => p.tokens > 0).map((p) => p.key)

describe('the net of jobs', () => {
  it('reads what a job waits for, consumes what it then deletes, clears what it deletes besides', () => {
    const net = petriNetOf(stepsOf({ A: { sets: ['X', 'Y'] }, B: { waits: ['X', 'Y'], sets: ['-X', '-Z', 'W'] } }))
    expect(arcs(net)).toEqual({
      'job:A': ['ordered job:A consume', 'produce condition:X', 'produce condition:Y'],
      'job:B': ['ordered job:B consume', 'condition:X consume', 'condition:Y read', 'clear condition:Z', 'produce condition:W'],
    })
    expect(marking(net)).toEqual(['ordered job:A', 'ordered job:B'])
  })

  it('has a transition for each alternative, over one order', () => {
    const net = petriNetOf(stepsOf({ J: { waits: ['A', 'or B'], sets: ['-A', '-B'] } }))
    expect(net.transitions.map((t) => t.inputs.map((i) => `${i.place} ${i.kind}`))).toEqual([
      ['ordered job:J consume', 'condition:A consume'],
      ['ordered job:J consume', 'condition:B consume'],
    ])
    expect(net.transitions.map((t) => t.outputs.map((o) => `${o.kind} ${o.place}`))).toEqual([['clear condition:B'], ['clear condition:A']])
    expect(new Set(net.transitions.map((t) => t.key)).size).toBe(2)
  })

  it('keeps days apart: another day is given when waited for, and comes when set', () => {
    const net = petriNetOf(stepsOf({ J: { waits: ['A@previous', 'B@any'], sets: ['A', 'C@next', '-B@any'] } }))
    expect(arcs(net)['job:J']).toEqual([
      'ordered job:J consume',
      'condition:B consume',
      'condition previous:A read',
      'produce condition:A',
      'produce condition:C next',
    ])
    expect(marking(net)).toEqual(['ordered job:J', 'condition previous:A'])
    // names cannot run into days
    const odd = petriNetOf(stepsOf({ J: { waits: ['A@x:y', 'y:A@x'] } }))
    expect([...odd.places.keys()].slice(1)).toEqual(['condition x%3Ay:A', 'condition x:y:A'])
  })

  it('lets cyclic jobs run again, and tells what hangs on an end code', () => {
    const net = petriNetOf(stepsOf({ J: { isCyclic: true, sets: ['A on NOTOK', '-B on OK'] } }))
    expect(arcs(net)['job:J']).toEqual(['ordered job:J read', 'produce condition:A on NOTOK', 'clear condition:B on OK'])
  })

  it('starts a folder with conditions before what is in it, however deep; one without is no step', () => {
    const net = petriNetOf(
      stepsOf({
        F: { kind: 'folder', waits: ['GATE'], sets: ['DONE'] },
        PLAIN: { kind: 'folder', folder: 'F' },
        J: { folder: 'PLAIN' },
        K: {},
      }),
    )
    expect(arcs(net)).toEqual({
      'folder:F': ['ordered folder:F consume', 'condition:GATE read', 'produce started folder:F', 'produce condition:DONE'],
      'job:J': ['ordered job:J consume', 'started folder:F read'],
      'job:K': ['ordered job:K consume'],
    })
  })
})

describe('the net as facts', () => {
  const context = {
    projectId: 'bank',
    systemId: 'cm',
    provenanceOf: (file: string) => ({ dialect: 'control-m-xml', file, location: 'line 1' }),
  }
  const facts = (written: Parameters<typeof stepsOf>[0]) => petriFacts(petriNetOf(stepsOf(written)), context)

  it('has nodes, and edges whose ends are among them, each once', () => {
    const all = facts({ A: { sets: ['X', 'X@next', 'X on NOTOK', '-X on BAD'] }, B: { waits: ['X', 'or Y'], sets: ['-X'] } })
    const nodes = all.filter((f): f is NodeFact => f.fact === 'node')
    const edges = all.filter((f): f is EdgeFact => f.fact === 'edge')
    const ids = nodes.map((n) => n.id)
    expect(new Set(ids).size).toBe(ids.length)
    for (const e of edges) expect([ids.includes(e.sourceId), ids.includes(e.targetId)]).toEqual([true, true])
    const keys = edges.map((e) => [e.sourceId, e.label, e.targetId, e.discriminator].join('|'))
    expect(new Set(keys).size).toBe(keys.length)
    expect(nodes.find((n) => n.id === 'bank/cm/petri-place:condition:X')).toMatchObject({
      name: 'X',
      properties: { role: 'condition', condition: 'bank/cm/controlm-condition:X', odate: 'run-date' },
    })
    expect(nodes.find((n) => n.id === 'bank/cm/petri-place:ordered job:A')?.properties).toEqual({ role: 'ordered', tokens: 1, step: 'A' })
    expect(
      edges.filter((e) => e.sourceId === 'bank/cm/petri-transition:job:A' && e.label === 'PETRI_ARC').map((e) => e.properties),
    ).toEqual([
      { weight: 1, kind: 'produce' },
      { weight: 1, kind: 'produce', odate: 'next' },
      { weight: 1, kind: 'produce', on: 'NOTOK' },
      { weight: 1, kind: 'clear', on: 'BAD' },
    ])
    expect(edges.filter((e) => e.label === 'HAS_TRANSITION')).toHaveLength(3)
  })

  it('says the same of a shared place, whichever file says it', () => {
    const place = (written: Parameters<typeof stepsOf>[0]) => {
      const found = facts(written).find((f) => f.fact === 'node' && f.id === 'bank/cm/petri-place:condition:X') as NodeFact
      return { ...found, provenance: null }
    }
    expect(place({ A: { sets: ['X'] } })).toEqual(place({ B: { waits: ['X@any'] }, C: { sets: ['-X', 'X@next'] } }))
  })

  it('is nothing where there are no jobs', () => {
    expect(facts({})).toEqual([])
  })
})
