/** Wrong labels planted in real intents (CLINC150, 5 % replaced by another at random): which are found, and how many that are right are named. */
import fs from 'node:fs'
import path from 'node:path'

export const title = 'planted label noise found in 3,100 utterances with 151 intents, beside chance and a vote of neighbours'

const dist = (file) => import(path.resolve(import.meta.dirname, '../../dist/datasets', file))
const source = path.resolve(import.meta.dirname, '../../../shared/data/intents/clinc150-validation.jsonl')
const seeds = [1, 2, 3]
const neighbours = 10

/** Share of the ten nearest rows (cosine of the same features) that have the row's own label: the smaller, the more suspect. */
function votes(examples, { starts, columns, values }) {
  const having = new Map()
  const each = (i, visit) => {
    for (let k = starts[i]; k < starts[i + 1]; k++) visit(columns[k], values[k])
  }
  examples.forEach((_, i) => {
    each(i, (column, value) => {
      if (!having.has(column)) having.set(column, [])
      having.get(column).push([i, value])
    })
  })
  return examples.map(({ label }, i) => {
    const scores = new Float64Array(examples.length)
    each(i, (column, value) => {
      for (const [other, weight] of having.get(column)) scores[other] += value * weight
    })
    scores[i] = -1
    const nearest = [...scores.keys()].sort((a, b) => scores[b] - scores[a]).slice(0, neighbours)
    const counts = new Map()
    for (const j of nearest) counts.set(examples[j].label, (counts.get(examples[j].label) ?? 0) + 1)
    const [winner] = [...counts].sort((a, b) => b[1] - a[1])[0]
    return { own: (counts.get(label) ?? 0) / neighbours, disagrees: winner !== label }
  })
}

export async function run() {
  if (!fs.existsSync(source)) return { rows: [], notes: ['skipped: ../shared/data/intents is not there'] }
  const { estimateLabelNoise } = await dist('noise/label-noise.js')
  const { encodeTexts } = await dist('noise/ngrams.js')
  const { seeded } = await import(path.resolve(import.meta.dirname, '../../dist/util/random.js'))
  const data = fs.readFileSync(source, 'utf8').trim().split('\n').map(JSON.parse)
  const intents = [...new Set(data.map((row) => row.intent))].sort()
  const sums = {}
  const tally = (method, named, changed) => {
    const hits = named.filter((i) => changed.has(i)).length
    sums[method] ??= { named: 0, precision: 0, recall: 0 }
    sums[method].named += named.length
    sums[method].precision += hits / Math.max(1, named.length)
    sums[method].recall += hits / changed.size
  }
  let [noise, seconds] = [0, 0]
  for (const seed of seeds) {
    const rng = seeded(seed)
    const changed = new Set(rng.sample([...data.keys()], Math.round(data.length * 0.05)))
    const examples = data.map(({ text, intent }, i) => {
      let label = intent
      while (changed.has(i) && label === intent) label = intents[rng.integer(intents.length)]
      return { text, label }
    })
    const start = performance.now()
    const found = await estimateLabelNoise(examples, seed)
    seconds += (performance.now() - start) / 1000
    noise += found.noise
    tally(
      'confident learning',
      found.suspects.map(({ index }) => index),
      changed,
    )
    const vote = votes(examples, encodeTexts(examples.map(({ text }) => text)))
    tally(
      'vote of 10 neighbours',
      [...vote.keys()].filter((i) => vote[i].disagrees),
      changed,
    )
    const least = [...vote.keys()].sort((a, b) => vote[a].own - vote[b].own).slice(0, found.suspects.length)
    tally('the same, as many as confident learning named', least, changed)
    tally('chance', rng.sample([...data.keys()], found.suspects.length), changed)
  }
  const mean = (x) => (x / seeds.length).toFixed(3)
  const rows = Object.entries(sums).map(([method, { named, precision, recall }]) => ({
    method,
    named: Math.round(named / seeds.length),
    precision: mean(precision),
    recall: mean(recall),
  }))
  const clean = await estimateLabelNoise(
    data.map(({ text, intent }) => ({ text, label: intent })),
    0,
  )
  return {
    rows,
    notes: [
      `means of ${seeds.length} plantings of ${Math.round(data.length * 0.05)} wrong labels; estimated noise ${mean(noise)}, ${mean(seconds)} s each`,
      `of the labels as they came, ${clean.noise.toFixed(3)} are called wrong (their own noise is not known)`,
    ],
  }
}
