import { z } from 'zod'
import { isScopeName } from './identity.js'

const scopeName = z.string().refine(isScopeName, 'letters, digits, "_", "-" or ".", at most 100')

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
  observedAt: z.iso.datetime().optional().describe('when the documents were true; default the time of the ingest'),
  complete: z.boolean().default(false).describe('whether they are all there is of the system, so that what is absent is gone'),
  variables: z.record(z.string(), z.string()).default({}).describe('values of ${NAME} in DDL'),
})
export type IngestOptions = z.output<typeof ingestOptions>
