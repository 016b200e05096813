-- Published models: immutable rows that name their files by digest; aliases move between them, with their history kept.

CREATE TABLE artifact (
  id text PRIMARY KEY,
  component text NOT NULL,
  version text NOT NULL,
  project_id text,
  run_id text,
  dataset_version_id text,
  -- met every gate (its metrics' and its parity's); false only when published by force
  passed boolean NOT NULL,
  manifest jsonb NOT NULL,
  -- SHA-256 of the manifest file, itself a blob
  manifest_digest text NOT NULL,
  created_at timestamptz NOT NULL,
  UNIQUE (component, version)
);
CREATE INDEX artifact_run ON artifact (run_id);
CREATE INDEX artifact_created ON artifact (component, created_at DESC, id DESC);

CREATE TABLE artifact_file (
  artifact_id text NOT NULL REFERENCES artifact ON DELETE CASCADE,
  path text NOT NULL,
  digest text NOT NULL,
  size bigint NOT NULL CHECK (size >= 0),
  PRIMARY KEY (artifact_id, path)
);
CREATE INDEX artifact_file_digest ON artifact_file (digest);

CREATE TABLE artifact_alias (
  component text NOT NULL,
  alias text NOT NULL CHECK (alias IN ('latest', 'staging', 'production')),
  -- what an alias names is never deleted
  artifact_id text NOT NULL REFERENCES artifact ON DELETE RESTRICT,
  moved_at timestamptz NOT NULL,
  PRIMARY KEY (component, alias)
);
CREATE INDEX artifact_alias_artifact ON artifact_alias (artifact_id);

CREATE TABLE artifact_promotion (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  component text NOT NULL,
  alias text NOT NULL,
  artifact_id text NOT NULL,
  previous_id text,
  -- the promotion that this roll-back takes back
  undoes bigint UNIQUE REFERENCES artifact_promotion,
  reason text,
  forced boolean NOT NULL DEFAULT false,
  actor text,
  at timestamptz NOT NULL
);
CREATE INDEX artifact_promotion_alias ON artifact_promotion (component, alias, id DESC);

CREATE FUNCTION artifact_is_immutable() RETURNS TRIGGER LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'published artifacts are immutable (table %)', tg_table_name USING errcode = 'restrict_violation';
END
$$;
CREATE TRIGGER artifact_immutable BEFORE UPDATE ON artifact FOR EACH ROW EXECUTE FUNCTION artifact_is_immutable();
CREATE TRIGGER artifact_file_immutable BEFORE UPDATE ON artifact_file FOR EACH ROW EXECUTE FUNCTION artifact_is_immutable();
