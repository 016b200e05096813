-- Releases: several components in one checked manifest. Immutable, like the artifacts that they name and keep from being pruned.

CREATE TABLE artifact_release (
  -- release:<version>
  id text PRIMARY KEY,
  version text NOT NULL UNIQUE,
  manifest jsonb NOT NULL,
  -- SHA-256 of the manifest file, itself a blob
  manifest_digest text NOT NULL,
  created_at timestamptz NOT NULL,
  created_by text
);
CREATE INDEX artifact_release_created ON artifact_release (created_at DESC, id DESC);
CREATE INDEX artifact_release_digest ON artifact_release (manifest_digest);

CREATE TABLE artifact_release_component (
  release_id text NOT NULL REFERENCES artifact_release ON DELETE CASCADE,
  component text NOT NULL,
  -- what a release names is never deleted
  artifact_id text NOT NULL REFERENCES artifact ON DELETE RESTRICT,
  PRIMARY KEY (release_id, component)
);
CREATE INDEX artifact_release_component_artifact ON artifact_release_component (artifact_id);

-- The package of an artifact or a release, once it was asked for. Equal content packs to equal bytes, so a package that was collected is
-- made again: these rows keep no blob.
CREATE TABLE artifact_package (
  -- an artifact's or a release's id
  subject_id text PRIMARY KEY,
  digest text NOT NULL,
  size bigint NOT NULL CHECK (size >= 0),
  made_at timestamptz NOT NULL
);

CREATE INDEX artifact_manifest_digest ON artifact (manifest_digest);

CREATE TRIGGER artifact_release_immutable BEFORE UPDATE ON artifact_release FOR EACH ROW EXECUTE FUNCTION artifact_is_immutable();
CREATE TRIGGER artifact_release_component_immutable BEFORE UPDATE ON artifact_release_component
  FOR EACH ROW EXECUTE FUNCTION artifact_is_immutable();
