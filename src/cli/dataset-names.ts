import type { ApiClient } from './client.js'

export interface VersionView {
  id: string
  datasetId: string
  datasetName: string
  projectId: string
  kind: string
  number: string
  hash: string
  rowCount: string
  description: string
  qualityScore: number | null
  validationPassed: boolean | null
  createdBy: string
  createdAt: string
}

export const versionFields =
  'id datasetId datasetName projectId kind number hash rowCount description qualityScore validationPassed createdBy createdAt'

/** The version that is meant by an id, a name (its latest), `name@1.2`, `name@tag` or `project/name`. */
export async function findVersion(api: ApiClient, name: string): Promise<VersionView> {
  const query = `query ($name: String!) { datasetVersionNamed(name: $name) { ${versionFields} } }`
  return (await api.request<{ datasetVersionNamed: VersionView }>(query, { name })).datasetVersionNamed
}

/** What people read of a version in one line. */
export const describeVersion = (version: VersionView): string =>
  `${version.datasetName} ${version.number}: ${version.rowCount} rows of the kind ${version.kind}, ${version.id}`
