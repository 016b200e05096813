import type { Sql } from '../../postgres/sql.js'
import { didYouMean } from '../../util/closest.js'
import { EspalierError } from '../../util/error.js'
import { isScopeName } from '../identity.js'
import { partsOfId } from '../resolve/scope.js'
import { type AnnotationStep, type Speaker, tidyName, tidyText } from './annotation.js'

/** A word that a project's people share, and what they mean by it. */
export interface GlossaryTerm {
  projectId: string
  name: string
  definition: string
  definedAt: Date
  actor: string
}

/** What became of a term; a null `after` took it back. */
export interface GlossaryChange {
  name: string
  at: Date
  actor: string
  before: string | null
  after: string | null
}

const columns = `project_id as "projectId", name, definition, valid_from as "definedAt", actor`

/** Defines a term of a project's glossary, or says anew what it means; the same words again change nothing. */
export async function saveTerm(
  client: Sql,
  term: { projectId: string; name: string; definition: string },
  speaker: Speaker,
): Promise<GlossaryTerm> {
  const { projectId } = term
  if (!isScopeName(projectId)) throw new EspalierError('BAD_INPUT', `glossary: found project "${projectId.slice(0, 100)}", expected its id`)
  const name = tidyName('term', term.name)
  const definition = tidyText(`definition of "${name}"`, term.definition)
  if (definition === null) throw new EspalierError('BAD_INPUT', `definition of "${name}": found nothing, expected what the word means`)
  await appendState(client, projectId, name, definition, speaker)
  return (await readGlossary(client, projectId)).find((known) => known.name === name)!
}

/** Takes a term back. CONFLICT while nodes carry it: nothing they say is taken away unseen. */
export async function removeTerm(client: Sql, projectId: string, name: string, speaker: Speaker): Promise<void> {
  const known = (await readGlossary(client, projectId)).map((term) => term.name)
  if (!known.includes(name)) throw unknownTerm(projectId, name, known)
  const { rows } = await client.query<{ id: string; n: number }>(
    `select min(node_id) as id, count(*) as n from annotation
     where field = 'terms' and valid_to = 'infinity' and items @> array[$2] and (node_id = $1 or starts_with(node_id, $1 || '/'))`,
    [projectId, name],
  )
  if (rows[0]!.n > 0)
    throw new EspalierError('CONFLICT', `the term "${name}" is said of ${rows[0]!.n} nodes, of "${rows[0]!.id}" among them`, {
      remedy: 'Take it from them first: search for it, and remove it from their terms.',
    })
  await appendState(client, projectId, name, null, speaker)
}

/** Two who define one term at once come one after the other: the row of the state before is locked by its update. */
async function appendState(
  client: Sql,
  projectId: string,
  name: string,
  definition: string | null,
  { actor, now }: Speaker,
): Promise<void> {
  await client.query(`select pg_advisory_xact_lock(7302004, hashtext($1))`, [`${projectId}/${name}`])
  await client.query(
    `with closed as (
       update glossary_term set valid_to = greatest($3::timestamptz(3), valid_from + interval '1 millisecond')
       where project_id = $1 and name = $2 and valid_to = 'infinity' and definition is distinct from $4 returning valid_to
     )
     insert into glossary_term (project_id, name, valid_from, definition, actor)
     select $1, $2, coalesce((select valid_to from closed), $3), $4, $5
     where exists (select from closed)
       or not exists (select from glossary_term where project_id = $1 and name = $2 and valid_to = 'infinity')`,
    [projectId, name, now, definition, actor],
  )
}

/** The terms of a project, by name, now or as of a moment. */
export async function readGlossary(sql: Sql, projectId: string, { asOf }: { asOf?: Date } = {}): Promise<GlossaryTerm[]> {
  const { rows } = await sql.query<GlossaryTerm>(
    `select ${columns} from glossary_term
     where project_id = $1 and definition is not null
       and ${asOf ? 'valid_from <= $2 and valid_to > $2' : `valid_to = 'infinity' and $2::timestamptz is null`} order by name`,
    [projectId, asOf ?? null],
  )
  return rows
}

/** All that was ever said of a project's terms (of one, where it is named), in order of time. */
export async function readGlossaryHistory(sql: Sql, projectId: string, name?: string): Promise<GlossaryChange[]> {
  const { rows } = await sql.query<GlossaryChange>(
    `select name, valid_from as at, actor, lag(definition) over (partition by name order by valid_from) as before, definition as after
     from glossary_term where project_id = $1 and ($2::text is null or name = $2) order by valid_from, name`,
    [projectId, name ?? null],
  )
  return rows
}

function unknownTerm(projectId: string, name: string, known: readonly string[]): EspalierError {
  return new EspalierError('NOT_FOUND', `the glossary of project "${projectId}" has no term "${name}"`, {
    remedy: didYouMean(name, known) ?? 'Define it first: defineTerm(projectId, name, definition).',
  })
}

/** Refuses terms that come to nodes and stand in no glossary. */
export async function assertTerms(sql: Sql, steps: readonly AnnotationStep[]): Promise<void> {
  const wanted = new Map<string, Set<string>>()
  for (const { nodeId, field, before, after } of steps) {
    if (field !== 'terms') continue
    const { projectId } = partsOfId(nodeId)!
    const names = wanted.get(projectId) ?? new Set()
    wanted.set(projectId, names)
    for (const name of after) if (!before.includes(name)) names.add(name)
  }
  for (const [projectId, names] of wanted) {
    if (names.size === 0) continue
    const known = (await readGlossary(sql, projectId)).map((term) => term.name)
    for (const name of names) if (!known.includes(name)) throw unknownTerm(projectId, name, known)
  }
}
