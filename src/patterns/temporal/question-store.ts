import type { Database, Sql } from '../../postgres/sql.js'

/** What may be asked of the graph from outside the server: fixed questions, no Cypher. */
export interface GraphQuestion {
  kind: 'times'
  projectId: string
}

export interface GraphFailure {
  code: string
  message: string
  remedy: string | null
}

/** Both told with the question's id. */
export const questionChannel = 'espalier_graph_question'
export const answerChannel = 'espalier_graph_answer'

export async function saveQuestion(sql: Sql, id: string, question: GraphQuestion): Promise<void> {
  await sql.query('insert into graph_question (id, question) values ($1, $2)', [id, JSON.stringify(question)])
  await sql.query('select pg_notify($1, $2)', [questionChannel, id])
}

/** The answer once there is one; null before. */
export async function readAnswer(sql: Sql, id: string): Promise<{ answer: unknown; failure: GraphFailure | null } | null> {
  const { rows } = await sql.query<{ answer: unknown; failure: GraphFailure | null }>(
    'select answer, failure from graph_question where id = $1 and answered_at is not null',
    [id],
  )
  return rows[0] ?? null
}

export async function removeQuestion(sql: Sql, id: string): Promise<void> {
  await sql.query('delete from graph_question where id = $1', [id])
}

/** Gives the oldest open question to `work` and keeps its answer; false where there is none. Two servers take two questions. */
export async function answerNext(
  database: Database,
  work: (question: GraphQuestion) => Promise<{ answer?: unknown; failure?: GraphFailure }>,
): Promise<boolean> {
  const id = await database.transaction(async (client) => {
    // who asked may have died: what nobody waits for any more is nobody's
    await client.query(`delete from graph_question where asked_at < now() - interval '1 hour'`)
    const { rows } = await client.query<{ id: string; question: GraphQuestion }>(
      'select id, question from graph_question where answered_at is null order by asked_at limit 1 for update skip locked',
    )
    if (!rows[0]) return null
    const { answer = null, failure = null } = await work(rows[0].question)
    await client.query('update graph_question set answer = $2, failure = $3, answered_at = now() where id = $1', [
      rows[0].id,
      JSON.stringify(answer),
      failure === null ? null : JSON.stringify(failure),
    ])
    return rows[0].id
  })
  if (id) await database.query('select pg_notify($1, $2)', [answerChannel, id])
  return id !== null
}
