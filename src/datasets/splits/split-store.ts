import { randomUUID } from 'node:crypto'
import { promisify } from 'node:util'
import { deflate, inflate } from 'node:zlib'
import type { Sql } from '../../postgres/sql.js'
import { didYouMean } from '../../util/closest.js'
import { EspalierError } from '../../util/error.js'
import { canonicalJson, sha256 } from '../../util/hash.js'
import type { Problem } from '../../util/problem.js'
import type { DatasetVersion } from '../version.js'
import type { SplitOptions } from './options.js'
import { parseSplitOptions, type SplitPlan } from './plan.js'

const [compress, decompress] = [promisify(deflate), promisify(inflate)]

/** A stored split of a version: immutable, as the version is. */
export interface DatasetSplit {
  id: string
  versionId: string
  name: string
  options: SplitOptions
  /** part -> rows */
  counts: Record<string, number>
  membershipHash: string
  /** leakage, as warnings */
  problems: Problem[]
  createdBy: string
  createdAt: Date
}

const columns = `id, version_id AS "versionId", name, options, counts, membership_hash AS "membershipHash", problems,
  created_by AS "createdBy", created_at AS "createdAt"`

// jsonb has its own order of members: parts come in the order of the split
const inOrder = (split: DatasetSplit): DatasetSplit => ({
  ...split,
  counts: Object.fromEntries(split.options.parts.map((part) => [part, split.counts[part]!])),
})

/** Saves a split under a name. The same split again is answered as it is; another one under the same name is a CONFLICT. */
export async function saveSplit(
  sql: Sql,
  version: Pick<DatasetVersion, 'id' | 'datasetName' | 'number'>,
  { name, plan, createdBy = 'system' }: { name: string; plan: SplitPlan; createdBy?: string },
  now: Date,
): Promise<{ split: DatasetSplit; isNew: boolean }> {
  assertSplitName(name)
  const { options, counts, membership, membershipHash, problems } = plan
  const { rows } = await sql.query<DatasetSplit>(
    `INSERT INTO dataset_split (id, version_id, name, options, counts, membership, membership_hash, problems, created_by, created_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
     ON CONFLICT (version_id, name) DO NOTHING
     RETURNING ${columns}`,
    [
      ...[randomUUID(), version.id, name, JSON.stringify(options), JSON.stringify(counts), await compress(membership), membershipHash],
      ...[JSON.stringify(problems), createdBy, now],
    ],
  )
  if (rows[0]) return { split: inOrder(rows[0]), isNew: true }
  const known = await findSplit(sql, version.id, name)
  if (known.membershipHash === membershipHash && canonicalJson(known.options) === canonicalJson(options))
    return { split: known, isNew: false }
  throw new EspalierError('CONFLICT', `dataset "${version.datasetName}" ${version.number} has another split "${name}"`, {
    remedy: 'Splits never change: give the new one another name.',
  })
}

export function assertSplitName(name: string): void {
  if (/^[\p{L}\p{N}_.-]{1,100}$/u.test(name)) return
  throw new EspalierError('BAD_INPUT', `split name "${name.slice(0, 100)}" cannot be used, expected letters, digits, "_", "-" or "."`)
}

/** The splits of a version, by name. */
export async function readSplits(sql: Sql, versionId: string): Promise<DatasetSplit[]> {
  const { rows } = await sql.query<DatasetSplit>(`SELECT ${columns} FROM dataset_split WHERE version_id = $1 ORDER BY name`, [versionId])
  return rows.map(inOrder)
}

/** The split of this name; NOT_FOUND names what there is. */
export async function findSplit(sql: Sql, versionId: string, name: string): Promise<DatasetSplit> {
  const splits = await readSplits(sql, versionId)
  const found = splits.find((split) => split.name === name)
  if (found) return found
  const names = splits.map((split) => split.name)
  throw new EspalierError('NOT_FOUND', `dataset version ${versionId} has no split "${name.slice(0, 100)}"`, {
    remedy: didYouMean(name, names) ?? (names.length > 0 ? `There are ${names.slice(0, 10).join(', ')}.` : 'Split it first.'),
  })
}

/** Always true; BAD_INPUT unless a training can use the split: it has the parts train and validation. */
export function assertTrainable({ name, options }: Pick<DatasetSplit, 'name' | 'options'>): true {
  if (options.parts.includes('train') && options.parts.includes('validation')) return true
  throw new EspalierError(
    'BAD_INPUT',
    `split "${name}" has the parts ${options.parts.join(', ')}, expected train and validation among them`,
    {
      remedy: 'Split with the parts train, validation and test: what is judged while training is not what is judged in the end.',
    },
  )
}

/** The part that an evaluation judges on: test, or validation where there is none; BAD_INPUT unless there is one, and a part train. */
export function assertJudging({ name, options: { parts } }: Pick<DatasetSplit, 'name' | 'options'>): 'test' | 'validation' {
  const judged = (['test', 'validation'] as const).find((part) => parts.includes(part))
  if (judged && parts.includes('train')) return judged
  throw new EspalierError('BAD_INPUT', `split "${name}" has the parts ${parts.join(', ')}, expected train, and test or validation`, {
    remedy: 'Split with the parts train, validation and test.',
  })
}

/** Number of the part of each row, checked against its hash: CORRUPT otherwise. */
export async function readMembership(sql: Sql, split: DatasetSplit): Promise<Uint8Array> {
  const { rows } = await sql.query<{ membership: Buffer }>('SELECT membership FROM dataset_split WHERE id = $1', [split.id])
  if (!rows[0]) throw new EspalierError('NOT_FOUND', `split "${split.name}" of dataset version ${split.versionId} is gone`)
  const membership = await decompress(rows[0].membership).catch(() => new Uint8Array())
  if (sha256(membership) === split.membershipHash) return membership
  throw new EspalierError(
    'CORRUPT',
    `split "${split.name}" of dataset version ${split.versionId} holds another membership than was saved`,
    {
      remedy: 'Split again with its options under another name: the same rows and options give the same membership.',
    },
  )
}

/** Whether options, whatever way they were spelled, are those of this split. */
export const isSplitBy = (split: DatasetSplit, options: unknown): boolean =>
  canonicalJson(split.options) === canonicalJson(parseSplitOptions(options))
