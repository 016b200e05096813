import type { DatasetSplit } from '../datasets/splits/split-store.js'
import { partition } from '../datasets/splits/split-version.js'
import { readDatasetVersion, readGraphExamples } from '../datasets/store.js'
import type { DatasetVersion } from '../datasets/version.js'
import { ggnnGraph } from '../models/ggnn/ggnn-graph.js'
import { ggnnNode } from '../models/ggnn/ggnn-node.js'
import { ggnnSequence } from '../models/ggnn/ggnn-sequence.js'
import type { AnswerKind } from '../models/graphs/graph-answer.js'
import type { GraphExample } from '../models/graphs/graph-example.js'
import type { Model } from '../models/model.js'
import { recordUse } from '../runs/graph-store.js'
import type { TaskContext } from './task.js'

/** The model of each read-out of graph examples. */
// biome-ignore lint/suspicious/noExplicitAny: the options of each were parsed by its own schema
export const readouts: Record<AnswerKind, Model<any, GraphExample>> = {
  node: ggnnNode,
  graph: ggnnGraph,
  sequence: ggnnSequence,
}

/** The graph examples of a dataset version, and its stored split where the run names one. */
export interface GraphData {
  version: DatasetVersion
  examples: GraphExample[]
  stored: { split: DatasetSplit; parts: Record<string, GraphExample[]> } | null
}

/** Reads the version that the run names, and writes down that it did. */
export async function readGraphData({
  platform: { database, blobs },
  claim,
  options: { datasetVersionId, split },
}: TaskContext<{ datasetVersionId: string; split?: string | undefined }>): Promise<GraphData> {
  const version = await readDatasetVersion(database, datasetVersionId)
  const examples = await readGraphExamples(database, blobs, datasetVersionId)
  await recordUse(database, claim.run.id, version.id)
  const stored = split === undefined ? null : await partition(database, version.id, split, examples)
  return { version, examples, stored }
}
