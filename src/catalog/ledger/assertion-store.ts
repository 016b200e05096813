import type { Client } from '../../postgres/sql.js'
import { endOfPositions, type Position, startOfPositions } from './temporal.js'

/** Lets what a stream says from the start on begin with its first snapshot, as all else does. */
export const placeFirst = (client: Client, stream: number, first: Position): Promise<unknown> =>
  client.query('update assertion set from_position = $2 where stream = $1 and from_position = $3', [stream, first, startOfPositions])

/**
 * Takes out of a stream what the snapshot at a position asserts, and leaves the differences as they would be had it never come: those of
 * its successor become relative to its predecessor. The snapshot's own row must still be there, or gone already; both do.
 */
export async function removeAssertions(client: Client, stream: number, position: Position): Promise<void> {
  const { rows } = await client.query<{ position: string }>(
    'select position from snapshot where stream = $1 and position > $2 order by position limit 1',
    [stream, position],
  )
  const next = rows[0]?.position ?? endOfPositions
  const before = await client.query('select from snapshot where stream = $1 and position < $2 limit 1', [stream, position])
  if (before.rowCount === 0) await placeFirst(client, stream, position)
  // what the predecessors said lasts to the successor, where the same may begin again
  await client.query('delete from assertion where stream = $1 and from_position = $2 and to_position <= $3', [stream, position, next])
  await client.query('update assertion set from_position = $3 where stream = $1 and from_position = $2', [stream, position, next])
  await client.query('update assertion set to_position = $3 where stream = $1 and to_position = $2', [stream, position, next])
  if (next === endOfPositions) return
  await client.query(
    `with joined as (
       delete from assertion b using assertion a
       where b.stream = $1 and b.from_position = $2 and a.stream = $1 and a.fact = b.fact and a.to_position = $2 and a.version = b.version
       returning b.fact, b.to_position
     )
     update assertion a set to_position = j.to_position from joined j where a.stream = $1 and a.fact = j.fact and a.to_position = $2`,
    [stream, next],
  )
}
