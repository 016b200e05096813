import { largestDifference, type ParitySamples, samplesPath } from '../artifacts/parity.js'
import { openScorer, type Scorer } from '../artifacts/scorer.js'
import type { Artifact } from '../artifacts/store.js'
import type { Model } from '../models/model.js'
import type { RankingList } from '../models/ranking-list.js'
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
  models: Readonly<Record<string, Model>>
  threads?: number
}

/** A verified artifact ready to answer. */
export interface Session {
  readonly artifact: Artifact
  /** how its inputs were encoded when it was trained; null when it was published without */
  readonly featureSpec: unknown
  /** Scores per list, in candidate order; a list that cannot be scored gets its error in place of scores. */
  score(lists: readonly RankingList[]): Promise<(number[] | EspalierError)[]>
  close(): Promise<void>
}

/**
 * Opens an artifact: every file read and hashed against the manifest, onnxruntime sessions made, and run once, so that the first
 * request is as fast as the next. CORRUPT when a file is not what the manifest says.
 */
export async function openSession(artifact: Artifact, { blobs, models, threads = 2 }: SessionTools): Promise<Session> {
  const { manifest } = artifact
  const model = models[manifest.model.name]
  if (!model)
    throw new EspalierError(
      'NOT_FOUND',
      `artifact ${artifact.id}: it needs the model "${manifest.model.name}", found ${Object.keys(models).join(', ')}`,
      {
        remedy: 'Serve it with the version of Espalier that published it.',
      },
    )
  const files = await readFiles(blobs, artifact)
  const graphs = manifest.graphs.filter((g) => g.precision === 'fp32')
  const scorer = await openScorer(model, manifest.model.options, new Map(graphs.map((g) => [g.layout, files.get(g.path)!])), { threads })
  try {
    await warmUp(artifact.id, scorer, files.get(samplesPath))
  } catch (error) {
    await scorer.close()
    throw error
  }
  const spec = files.get(specPath)

  const scoreEach = async (lists: readonly RankingList[]): Promise<(number[] | EspalierError)[]> => {
    const { batch, problems } = scorer.encode(lists)
    if (!problems.some((p) => p.severity === 'error')) return await scorer.score(batch)
    // someone's list is at fault: alone, each answers for itself
    if (lists.length === 1) return [refusal(lists[0]!, problems)]
    const answers: (number[] | EspalierError)[] = []
    for (const list of lists) answers.push(...(await scoreEach([list])))
    return answers
  }
  return {
    artifact,
    featureSpec: spec ? JSON.parse(new TextDecoder().decode(spec)) : null,
    score: scoreEach,
    close: () => scorer.close(),
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
 * hundred times the tolerance of parity is another model.
 */
async function warmUp(id: string, scorer: Scorer, samples: Uint8Array | undefined): Promise<void> {
  if (!samples) throw corrupt(id, `it has no ${samplesPath}`)
  const { lists, scores, tolerance } = JSON.parse(new TextDecoder().decode(samples)) as ParitySamples
  for (const layout of scorer.layouts) {
    const difference = largestDifference(await scorer.score(scorer.encode(lists, layout).batch), scores)
    if (difference === null || difference > 100 * tolerance)
      throw corrupt(id, `on its own samples (${layout}) its scores are off by ${difference ?? 'a number that is not finite'}`)
  }
}

function refusal(list: RankingList, problems: readonly Problem[]): EspalierError {
  const errors = problems.filter((p) => p.severity === 'error')
  return new EspalierError('BAD_INPUT', `rank "${list.queryId}": ${errors.slice(0, 3).map(describeProblem).join('; ')}`, {
    remedy: 'Correct the list: the problems say where.',
    problems: errors,
  })
}
