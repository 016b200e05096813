import { z } from 'zod'
import { isScopeName } from './identity.js'

/** The id of a project or a system. */
export const scopeName = z.string().refine(isScopeName, 'letters, digits, "_", "-" or ".", at most 100')

/** Options of an `ingest` run: documents by the digest of their stored text. */
export const ingestOptions = z.strictObject({
  projectId: scopeName,
  systemId: scopeName,
  sources: z
    .array(
      z.strictObject({
        dialect: z.string().min(1),
        file: z.string().min(1),
        blob: z.string().regex(/^[0-9a-f]{64}$/, 'SHA-256 of stored text'),
      }),
    )
    .min(1)
    .describe('the documents, stored as blobs'),
  observedAt: z.iso.datetime().optional().describe('when the documents were true; default the time that the run is queued'),
  complete: z.boolean().default(false).describe('whether they are all there is of the system, so that what is absent is gone'),
  dryRun: z.boolean().default(false).describe('answer what would be done, and do nothing'),
  defaultDatabase: z.string().min(1).optional().describe('of tables that DDL names without a database; default "default"'),
  rejectBelow: z.number().min(0).max(1).optional().describe("refuse when the project's quality would be below; default the project's own"),
  variables: z.record(z.string(), z.string()).default({}).describe('values of ${NAME} in DDL'),
})
export type IngestOptions = z.output<typeof ingestOptions>
