/** Paths on this server under which the files of artifacts and releases are downloaded. */
export const artifactUrl = {
  file: (id: string, path: string): string =>
    `/artifacts/${encodeURIComponent(id)}/files/${path.split('/').map(encodeURIComponent).join('/')}`,
  package: (id: string): string => `/artifacts/${encodeURIComponent(id)}/package.tar.gz`,
}
