import { largestDifference } from '../artifacts/parity/compare.js'
import { type ParitySamples, parseSamples, samplesPath } from '../artifacts/parity/samples.js'
import { openScorer, type Scorer } from '../artifacts/parity/scorer.js'
import type { Artifact } from '../artifacts/store.js'
import type { GraphExample } from '../models/graphs/graph-example.js'
import type { ExampleKind } from '../models/model.js'
import type { RankingList } from '../models/rankings/ranking-list.js'
import type { AnyModel } from '../models/registry.js'
import { EspalierError } from '../util/error.js'
import { sha256 } from '../util/hash.js'
import { describeProblem, type Problem } from '../util/problem.js'

/** The slice of a blob store that serving needs; `get` verifies. */
export interface ReadsBlobs {
  get(digest: string): Promise<Uint8Array>
}

export interface SessionTools {
  blobs: ReadsBlobs
  /** name -> model: the registry */
  models: Readonly<Record<string, AnyModel>>
  threads?: number
}

export const precisions = ['fp32', 'int8'] as const
export type Precision = (typeof precisions)[number]

/** A question of any kind: a model takes one of them. */
export type AnyExample = RankingList | GraphExample

/** A verified artifact ready to answer. */
export interface Session {
  readonly artifact: Artifact
  /** what its model answers */
  readonly kind: ExampleKind
  /** how its inputs were encoded when it was trained; null when it was published without */
  readonly featureSpec: unknown
  /** The precision that answers where this one is asked for: int8 only where the artifact has it. */
  precision(asked: Precision): Precision
  /** Scores per example, of candidates in their order, of nodes, of classes; what cannot be scored gets its error in place of scores. */
  score(examples: readonly AnyExample[], precision: Precision): Promise<(number[] | EspalierError)[]>
  close(): Promise<void>
}

/**
 * Opens an artifact: every file read and hashed against the manifest, onnxruntime sessions made for each precision that it has, and run
 * once, so that the first request is as fast as the next. CORRUPT when a file is not what the manifest says.
 */
export async function openSession(artifact: Artifact, { blobs, models, threads = 2 }: SessionTools): Promise<Session> {
  const { manifest } = artifact
  const model = models[manifest.model.name]
  if (!model)
    throw new EspalierError(
      'NOT_FOUND',
      `artifact ${artifact.id}: it needs the model "${manifest.model.name}", found ${Object.keys(models).join(', ')}`,
      { remedy: 'Serve it with the version of Espalier that published it.' },
    )
  const files = await readFiles(blobs, artifact)
  const samples = files.get(samplesPath)
  if (!samples) throw corrupt(artifact.id, `it has no ${samplesPath}`)
  const scorers = new Map<Precision, Scorer<AnyExample>>()
  const close = async () => {
    for (const scorer of scorers.values()) await scorer.close()
  }
  try {
    for (const precision of precisions) {
      const graphs = manifest.graphs.filter((g) => g.precision === precision)
      if (graphs.length === 0) continue
      const onnx = new Map(graphs.map((g) => [g.layout, files.get(g.path)!]))
      const scorer = await openScorer(model, manifest.model.options, onnx, { threads })
      scorers.set(precision, scorer)
      await warmUp(artifact, precision, scorer, parseSamples(samples))
    }
  } catch (error) {
    await close()
    throw error
  }
  const settle = (asked: Precision): Precision => (scorers.has(asked) ? asked : [...scorers.keys()][0]!)
  const spec = files.get(specPath)

  const scoreEach = async (examples: readonly AnyExample[], precision: Precision): Promise<(number[] | EspalierError)[]> => {
    const scorer = scorers.get(settle(precision))!
    const { batch, problems } = scorer.encode(examples)
    if (!problems.some((p) => p.severity === 'error')) return (await scorer.score(batch)).map((scores, i) => finite(examples[i]!, scores))
    // someone's example is at fault: alone, each answers for itself
    if (examples.length === 1) return [refusal(problems)]
    const answers: (number[] | EspalierError)[] = []
    for (const example of examples) answers.push(...(await scoreEach([example], precision)))
    return answers
  }
  return {
    artifact,
    kind: model.examples,
    featureSpec: spec ? JSON.parse(new TextDecoder().decode(spec)) : null,
    precision: settle,
    score: scoreEach,
    close,
  }
}

const specPath = 'feature-spec.json'

async function readFiles(blobs: ReadsBlobs, { id, manifest }: Artifact): Promise<Map<string, Uint8Array>> {
  const wanted = manifest.files.filter((f) => f.path.endsWith('.onnx') || f.path === specPath || f.path === samplesPath)
  const files = new Map<string, Uint8Array>()
  for (const { path, sha256: digest } of wanted) {
    const bytes = await blobs.get(digest)
    if (sha256(bytes) !== digest) throw corrupt(id, `${path} does not hash to ${digest}`)
    files.set(path, bytes)
  }
  for (const { path } of manifest.graphs) if (!files.has(path)) throw corrupt(id, `its manifest has no file ${path}`)
  return files
}

const corrupt = (id: string, what: string) =>
  new EspalierError('CORRUPT', `artifact ${id}: ${what}`, { remedy: 'Verify the artifact, and publish it again from its run.' })

/**
 * Answers the samples that were published with the model. On another processor the last bits may differ; an answer that is off by a
 * hundred times the tolerance of parity (ten times what rounding costs, in int8) is another model.
 */
async function warmUp({ id, manifest }: Artifact, precision: Precision, scorer: Scorer<AnyExample>, samples: ParitySamples): Promise<void> {
  const allowed = (layout: string) => {
    if (precision === 'fp32') return 100 * samples.tolerance
    const { path } = manifest.graphs.find((g) => g.layout === layout && g.precision === 'int8')!
    return 10 * (samples.graphs.find((g) => g.path === path)?.tolerance ?? 0)
  }
  for (const layout of scorer.layouts) {
    const examples = samples.examples as unknown as AnyExample[]
    const difference = largestDifference(await scorer.score(scorer.encode(examples, layout).batch), samples.scores)
    if (difference === null || difference > allowed(layout))
      throw corrupt(id, `on its own samples (${precision}, ${layout}) its scores are off by ${difference ?? 'a number that is not finite'}`)
  }
}

const nameOf = (example: AnyExample): string => ('queryId' in example ? example.queryId : example.id)

function refusal(problems: readonly Problem[]): EspalierError {
  const errors = problems.filter((p) => p.severity === 'error')
  return new EspalierError('BAD_INPUT', errors.slice(0, 3).map(describeProblem).join('; '), {
    remedy: 'Correct it: the problems say where.',
    problems: errors,
  })
}

/** Scores that say nothing are no answer: features far beyond those of the training overflow float32 on the way. */
const finite = (example: AnyExample, scores: number[]): number[] | EspalierError =>
  scores.every(Number.isFinite)
    ? scores
    : new EspalierError('BAD_INPUT', `"${nameOf(example)}": its scores are not finite`, {
        remedy: 'Give features of the size of those that the model was trained on.',
      })
