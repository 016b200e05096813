import { z } from 'zod'
import { scopeName } from '../ingest-options.js'
import type { DeletionTarget } from './deletion.js'

/** Options of a `delete` run: what goes, and the token of the preview that somebody has seen. */
export const deletionOptions = z.strictObject({
  projectId: scopeName,
  systemId: scopeName.optional().describe('only this system of the project'),
  snapshotId: z.guid().optional().describe('only this snapshot of the project'),
  token: z.string().min(1).describe('of a deletionPreview that still holds'),
})
export type DeletionOptions = z.output<typeof deletionOptions>

export const targetOfOptions = ({ projectId, systemId, snapshotId }: Omit<DeletionOptions, 'token'>): DeletionTarget =>
  snapshotId ? { kind: 'snapshot', snapshotId } : systemId ? { kind: 'system', projectId, systemId } : { kind: 'project', projectId }
