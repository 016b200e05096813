import { expect, it } from 'vitest'
import { sha256 } from '../../../src/util/hash.js'
import { seeded } from '../../../src/util/random.js'
import { freshDatabase } from '../../support/database.js'
import { type Told, tell } from '../../support/ledger-telling.js'
import { describeIf, sharedData } from '../../support/need.js'
import { ingestVersion, ledgerState, parsedState, schemaHistory } from '../../support/schema-history.js'

/** Every how many versions are loaded here; all of them in `npm run test:soak`. */
const projects = [
  { project: 'coppermine', step: 1 },
  { project: 'mediawiki', step: 4 },
]
/** What came, went and changed from one version to the next, told from the texts alone. */
function differences(before: Map<string, string>, after: Map<string, string>) {
  const [was, is] = [[...before.keys()], [...after.keys()]]
  return {
    added: is.filter((id) => !before.has(id)).sort(),
    removed: was.filter((id) => !after.has(id)).sort(),
    changed: is.filter((id) => before.has(id) && before.get(id) !== after.get(id)).sort(),
  }
}

/** The same, from the ledger's changes. */
function toldChanges({ changes }: Told, at: Date) {
  const facts = (kinds: RegExp) => {
    const own = changes.filter((c) => Number(c['at']) === at.getTime() && kinds.test(c['kind'] as string)).map((c) => c['fact'] as string)
    return [...new Set(own)]
      .filter(
        (id) =>
          / (?:HAS_COLUMN|REFERENCES) /.test(id) ||
          (/\/(?:table|view|column):\S*$/.test(id.split(' CONTAINS ')[0]!) && !id.includes(' CONTAINS ')),
      )
      .sort()
  }
  return { added: facts(/_added$/), removed: facts(/_removed$/), changed: facts(/_changed$/) }
}

const sorted = (state: Map<string, string>) => [...state].sort(([a], [b]) => (a < b ? -1 : 1))

describeIf(sharedData, 'the shared data folder is absent', 'real histories of schemas', () => {
  it.each(projects)(
    '$project: the ledger is at every version, and any order of arrival gives it',
    { timeout: 240_000 },
    async ({ project, step }) => {
      const versions = schemaHistory(sharedData!, project, step)
      const { database } = await freshDatabase()
      for (const version of versions) {
        const report = await ingestVersion(database, project, version)
        expect(report.problems.filter((p) => p.severity === 'error')).toEqual([])
        expect(sorted(await ledgerState(database, project)), version.observedAt.toISOString()).toEqual(
          sorted(await parsedState(project, version)),
        )
      }
      const ordered = await tell(database)
      let before = new Map<string, string>()
      for (const version of versions) {
        const after = await parsedState(project, version)
        expect(toldChanges(ordered, version.observedAt), version.observedAt.toISOString()).toEqual(differences(before, after))
        before = after
      }
      const kindsOf = new Set(ordered.changes.map((c) => c['kind']))
      for (const kind of ['node_added', 'node_removed', 'type_changed', 'nullability_changed', 'property_changed', 'renamed'])
        expect(kindsOf, kind).toContain(kind)

      const { database: other } = await freshDatabase()
      for (const version of seeded(7).shuffle(versions)) await ingestVersion(other, project, version)
      const shuffled = await tell(other)
      for (const part of ['nodes', 'edges', 'changes', 'metrics', 'snapshots'] as const) {
        expect(shuffled[part].length, part).toBe(ordered[part].length)
        expect(sha256(JSON.stringify(shuffled[part])), part).toBe(sha256(JSON.stringify(ordered[part])))
      }
    },
  )
})
