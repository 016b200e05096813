import { z } from 'zod'
import { EspalierError } from '../../util/error.js'
import { contentHash } from '../../util/hash.js'
import { tasks } from '../tasks/index.js'
import { linkLevels, linkTaskNames } from '../tasks/task.js'
import { groupings } from './estate.js'

/** Layout of the features; another layout is another version. */
const version = 2

/** Few places for n-grams: a few hundred links teach what makes names alike, not what words mean; more places were learned by heart. */
const places = { name: 4, comment: 2 }

/** Everything that decides how a catalog node becomes numbers and how a candidate's graph is cut out: stored with data and models. */
export const featureSpecSchema = z.strictObject({
  version: z.literal(version).default(version).describe('layout of the features; another layout is another version'),
  task: z.enum(linkTaskNames).default('foreign-key').describe('which kind of link is asked for'),
  level: z.enum(linkLevels).default('column').describe('for lineage: flows between columns, or between tables and views'),
  group: z
    .enum(groupings)
    .default('database')
    .describe(
      'what lists are held out with and take their candidates from: a database (of jobs: their outermost folder), a system or a project',
    ),
  knownLinks: z
    .enum(['others', 'none'])
    .optional()
    .describe(
      'which links of this kind the model may see: all but the asked one, or none at all; default others for foreign keys, none for lineage and dependency, where the gap that one hidden link leaves would tell',
    ),
  nameBuckets: z.int().min(1).max(4096).default(places.name).describe('places that n-grams of a name are hashed to'),
  commentBuckets: z.int().min(1).max(4096).default(places.comment).describe('places that n-grams of a comment are hashed to'),
  gramSizes: z.array(z.int().min(1).max(8)).min(1).default([2, 3]).describe('lengths of the character n-grams'),
  hops: z.int().min(1).max(4).default(2).describe('how far from the candidate, and from the query, its graph reaches'),
  maxNodes: z.int().min(2).max(512).default(16).describe('nodes a candidate graph holds at most; a third of them for the query'),
})
export type FeatureSpec = z.output<typeof featureSpecSchema> & { knownLinks: 'others' | 'none' }

/** A spec with its defaults filled in; throws BAD_INPUT on one that is not valid. */
export function parseFeatureSpec(value: unknown): FeatureSpec {
  const parsed = featureSpecSchema.safeParse(value)
  if (parsed.success) return { ...parsed.data, knownLinks: parsed.data.knownLinks ?? tasks[parsed.data.task].knownByDefault }
  throw new EspalierError('BAD_INPUT', `feature spec: ${z.prettifyError(parsed.error)}`, {
    remedy: `Take the spec as the dataset version or the artifact holds it. This is version ${version}: what another version made is to be made, and trained, again.`,
  })
}

/** SHA-256 of the spec: equal hashes mean that features were made the same way. */
export const featureSpecHash = (spec: FeatureSpec): string => contentHash(spec)

/** Edge types of a task's candidate graphs, by their number. ASKED joins the query's node to the candidate's: the edge in question. */
export const candidateEdgeTypes = ({ task }: Pick<FeatureSpec, 'task'>): readonly string[] => [...tasks[task].walked, 'ASKED']
