import type { Sql } from '../../postgres/sql.js'
import type { Fact } from '../fact.js'
import { decodeFacts, decodeHead, encodeHead, type ParsedHead } from './parsed-facts.js'

/** A text that was parsed before. */
export interface KeptText {
  head: ParsedHead
  parts: number
  bytes: number
}

/** Days after which a text that did not come again is forgotten. */
const keptDays = 90
/** Bytes of all that is kept; what was used longest ago goes first. */
const mostBytes = 2 * 2 ** 30
/** What was used so lately may be in use. */
const lately = "interval '1 day'"

/** What was kept of texts, by their digests. */
export async function findParsed(sql: Sql, digests: readonly string[]): Promise<Map<string, KeptText>> {
  const { rows } = await sql.query<{ digest: string; head: Buffer; parts: number; bytes: number }>(
    'select digest, head, parts, bytes from parsed_text where digest = any($1)',
    [digests],
  )
  // one write a day, not one per ingest
  if (rows.length > 0)
    await sql.query("update parsed_text set used_at = now() where digest = any($1) and used_at < now() - interval '12 hours'", [
      rows.map((row) => row.digest),
    ])
  return new Map(rows.map(({ digest, head, ...rest }) => [digest, { ...rest, head: decodeHead(head) }]))
}

export async function savePart(sql: Sql, digest: string, part: number, content: Uint8Array): Promise<void> {
  await sql.query('insert into parsed_part (digest, part, content) values ($1, $2, $3) on conflict (digest, part) do nothing', [
    digest,
    part,
    Buffer.from(content.buffer, content.byteOffset, content.byteLength),
  ])
}

/** Makes the parts of a text known; before that nobody reads them. */
export async function saveHead(
  sql: Sql,
  text: { digest: string; projectId: string; parts: number; bytes: number; head: ParsedHead },
): Promise<void> {
  const { digest, projectId, parts, bytes, head } = text
  await sql.query(
    `insert into parsed_text (digest, project_id, head, parts, bytes) values ($1, $2, $3, $4, $5)
     on conflict (digest) do update set used_at = excluded.used_at`,
    [digest, projectId, Buffer.from(encodeHead(head)), parts, bytes],
  )
}

/** The facts of a part; null where it was forgotten meanwhile. */
export async function readPart(sql: Sql, digest: string, part: number): Promise<Fact[] | null> {
  const { rows } = await sql.query<{ content: Buffer }>('select content from parsed_part where digest = $1 and part = $2', [digest, part])
  return rows[0] ? decodeFacts(rows[0].content) : null
}

/** Forgets what has not been asked for in 90 days, what is more than 2 GiB in all, and parts that nobody finished. */
export async function pruneParsed(sql: Sql, { bytes = mostBytes }: { bytes?: number } = {}): Promise<void> {
  await sql.query(
    `delete from parsed_text where used_at < now() - interval '${keptDays} days' or digest in (
       select digest from (select digest, used_at, sum(bytes) over (order by used_at desc, digest) as total from parsed_text) t
       where total > $1 and used_at < now() - ${lately})`,
    [bytes],
  )
  await sql.query(
    `delete from parsed_part p where saved_at < now() - ${lately} and not exists (select from parsed_text t where t.digest = p.digest)`,
  )
}

/** Forgets what the texts of a project said. */
export async function forgetParsed(sql: Sql, projectId: string): Promise<void> {
  await sql.query('delete from parsed_part p using parsed_text t where t.digest = p.digest and t.project_id = $1', [projectId])
  await sql.query('delete from parsed_text where project_id = $1', [projectId])
}
