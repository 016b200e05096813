import type { BlobStore } from '../../blobs/blob-store.js'
import type { Sql } from '../../postgres/sql.js'
import { packArchive } from './archive.js'
import { bundleName, readBundle } from './bundle.js'
import { type Package, readPackage, savePackage } from './release-store.js'

/**
 * An artifact or a release with every file that it needs as one tar.gz among the blobs: `<name>/<path>`, the same bytes whenever and
 * wherever it is made. Made once and found again, unless it was collected meanwhile. CORRUPT when one of its files is.
 */
export async function packageBundle(
  sql: Sql,
  blobs: Pick<BlobStore, 'get' | 'put' | 'stat'>,
  id: string,
  now: Date,
): Promise<Package & { name: string }> {
  const { files, createdAt } = await readBundle(sql, id)
  const name = bundleName(id)
  const known = await readPackage(sql, id)
  if (known && (await blobs.stat(known.digest))) return { ...known, name: `${name}.tar.gz` }
  const digest = await blobs.put(
    packArchive(
      files.map((file) => ({ path: `${name}/${file.path}`, read: () => blobs.get(file.sha256) })),
      createdAt,
    ),
  )
  const made = { subjectId: id, digest, size: (await blobs.stat(digest))!.bytes }
  await savePackage(sql, made, now)
  return { ...made, name: `${name}.tar.gz` }
}
