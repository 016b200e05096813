/**
 * Links ranked by a GGNN that never saw the database, beside every baseline: foreign keys of Spider's 83 schemas, all columns of the
 * database as candidates, every database held out once (5 folds), several seeds, settings chosen inside the training folds. Twice: one
 * key missing from a schema that declares the others, and a schema that declares none. Then column lineage and job dependencies on what
 * data there is: little, so read their intervals.
 *
 * BENCH_LINKS=foreign-key,lineage,dependency picks parts; BENCH_SEEDS=1,2,3 the seeds.
 */
import fs from 'node:fs'
import { controlMEstates, demoEstate, merge, sharedData, spiderEstate, tpcdsEstate } from './support/link-estates.mjs'
import { notesOf, rowsOf, studyLinks } from './support/link-study.mjs'

export const title = 'foreign keys, lineage and dependencies ranked with whole databases held out, beside the baselines'

const seeds = (process.env.BENCH_SEEDS ?? '1,2,3').split(',').map(Number)
const asked = (process.env.BENCH_LINKS ?? 'foreign-key,lineage,dependency').split(',')

const setting = (hidden, steps, epochs, learningRate) => ({
  name: `hidden ${hidden}, steps ${steps}, ${epochs} epochs at ${learningRate}`,
  model: { hidden, steps, temperature: 0.5 },
  training: { epochs, learningRate, schedule: { name: 'cosine' }, optimizer: { name: 'adamw', weightDecay: 0.3 } },
})
const settings = [setting(16, 2, 16, 2e-3), setting(8, 1, 20, 5e-3)]

const log = (line) => process.stderr.isTTY && process.stderr.write(`\r\x1b[K${line}`)

const studies = [
  {
    task: 'foreign-key',
    name: 'foreign keys, the others known',
    make: async () => ({ estate: await spiderEstate(), features: { knownLinks: 'others' }, folds: 5, settings }),
  },
  {
    task: 'foreign-key',
    name: 'foreign keys, none known',
    make: async () => ({ estate: await spiderEstate(), features: { knownLinks: 'none' }, folds: 5, settings }),
  },
  {
    task: 'foreign-key',
    name: 'foreign keys of the demo, the others known',
    make: async () => ({ estate: await demoEstate(), features: {}, folds: 'each', settings: settings.slice(0, 1) }),
  },
  {
    task: 'lineage',
    name: 'column lineage, TPC-DS queries',
    make: async () => ({ estate: await tpcdsEstate(), features: { task: 'lineage' }, folds: 5, settings: settings.slice(0, 1) }),
  },
  {
    task: 'lineage',
    name: 'column lineage, demo',
    make: async () => ({ estate: await demoEstate(), features: { task: 'lineage' }, folds: 'each', settings: settings.slice(0, 1) }),
  },
  {
    task: 'dependency',
    name: 'job dependencies, demo and exports',
    make: async () => ({
      estate: merge(await demoEstate(), ...(await controlMEstates())),
      features: { task: 'dependency' },
      folds: 'each',
      settings: settings.slice(0, 1),
    }),
  },
]

export async function run() {
  if (!fs.existsSync(sharedData)) return { rows: [], notes: [`needs the data in ${sharedData}, which is absent`] }
  const rows = []
  const notes = []
  for (const { name, make } of studies.filter(({ task }) => asked.includes(task))) {
    const { estate, ...how } = await make()
    const study = await studyLinks(estate, { ...how, seeds, log: (line) => log(`${name}: ${line}`) })
    log('')
    rows.push(...rowsOf('ranker', study).map(({ ranker, ...row }) => ({ task: name, ranker, ...row })))
    notes.push(...notesOf(name, study))
  }
  return { rows, notes }
}
