/**
 * The five levels of domain intelligence, answered by our own learners, on estates that none of their options were chosen on: the demo
 * bank (one project: its databases stand for projects), and Spider's 83 schemas, with every database as a project of its own, and with the databases dealt out to two projects.
 * Every answer was held out; a predictor that answers nothing, and one that guesses, stand beside. SEEDS=<n> draws more often what is held out.
 */
import fs from 'node:fs'
import path from 'node:path'
import { askCases, levels } from '../../dist/datasets/cases/case.js'
import { createDomainTestCases } from '../../dist/datasets/cases/cases.js'
import { estatePredictor } from '../../dist/datasets/cases/predictor.js'
import { scoreLevels } from '../../dist/evaluation/levels/score.js'
import { seeded } from '../../dist/util/random.js'
import { demoEstate, sharedData, spiderEstate } from './support/link-estates.mjs'

export const title = 'levels of domain intelligence: held-out questions, answered by what our learners make of the rest'

const digits = (value) => (value === null || value === undefined ? '-' : value.toFixed(3))

/** The same facts, each database given to a project. */
function asProjects({ nodes, edges }, projectOf) {
  const database = (id) => id.split(':').slice(1).join(':').split('.')[0]
  return { nodes: nodes.map((node) => ({ ...node, projectId: projectOf(database(node.id)) })), edges }
}

async function rowsOf(name, estate, seed) {
  const made = createDomainTestCases(estate, null, { rng: seeded(seed).fork('cases') })
  const report = scoreLevels(made.cases, await askCases(made, estatePredictor()))
  return report.levels.map((level) => ({
    estate: name,
    level: `L${level.level} ${level.name}`,
    asked: level.asked,
    groups: level.groups,
    score: digits(level.score?.value),
    '95 %': level.score ? `${digits(level.score.low)}..${digits(level.score.high)}` : '-',
    majority: digits(level.baselines.majority),
    random: digits(level.baselines.random),
    counts: level.isReached ? 'yes' : 'no',
    reached: report.intelligenceLevel,
    expertise: digits(report.domainExpertise),
  }))
}

export async function run() {
  const seeds = Number(process.env['SEEDS'] ?? 1)
  const estates = { 'demo bank': await demoEstate() }
  const notes = [
    `score = right / asked, unanswered is wrong; a level counts from .7 if all below do; ${levels.length} levels, ${seeds} draw(s) of what is held out`,
    'L1 type of a column in a seen table, L2 in an unseen one, L3 labels of a two-hop walk of an unseen composition, L4 types in another project, L5 the table of the same name in another project, names removed',
  ]
  if (fs.existsSync(path.join(sharedData, 'spider/tables.json'))) {
    const spider = await spiderEstate()
    estates['spider, 83 projects'] = asProjects(spider, (database) => `spider-${database}`)
    const names = [...new Set(spider.nodes.filter((n) => n.kind === 'Database').map((n) => n.name.toLowerCase()))].sort()
    estates['spider, 2 projects'] = asProjects(spider, (database) => `half-${names.indexOf(database) % 2}`)
  } else notes.push(`no spider/tables.json under ${sharedData}: the demo bank alone`)
  const rows = []
  for (const [name, estate] of Object.entries(estates))
    for (let seed = 0; seed < seeds; seed++) rows.push(...(await rowsOf(seeds > 1 ? `${name} #${seed}` : name, estate, seed)))
  return { rows, notes }
}
