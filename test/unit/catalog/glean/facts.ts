import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterAll } from 'vitest'
import { batchFileName, fileTime, printBatch } from '../../../../src/catalog/glean/batch-file.js'
import { type Export, encodeManifest, encodeNode } from '../../../../src/catalog/glean/encode.js'
import type { NewFact } from '../../../../src/catalog/glean/predicates.js'
import { normalizeIdeal } from '../../../../src/catalog/quality/metrics.js'

export const prefix = 'agenticAiETH.ETL'
export const day = (n: number, hour = 0): Date => new Date(Date.UTC(2024, 0, n, hour))

/** A folder that is gone after the test file. */
export function temporaryFolder(): string {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'espalier-glean-test-'))
  afterAll(() => fs.rmSync(folder, { recursive: true, force: true }))
  return folder
}

export const stamp = (exportedAt: Date, systemId = 'hive', projectId = 'bank'): Export => ({ projectId, systemId, exportedAt })

export function columnFact(name: string, type: string, at: Export): NewFact {
  const id = `${at.projectId}/${at.systemId}/column:core.t.${name}`
  const properties = { data_type: type }
  const node = {
    id,
    kind: 'Column' as const,
    name,
    qualifiedName: `core.t.${name}`,
    projectId: at.projectId,
    systemId: at.systemId,
    properties,
  }
  return { predicate: 'Node', key: encodeNode(node, at) }
}

export interface Measures {
  entropy: number
  kl: number
  columns: number
  observedAt?: Date
}

export function manifestFact({ entropy, kl, columns, observedAt }: Measures, at: Export): NewFact {
  const distribution = { string: 0.5, number: 0.5, boolean: 0, date: 0, array: 0, object: 0 }
  const metrics = {
    metadata_entropy: entropy,
    kl_divergence: kl,
    column_count: columns,
    unclassified_ratio: 0,
    table_count: 1,
    view_count: 0,
    edge_count: 0,
    distribution,
  }
  const manifest = {
    nodeCount: columns,
    edgeCount: 0,
    exportFile: 'x.json',
    metrics,
    ideal: normalizeIdeal(),
    observedAt: observedAt ?? at.exportedAt,
  }
  return { predicate: 'ExportManifest', key: encodeManifest(manifest, at) }
}

export async function batchText(facts: readonly NewFact[]): Promise<string> {
  let text = ''
  for await (const piece of printBatch(facts, prefix)) text += piece
  return text
}

/** Name of an export of a moment; `hash` tells apart those of one second. */
export const exportName = (at: Date, hash = 'abc123'): string => `${fileTime(at)}_${hash}`
export const fileName = (at: Date, hash?: string): string => batchFileName(exportName(at, hash))
