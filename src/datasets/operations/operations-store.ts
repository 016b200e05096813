import { randomUUID } from 'node:crypto'
import type { Sql } from '../../postgres/sql.js'
import { didYouMean } from '../../util/closest.js'
import { EspalierError } from '../../util/error.js'
import type { JsonValue } from '../../vocabulary.js'
import { type FittedOperations, fittedHash, parseFitted } from './fitted.js'

/** Steps that were fitted on a version, or on a part of a split of it; immutable. */
export interface DatasetOperations {
  id: string
  versionId: string
  splitId: string | null
  part: string | null
  name: string
  fitted: FittedOperations
  hash: string
  createdBy: string
  createdAt: Date
}

interface StoredOperations extends Omit<DatasetOperations, 'fitted'> {
  fitted: JsonValue
}

const columns = `id, version_id AS "versionId", split_id AS "splitId", part, name, fitted, hash, created_by AS "createdBy",
  created_at AS "createdAt"`

/** Checked, and against its hash: CORRUPT where they do not fit. */
function parseStored({ fitted: stored, ...rest }: StoredOperations): DatasetOperations {
  const fitted = parseFitted(stored)
  if (fittedHash(fitted) === rest.hash) return { ...rest, fitted }
  throw new EspalierError('CORRUPT', `steps "${rest.name}" of dataset version ${rest.versionId} hold another fit than was saved`, {
    remedy: 'Fit again under another name: the same rows and steps give the same fit.',
  })
}

export interface NewOperations {
  versionId: string
  name: string
  fitted: FittedOperations
  split?: { id: string; part: string } | undefined
  createdBy?: string | undefined
}

/** Saves fitted steps under a name. The same again is answered as it is; others under the same name are a CONFLICT. */
export async function saveOperations(
  sql: Sql,
  { versionId, name, fitted, split, createdBy = 'system' }: NewOperations,
  now: Date,
): Promise<{ operations: DatasetOperations; isNew: boolean }> {
  if (!/^[\p{L}\p{N}_.-]{1,100}$/u.test(name))
    throw new EspalierError('BAD_INPUT', `name of steps "${name.slice(0, 100)}" cannot be used, expected letters, digits, "_", "-" or "."`)
  const hash = fittedHash(fitted)
  const { rows } = await sql.query<StoredOperations>(
    `INSERT INTO dataset_operations (id, version_id, split_id, part, name, fitted, hash, created_by, created_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
     ON CONFLICT (version_id, name) DO NOTHING
     RETURNING ${columns}`,
    [randomUUID(), versionId, split?.id ?? null, split?.part ?? null, name, JSON.stringify(fitted), hash, createdBy, now],
  )
  if (rows[0]) return { operations: parseStored(rows[0]), isNew: true }
  const known = await findOperations(sql, versionId, name)
  if (known.hash === hash && known.splitId === (split?.id ?? null) && known.part === (split?.part ?? null))
    return { operations: known, isNew: false }
  throw new EspalierError('CONFLICT', `dataset version ${versionId} has other steps "${name}"`, {
    remedy: 'Fitted steps never change: give the new ones another name.',
  })
}

/** The fitted steps of a version, by name. */
export async function readOperations(sql: Sql, versionId: string): Promise<DatasetOperations[]> {
  const { rows } = await sql.query<StoredOperations>(`SELECT ${columns} FROM dataset_operations WHERE version_id = $1 ORDER BY name`, [
    versionId,
  ])
  return rows.map(parseStored)
}

/** The steps of this name; NOT_FOUND names what there is. */
export async function findOperations(sql: Sql, versionId: string, name: string): Promise<DatasetOperations> {
  const all = await readOperations(sql, versionId)
  const found = all.find((operations) => operations.name === name)
  if (found) return found
  const names = all.map((operations) => operations.name)
  throw new EspalierError('NOT_FOUND', `dataset version ${versionId} has no fitted steps "${name.slice(0, 100)}"`, {
    remedy: didYouMean(name, names) ?? (names.length > 0 ? `There are ${names.slice(0, 10).join(', ')}.` : 'Fit some first.'),
  })
}
