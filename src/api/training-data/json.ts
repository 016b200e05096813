import type { ImportReport } from '../../datasets/exchange/import.js'
import type { Dataset, DatasetVersion } from '../../datasets/version.js'

/** The objects of the REST API, in the spelling of its paths. */
export const datasetJson = (dataset: Dataset) => ({
  id: dataset.id,
  project_id: dataset.projectId,
  name: dataset.name,
  kind: dataset.kind,
  description: dataset.description,
  tags: dataset.tags,
  source: dataset.source,
  provenance: dataset.provenance,
  created_by: dataset.createdBy,
  created_at: dataset.createdAt.toISOString(),
  updated_at: dataset.updatedAt.toISOString(),
})

export const versionJson = (version: DatasetVersion) => ({
  id: version.id,
  dataset_id: version.datasetId,
  number: version.number,
  hash: version.hash,
  size: version.rowCount,
  bytes: version.bytes,
  parent_id: version.parentId,
  description: version.description,
  provenance: version.provenance,
  quality_score: version.qualityScore,
  validation_passed: version.validationPassed,
  created_by: version.createdBy,
  created_at: version.createdAt.toISOString(),
})

export const importJson = (report: ImportReport) => ({
  dataset_id: report.version.datasetId,
  version: versionJson(report.version),
  is_new: report.isNew,
  format: report.format,
  mapping: report.mapping,
  required_labels: report.requiredLabels,
  problem_count: report.problemCount,
  problems: report.problems,
})
