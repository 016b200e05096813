import fs from 'node:fs'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import type { EdgeFact, NodeFact } from '../../../src/catalog/fact.js'
import { controlMXml } from '../../../src/catalog/sources/control-m-xml.js'
import { stepLabels, workflowOf } from '../../../src/catalog/workflow/workflow.js'
import { type WorkflowReport, workflowReport } from '../../../src/catalog/workflow/workflow-report.js'
import { describeIf, sharedData } from '../../support/need.js'
import { stepsOf } from '../../support/workflow-steps.js'

const report = (written: Parameters<typeof stepsOf>[0], options?: Parameters<typeof workflowReport>[1]) =>
  workflowReport(stepsOf(written), options)
const reasons = ({ deadJobs }: WorkflowReport) => Object.fromEntries(deadJobs.map((d) => [d.id, d.reason]))
const chain = ({ deadJobs }: WorkflowReport, id: string) =>
  deadJobs.find((d) => d.id === id)!.chain.map((link) => `${link.id} <- ${link.condition} <- ${link.setBy}`)
const named = (uses: { name: string; steps: string[] }[]) => Object.fromEntries(uses.map((u) => [u.name, u.steps]))

describe('the report on a workflow', () => {
  it('tells who is dead, why, and by what chain', () => {
    const told = report({
      A: { sets: ['X', 'FINAL'] },
      B: { waits: ['X', 'TYPO'], sets: ['Y'] },
      C: { waits: ['Y'], sets: ['Z'] },
      D: { waits: ['Z', 'or X'] },
      E: { waits: ['Z'] },
      R1: { waits: ['R2'], sets: ['R1'] },
      R2: { waits: ['R1'], sets: ['R2', 'RING'] },
      S: { waits: ['RING'] },
      ELSE: { waits: ['OLD@previous'] },
    })
    expect(reasons(told)).toEqual({
      B: 'condition-never-set',
      C: 'behind-dead-job',
      E: 'behind-dead-job',
      R1: 'deadlock',
      R2: 'deadlock',
      S: 'behind-deadlock',
    })
    expect(chain(told, 'E')).toEqual(['E <- Z <- C', 'C <- Y <- B', 'B <- TYPO <- null'])
    expect(chain(told, 'S')).toEqual(['S <- RING <- R2', 'R2 <- R1 <- R1', 'R1 <- R2 <- R2'])
    expect(told.deadJobs.find((d) => d.id === 'B')?.missing).toEqual(['TYPO'])
    expect(told.deadJobs.map((d) => d.root)).toEqual(['TYPO', 'TYPO', 'TYPO', null, null, null])
    expect(named(told.unconsumedConditions)).toEqual({ FINAL: ['A'] })
    expect(named(told.danglingConditions)).toEqual({ TYPO: ['B'], OLD: ['ELSE'] })
    expect(told.danglingConditions.map((d) => d.isOtherDay)).toEqual([false, true])
    expect(told.cycles).toEqual([{ steps: ['R1', 'R2'], conditions: ['R1', 'R2'], isDeadlock: true }])
    expect(told).toMatchObject({ jobs: 9, conditions: 9, isExact: true, isPartial: false })
  })

  it('lives when what is missing comes from outside', () => {
    const told = report({ B: { waits: ['TYPO'], sets: ['Y'] }, C: { waits: ['Y'] } }, { given: ['TYPO'] })
    expect([told.deadJobs, told.danglingConditions]).toEqual([[], []])
  })

  it('knows a ring that opens, and a folder that holds its jobs', () => {
    const told = report({
      START: { sets: ['GO'] },
      A: { waits: ['Y', 'or GO'], sets: ['X'] },
      B: { waits: ['X'], sets: ['Y'] },
      F: { kind: 'folder', waits: ['NEVER'], sets: ['F_DONE'] },
      J: { folder: 'F' },
      K: { waits: ['F_DONE'] },
    })
    expect(told.cycles).toEqual([{ steps: ['A', 'B'], conditions: ['X', 'Y'], isDeadlock: false }])
    expect(reasons(told)).toEqual({ F: 'condition-never-set', J: 'behind-dead-job', K: 'behind-dead-job' })
    expect(told.deadJobs.find((d) => d.id === 'J')).toMatchObject({
      missing: [],
      chain: [{ id: 'J', condition: null, setBy: 'F' }, { id: 'F' }],
    })
  })

  it('says when it was cut, and when it is not the whole truth', () => {
    const many = Object.fromEntries(Array.from({ length: 5 }, (_, i) => [`J${i}`, { waits: [`C${i}`] }]))
    const cut = report(many, { limit: 3 })
    expect([cut.deadJobs.length, cut.danglingConditions.length, cut.isPartial]).toEqual([3, 3, true])
    expect(report(many, { limit: 5 }).isPartial).toBe(false)
    expect(report({ A: { sets: ['X'] }, B: { waits: ['X'], sets: ['-X'] }, C: { waits: ['X'] } }).isExact).toBe(false)
    expect(report({ A: { waits: ['(X', 'Y'] } }).isExact).toBe(false)
  })

  it('is quick with 20,000 jobs, a chain that is dead from its beginning included', () => {
    const n = 10_000
    const job = (i: number, name: string) => [`${name}${i}`, { waits: [`${name}_C${i}`], sets: [`${name}_C${i + 1}`] }] as const
    const written = Object.fromEntries(['live', 'dead'].flatMap((name) => Array.from({ length: n }, (_, i) => job(i, name))))
    const steps = stepsOf({ ...written, SEED: { sets: ['live_C0'] } })
    const told = workflowReport(steps)
    expect(told).toMatchObject({ jobs: 2 * n + 1, isPartial: true, isExact: true })
    expect(told.deadJobs).toHaveLength(1_000)
    expect(told.deadJobs[999]).toMatchObject({ root: 'dead_C0', isChainPartial: true })
    expect(told.deadJobs[999]!.chain).toHaveLength(50)
    expect(told.deadJobs[40]).toMatchObject({ id: 'dead40', isChainPartial: false, reason: 'behind-dead-job' })
    expect(named(told.danglingConditions)).toEqual({ dead_C0: ['dead0'] })
    expect(Object.keys(named(told.unconsumedConditions))).toEqual([`live_C${n}`, `dead_C${n}`])
  })
})

/** What the facts of a file say. */
async function reportOn(text: string): Promise<WorkflowReport> {
  const { facts } = await controlMXml.parse(text, { projectId: 'p', systemId: 's', file: 'jobs.xml' })
  const nodes = facts.filter((f): f is NodeFact => f.fact === 'node')
  const labels: readonly string[] = stepLabels
  const edges = facts.filter((f): f is EdgeFact => f.fact === 'edge' && labels.includes(f.label))
  return workflowReport(workflowOf(nodes, edges))
}

describe('the demo estate', () => {
  const folder = path.resolve(import.meta.dirname, '../../../scripts/demo/estate')
  it.each(['v1', 'v2', 'v3', 'v4'])('%s has no dead job, no ring and nothing dangling', async (version) => {
    const told = await reportOn(fs.readFileSync(path.join(folder, version, 'control-m/bank-prod.xml'), 'utf8'))
    expect(told.jobs).toBeGreaterThan(20)
    expect([told.deadJobs, told.danglingConditions, told.cycles]).toEqual([[], [], []])
    expect(told.unconsumedConditions.length).toBeGreaterThan(0)
  })
})

describeIf(sharedData, 'no shared data beside the checkout', 'the real exports', () => {
  it.each([
    ['001-tfatf.xml', 3],
    ['002-tftf.xml', 12],
  ])('%s: every job can start', async (file, jobs) => {
    const told = await reportOn(fs.readFileSync(path.join(sharedData!, 'control-m', file), 'utf8'))
    expect(told).toMatchObject({ jobs, deadJobs: [], danglingConditions: [], cycles: [], isExact: true })
  })
})
