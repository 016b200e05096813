import fs from 'node:fs'
import path from 'node:path'
import { readEnvironment } from '../../dist/artifacts/environment.js'
import { exportGraphs } from '../../dist/artifacts/onnx/export.js'
import { checkGraphs } from '../../dist/artifacts/parity/check.js'
import { parityGrid } from '../../dist/artifacts/parity/grid.js'
import { parseSource } from '../../dist/catalog/sources/index.js'
import { nodeFeatureWidth, queryFeatureWidth } from '../../dist/datasets/links/features.js'
import { buildLinkLists } from '../../dist/datasets/links/lists.js'
import { candidateEdgeTypes } from '../../dist/datasets/links/spec.js'
import { splitByGroup } from '../../dist/datasets/splits/groups.js'
import { ggnn } from '../../dist/models/ggnn.js'
import { ortExecutor } from '../../dist/tensor/ort.js'
import { rankingTask } from '../../dist/training/jobs/learning-task.js'
import { trainGgnnOptions } from '../../dist/training/jobs/ranking-job.js'
import { train } from '../../dist/training/train.js'
import { seeded } from '../../dist/util/random.js'

export const title = 'int8 files beside fp32 ones: foreign keys of Spider, a quarter of its databases held out'

const scope = { projectId: 'spider', systemId: 'schemas' }

async function spiderEstate(file) {
  const { facts } = await parseSource('schema-json', fs.readFileSync(file, 'utf8'), { ...scope, file: 'tables.json' })
  const of = (kind) => facts.filter((f) => f.fact === kind)
  return {
    nodes: of('node').map((f) => ({ ...f, ...scope })),
    edges: of('edge').map((f) => ({ discriminator: '', ...f, ...scope })),
  }
}

/** The weights that a `train-ggnn` run would ship, after `epochs`. */
async function trained(hidden, epochs, split, shape) {
  const { model, training } = trainGgnnOptions.parse({ readout: 'rank' })
  const events = train({
    model: ggnn,
    modelOptions: { ...model, hidden, ...shape },
    options: { ...training, epochs },
    task: rankingTask,
    training: split.train,
    validation: split.validation,
    executor: ortExecutor,
  })
  for await (const event of events) if (event.type === 'finished') return event
  throw new Error('the training ended without a result')
}

export async function run() {
  const file = path.resolve(import.meta.dirname, '../../../shared/data/spider/tables.json')
  if (!fs.existsSync(file)) return { rows: [{ case: 'Spider', result: 'not present' }] }
  const { lists, featureSpec } = buildLinkLists(await spiderEstate(file), {}, seeded(1))
  const split = splitByGroup(lists, { validation: 0.25 }, seeded(1).fork('split'))
  const shape = {
    features: nodeFeatureWidth(featureSpec),
    queryFeatures: queryFeatureWidth(featureSpec),
    edgeTypes: candidateEdgeTypes(featureSpec).length,
  }
  const rows = []
  const notes = [`${split.train.length} lists to learn from, ${split.validation.length} to measure on, ${shape.features} features a node`]
  for (const [hidden, epochs] of [
    [48, 6],
    [128, 3],
  ]) {
    const { modelOptions, parameters } = await trained(hidden, epochs, split, shape)
    const options = ggnn.options.parse(modelOptions)
    const grid = parityGrid('ranking', shape.features, shape.queryFeatures)
    const request = {
      model: ggnn,
      options,
      parameters,
      validation: split.validation,
      grid,
      judge: rankingTask.judge,
      environment: readEnvironment(),
    }
    const checked = await checkGraphs(
      ortExecutor,
      { ...request, int8: { mode: 'if-passed', maxDrop: 0.01 } },
      exportGraphs(ggnn, options, parameters, {}),
    )
    const { parity, int8Report: r } = checked
    rows.push({
      hidden,
      'fp32 kB': (r.size.fp32_bytes / 1000).toFixed(0),
      'int8 / fp32': r.size.ratio.toFixed(3),
      'fp32 ms': r.speed.fp32_ms.toFixed(2),
      'int8 speed-up': r.speed.ratio.toFixed(2),
      tau: r.kendall_tau.toFixed(4),
      'top-1': r.top1_agreement.toFixed(4),
      'MRR fp32': r.metric.fp32.toFixed(4),
      'MRR int8': r.metric.int8.toFixed(4),
      'drop %': (100 * r.metric.drop).toFixed(3),
      gate: r.passed ? 'passed' : 'failed',
      'fp32 parity': parity.max_abs_diff.toExponential(1),
    })
    notes.push(
      `hidden ${hidden}: ${epochs} epochs; speed of ${r.speed.examples} lists, ${r.speed.graphs} graphs, ${r.speed.nodes} nodes, both run in turns`,
    )
  }
  const { cpu, cpuFlags, producer } = readEnvironment()
  notes.push(`onnxruntime ${producer['onnxruntime-node']}; ${cpu}; ${cpuFlags.filter((f) => /vnni|amx|avx512f|avx2/.test(f)).join(' ')}`)
  return { rows, notes }
}
