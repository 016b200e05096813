import express, { Router } from 'express'
import { assertProject, assertScope, assertUnlimited } from '../../access/principal.js'
import { countDatasets, countVersions, readDatasetPage, readRowPage, readVersionPage } from '../../datasets/exchange/dataset-store.js'
import type { ExportOptions } from '../../datasets/exchange/export.js'
import type { ImportOptions } from '../../datasets/exchange/import.js'
import { type SpanUnit, spanUnits } from '../../datasets/formats/format.js'
import { versionStatistics } from '../../datasets/statistics/version-statistics.js'
import { findDatasetVersion, readDatasetVersionsById } from '../../datasets/store.js'
import { type DatasetKind, datasetKinds } from '../../datasets/version.js'
import { readRunFiles } from '../../runs/file-store.js'
import { readRun } from '../../runs/store.js'
import { createDataset, deriveVersion, editDataset, exportFile, importFile, removeDataset, restoreDataset } from '../../training-data.js'
import { EspalierError } from '../../util/error.js'
import type { JsonValue, Properties } from '../../vocabulary.js'
import type { ApiPlatform } from '../context.js'
import { runFileUrl } from '../http/run-files.js'
import { type Call, handler, mappingOf, Parameters, type Route, reach, sendBytes, versionOf } from './call.js'
import { enhance, largestDirectBytes, queueDatasetWork, queued, validate, waits } from './checks.js'
import { datasetJson, importJson, versionJson } from './json.js'
import { receiveFile } from './uploads.js'

function importOptions(parameters: Parameters): ImportOptions {
  const raw = parameters.text('mapping')
  const mapping = mappingOf(raw?.startsWith('{') ? parameters.json('mapping') : raw)
  const [format, spans, description] = [
    parameters.text('format'),
    parameters.choice<SpanUnit>('spans', spanUnits),
    parameters.text('version_description'),
  ]
  return {
    ...(format !== undefined && { format }),
    ...(mapping && { mapping }),
    ...(spans && { spans }),
    ...(description !== undefined && { description }),
    append: parameters.choice('mode', ['replace', 'append']) === 'append',
    keepUnknown: parameters.flag('keep_unknown') ?? false,
  }
}

function exportOptions(parameters: Parameters): ExportOptions {
  const [format, spans, includeMetadata] = [
    parameters.text('format'),
    parameters.choice<SpanUnit>('spans', spanUnits),
    parameters.flag('include_metadata'),
  ]
  return { ...(format !== undefined && { format }), ...(spans && { spans }), ...(includeMetadata !== undefined && { includeMetadata }) }
}

const create: Route = async ({ principal, parts, parameters, response }) => {
  assertScope(principal, 'training_data:write', 'create a dataset')
  const projectId = parameters.required('project_id')
  assertProject(principal, projectId, 'create a dataset')
  const [description, source] = [parameters.text('description'), parameters.text('source')]
  const [tags, provenance] = [textsOf('tags', parameters.json('tags')), parameters.object('provenance')]
  const input = {
    projectId,
    name: parameters.required('name'),
    kind: parameters.choice<DatasetKind>('kind', datasetKinds) ?? 'labeled-text',
    ...(description !== undefined && { description }),
    ...(source !== undefined && { source }),
    ...(tags && { tags }),
    ...(provenance && { provenance }),
  }
  parameters.end()
  response.status(201)
  return datasetJson(await createDataset(parts, input, new Date()))
}

const list: Route = async ({ principal, parts: { database }, parameters }) => {
  assertScope(principal, 'training_data:read', 'list datasets')
  const projectId = parameters.text('project_id')
  if (projectId) assertProject(principal, projectId, 'list datasets')
  else assertUnlimited(principal, 'list the datasets of every project')
  const kind = parameters.choice<DatasetKind>('kind', datasetKinds)
  const [first, offset] = [
    parameters.number('first', { min: 1, max: 1000, usual: 100 }),
    parameters.number('offset', { min: 0, max: 1e9, usual: 0 }),
  ]
  parameters.end()
  const filter = { ...(projectId !== undefined && { projectId }), ...(kind !== undefined && { kind }) }
  const datasets = await readDatasetPage(database, { ...filter, first, offset })
  return { datasets: datasets.map(datasetJson), total: await countDatasets(database, filter) }
}

const show: Route = async (call) => {
  const dataset = await reach(call, 'training_data:read', 'read a dataset')
  call.parameters.end()
  const [latest] = await readVersionPage(call.parts.database, dataset.id, { first: 1 })
  return { ...datasetJson(dataset), latest_version: latest ? versionJson(latest) : null }
}

const remove: Route = async (call) => {
  const dataset = await reach(call, 'training_data:delete', 'delete a dataset')
  call.parameters.end()
  const { versions } = await removeDataset(call.parts, dataset.id)
  return { deleted: dataset.id, versions }
}

interface Target {
  projectId: string
  name: string
  kind: DatasetKind
  description?: string
}

/** Receives the file, and reads it into the dataset; a large one is left to a run. */
async function receive(call: Call, targetOf: (parameters: Parameters) => Target): Promise<unknown> {
  const { request, response, principal, parts, parameters: query } = call
  const { blob, bytes, file, fields } = await receiveFile(request, parts.blobs, query.text('file'))
  const parameters = new Parameters({ ...request.query, ...fields })
  parameters.text('file')
  const dataset = targetOf(parameters)
  const { description: versionDescription, ...options } = importOptions(parameters)
  const direct = waits({ ...call, parameters }, bytes <= largestDirectBytes)
  parameters.end()
  if (!direct) {
    const asked = { ...dataset, ...options, blob, file, ...(versionDescription !== undefined && { versionDescription }) }
    return queued(call, await queueDatasetWork(parts.database, { operation: 'import', createdBy: principal.name, ...asked } as never))
  }
  const source = parts.blobs.read(blob)
  const said = versionDescription === undefined ? {} : { description: versionDescription }
  const report = await importFile(parts, { ...options, ...said, dataset, source, file, now: new Date() })
  response.status(report.isNew ? 201 : 200)
  return importJson(report)
}

const upload: Route = async (call) => {
  const { projectId, name, kind } = await reach(call, 'training_data:write', 'upload to a dataset')
  return receive(call, () => ({ projectId, name, kind }))
}

/** The project is known before the body is read: a stranger's file is not stored. */
const importNew: Route = async (call) => {
  const { principal, parameters } = call
  assertScope(principal, 'training_data:write', 'import')
  const projectId = parameters.required('project_id')
  assertProject(principal, projectId, 'import')
  return receive(call, (all) => {
    all.text('project_id')
    const description = all.text('description')
    return {
      ...(description !== undefined && { description }),
      projectId,
      name: all.required('name'),
      kind: all.choice<DatasetKind>('kind', datasetKinds) ?? 'labeled-text',
    }
  })
}

const data: Route = async (call) => {
  const dataset = await reach(call, 'training_data:read', 'read the rows of a dataset')
  const version = await versionOf(call, dataset)
  const [first, offset] = [
    call.parameters.number('first', { min: 1, max: 1000, usual: 100 }),
    call.parameters.number('offset', { min: 0, max: 1e12, usual: 0 }),
  ]
  call.parameters.end()
  const rows = await readRowPage(call.parts.database, call.parts.blobs, version, { offset, limit: first })
  const next = offset + rows.length
  return { version: versionJson(version), rows, offset, total: version.rowCount, next_offset: next < version.rowCount ? next : null }
}

/** `export` by GET and `convert` by POST: the version as a file. */
const send: Route = async (call) => {
  const dataset = await reach(call, 'training_data:read', 'export a dataset')
  const version = await versionOf(call, dataset)
  const options = exportOptions(call.parameters)
  call.parameters.end()
  await sendBytes(call, await exportFile(call.parts, version, options))
}

const versions: Route = async (call) => {
  const dataset = await reach(call, 'training_data:read', 'list the versions of a dataset')
  const first = call.parameters.number('first', { min: 1, max: 1000, usual: 100 })
  const after = numberOf(call.parameters.text('after'))
  call.parameters.end()
  const { database } = call.parts
  const rows = await readVersionPage(database, dataset.id, { first: first + 1, ...(after && { after }) })
  return {
    versions: rows.slice(0, first).map(versionJson),
    total: await countVersions(database, dataset.id),
    next_after: rows.length > first ? rows[first - 1]!.number : null,
  }
}

/** The number of a version, `1.2`. */
function numberOf(text: string | undefined): { major: number; minor: number } | undefined {
  if (text === undefined) return undefined
  const [, major, minor] = /^(\d{1,9})\.(\d{1,9})$/.exec(text) ?? []
  if (major !== undefined) return { major: Number(major), minor: Number(minor) }
  throw new EspalierError('BAD_INPUT', `after: found "${text.slice(0, 40)}", expected the number of a version such as 1.2`)
}

/** A version of edits, of another version, or of an old one again. */
const makeVersion: Route = async (call) => {
  const dataset = await reach(call, 'training_data:write', 'make a version of a dataset')
  const { parts, parameters, response, principal } = call
  const [from, restore, description] = [parameters.text('from'), parameters.text('restore'), parameters.text('description')]
  const said = description === undefined ? {} : { description }
  const modifications = parameters.object('modifications')
  const edits = editsOf(parameters)
  assertOneWay({ restore, from: from ?? modifications, edits: Object.keys(edits)[0] })
  const base = await findDatasetVersion(parts.database, dataset.id, from ?? restore ?? parameters.text('version') ?? 'latest')
  parameters.end()
  for (const id of Array.isArray(modifications?.['merge']) ? modifications['merge'] : []) {
    const [merged] = await readDatasetVersionsById(parts.database, [String(id)])
    if (principal.projects !== null) assertProject(principal, merged?.projectId ?? null, 'merge a dataset version')
  }
  const now = new Date()
  const saved =
    restore !== undefined
      ? await restoreDataset(parts, { versionId: base.id, ...said }, now)
      : from !== undefined
        ? await deriveVersion(parts, { sourceId: base.id, modifications: (modifications ?? {}) as never, ...said }, now)
        : await editDataset(parts, { versionId: base.id, ...said, ...edits }, now)
  const { version, isNew, ...counts } = saved
  response.status(isNew ? 201 : 200)
  return { version: versionJson(version), is_new: isNew, ...counts }
}

/** Throws BAD_INPUT where a request asks for several ways at once: which one it means cannot be told. */
function assertOneWay(ways: { restore: unknown; from: unknown; edits: unknown }): void {
  const asked = Object.entries(ways).flatMap(([way, given]) => (given === undefined ? [] : [way]))
  if (asked.length <= 1) return
  throw new EspalierError(
    'BAD_INPUT',
    `a new version: found ${asked.join(' and ')}, expected one of restore, from (with modifications) or edits`,
    {
      remedy: 'Edits are add, change and remove. Make one version after another.',
    },
  )
}

function editsOf(parameters: Parameters) {
  const [add, change, remove] = [parameters.json('add'), parameters.object('change'), textsOf('remove', parameters.json('remove'))]
  if (add !== undefined && !Array.isArray(add)) throw new EspalierError('BAD_INPUT', `add: found ${shown(add)}, expected a list of rows`)
  return { ...(add && { add }), ...(change && { change: change as Record<string, Properties> }), ...(remove && { remove }) }
}

const shown = (value: JsonValue): string => JSON.stringify(value).slice(0, 60)

/** A list of texts, or nothing. */
function textsOf(name: string, value: JsonValue | undefined): string[] | undefined {
  if (value === undefined || (Array.isArray(value) && value.every((text) => typeof text === 'string'))) return value as string[] | undefined
  throw new EspalierError('BAD_INPUT', `${name}: found ${shown(value)}, expected a list of texts`)
}

/** How work that was left to a run is going, and what came of it. */
const showRun: Route = async ({ request, principal, parts: { database }, parameters }) => {
  assertScope(principal, 'training_data:read', 'read a run')
  parameters.end()
  const id = String(request.params['id'])
  const run = await readRun(database, id)
  if (principal.projects !== null) assertProject(principal, run?.projectId ?? null, 'read a run')
  if (run?.kind !== 'dataset') throw new EspalierError('NOT_FOUND', `there is no run "${id.slice(0, 80)}" of training data`)
  const files = (await readRunFiles(database, [run.id])).map(({ name, bytes, blob }) => ({
    name,
    bytes,
    sha256: blob,
    url: runFileUrl(run.id, name),
  }))
  return { run_id: run.id, state: run.state, result: run.result, error: run.error, files }
}

const statistics: Route = async (call) => {
  const dataset = await reach(call, 'training_data:read', 'read statistics of a dataset')
  const version = await versionOf(call, dataset)
  call.parameters.end()
  const { database, blobs } = call.parts
  return { version: versionJson(version), statistics: await versionStatistics(database, blobs, version, new Date()) }
}

/** Routes by method and path below `/api/training-data`; a test walks them all as a stranger. */
export const trainingDataTable: readonly (readonly ['get' | 'post' | 'delete', string, Route])[] = [
  ['post', '/datasets', create],
  ['get', '/datasets', list],
  ['get', '/datasets/:id', show],
  ['delete', '/datasets/:id', remove],
  ['post', '/datasets/:id/upload', upload],
  ['get', '/datasets/:id/data', data],
  ['get', '/datasets/:id/export', send],
  ['post', '/datasets/:id/convert', send],
  ['post', '/datasets/:id/validate', validate],
  ['post', '/datasets/:id/enhance', enhance],
  ['get', '/datasets/:id/versions', versions],
  ['post', '/datasets/:id/versions', makeVersion],
  ['get', '/datasets/:id/statistics', statistics],
  ['post', '/import', importNew],
  ['get', '/runs/:id', showRun],
]

const trainingDataPath = '/api/training-data'

/** Where a version is downloaded. */
export const exportUrl = (datasetId: string, parameters: Record<string, string>): string =>
  `${trainingDataPath}/datasets/${datasetId}/export?${new URLSearchParams(parameters)}`

/** The REST doors of training data. Mount them behind `identified`. */
export function trainingDataRoutes(platform: ApiPlatform): Router {
  const router = Router()
  const takesFile = (path: string) => path === '/import' || path.endsWith('/upload')
  const readJson = express.json({ limit: 64 * 2 ** 20 })
  for (const [method, path, route] of trainingDataTable)
    router[method](trainingDataPath + path, ...(method === 'post' && !takesFile(path) ? [readJson] : []), handler(platform, route))
  return router
}
