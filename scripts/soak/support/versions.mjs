/** Versions of a made-up warehouse as Hive DDL: tables come and go, columns change, from one version to the next. */
import { seeded } from '../../../dist/util/random.js'

const types = ['BIGINT', 'STRING', 'DECIMAL(18,2)', 'TIMESTAMP', 'BOOLEAN', 'ARRAY<STRING>']

/** `tables` tables of `width` columns; a quarter of the tables are missing and a fifth of the columns differ between any two versions. */
export function warehouse(seed, version, { tables = 60, width = 20 } = {}) {
  const rng = seeded(seed).fork(`version ${version}`)
  const lines = ['CREATE DATABASE core;']
  const present = Array.from({ length: tables }, (_, t) => t).filter((t) => t === 0 || rng.next() < 0.85)
  for (const t of present) {
    const columns = Array.from(
      { length: width },
      (_, c) => `c${c} ${types[rng.next() < 0.2 ? rng.integer(types.length) : (t + c) % types.length]}`,
    )
    const key =
      t === 0 || !present.includes(t - 1) ? '' : `,\n  CONSTRAINT fk${t} FOREIGN KEY (c1) REFERENCES core.t${t - 1} (c0) DISABLE NOVALIDATE`
    lines.push(`CREATE TABLE core.t${t} (\n  ${columns.join(',\n  ')}${key}\n) COMMENT 'version ${rng.integer(4)}';`)
  }
  return lines.join('\n')
}

const day = (n) => new Date(Date.UTC(2024, 0, 1 + n))

/** What an ingest of one version is given, by the API and by the function alike. */
export const versionOf = (seed, n, size) => ({
  ...{ projectId: 'soak', systemId: 'warehouse', complete: true, observedAt: day(n) },
  inputs: [{ dialect: 'hive-ddl', file: 'warehouse.sql', text: warehouse(seed, n, size) }],
})

const mutation = `mutation ($projectId: ID!, $systemId: ID!, $complete: Boolean!, $observedAt: DateTime!, $sources: [DialectInput!]) {
  ingest(projectId: $projectId, systemId: $systemId, complete: $complete, observedAt: $observedAt, sources: $sources) { snapshotId isReplay changes } }`

export async function ingestBy(living, { inputs, ...rest }) {
  const sources = inputs.map(({ dialect, file: name, text }) => ({ dialect, name, text }))
  return (await living.request(mutation, { ...rest, sources })).ingest
}
