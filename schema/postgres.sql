-- Generated from the migrations by scripts/schema.mjs: for reading, and to see drift.

CREATE EXTENSION pg_trgm;

CREATE TABLE annotation (
  node_id text COLLATE "C" NOT NULL,
  field text COLLATE "C" NOT NULL,
  valid_from timestamp(3) with time zone NOT NULL,
  valid_to timestamp(3) with time zone DEFAULT 'infinity'::timestamp with time zone NOT NULL,
  items text[] NOT NULL,
  actor text NOT NULL,
  CONSTRAINT annotation_pkey PRIMARY KEY (node_id, field, valid_from),
  CONSTRAINT annotation_field_check CHECK ((field = ANY (ARRAY['owners'::text, 'tags'::text, 'terms'::text, 'description'::text])))
);
CREATE INDEX annotation_current ON public.annotation USING btree (node_id) WHERE (valid_to = 'infinity'::timestamp with time zone);

CREATE TABLE api_key (
  id text NOT NULL,
  name text NOT NULL,
  digest bytea NOT NULL,
  scopes text[] NOT NULL,
  projects text[],
  created_at timestamp with time zone DEFAULT now() NOT NULL,
  created_by text NOT NULL,
  expires_at timestamp with time zone,
  last_used_at timestamp with time zone,
  revoked_at timestamp with time zone,
  CONSTRAINT api_key_pkey PRIMARY KEY (id),
  CONSTRAINT api_key_check CHECK (((projects IS NULL) OR (NOT (scopes && ARRAY['graph:cypher'::text, 'admin'::text])))),
  CONSTRAINT api_key_digest_check CHECK ((octet_length(digest) = 32)),
  CONSTRAINT api_key_id_check CHECK ((id ~ '^[0-9a-z]{12}$'::text)),
  CONSTRAINT api_key_name_check CHECK ((name <> ''::text)),
  CONSTRAINT api_key_scopes_check CHECK ((cardinality(scopes) > 0))
);

CREATE TABLE artifact (
  id text NOT NULL,
  component text NOT NULL,
  version text NOT NULL,
  project_id text,
  run_id text,
  dataset_version_id text,
  passed boolean NOT NULL,
  manifest jsonb NOT NULL,
  manifest_digest text NOT NULL,
  created_at timestamp with time zone NOT NULL,
  CONSTRAINT artifact_pkey PRIMARY KEY (id),
  CONSTRAINT artifact_component_version_key UNIQUE (component, version)
);
CREATE INDEX artifact_created ON public.artifact USING btree (component, created_at DESC, id DESC);
CREATE INDEX artifact_manifest_digest ON public.artifact USING btree (manifest_digest);
CREATE INDEX artifact_run ON public.artifact USING btree (run_id);
CREATE TRIGGER artifact_immutable BEFORE UPDATE ON public.artifact FOR EACH ROW EXECUTE FUNCTION artifact_is_immutable();

CREATE TABLE artifact_alias (
  component text NOT NULL,
  alias text NOT NULL,
  artifact_id text NOT NULL,
  moved_at timestamp with time zone NOT NULL,
  CONSTRAINT artifact_alias_pkey PRIMARY KEY (component, alias),
  CONSTRAINT artifact_alias_alias_check CHECK ((alias = ANY (ARRAY['latest'::text, 'staging'::text, 'production'::text]))),
  CONSTRAINT artifact_alias_artifact_id_fkey FOREIGN KEY (artifact_id) REFERENCES artifact(id) ON DELETE RESTRICT
);
CREATE INDEX artifact_alias_artifact ON public.artifact_alias USING btree (artifact_id);

CREATE TABLE artifact_file (
  artifact_id text NOT NULL,
  path text NOT NULL,
  digest text NOT NULL,
  size bigint NOT NULL,
  CONSTRAINT artifact_file_pkey PRIMARY KEY (artifact_id, path),
  CONSTRAINT artifact_file_size_check CHECK ((size >= 0)),
  CONSTRAINT artifact_file_artifact_id_fkey FOREIGN KEY (artifact_id) REFERENCES artifact(id) ON DELETE CASCADE
);
CREATE INDEX artifact_file_digest ON public.artifact_file USING btree (digest);
CREATE TRIGGER artifact_file_immutable BEFORE UPDATE ON public.artifact_file FOR EACH ROW EXECUTE FUNCTION artifact_is_immutable();

CREATE TABLE artifact_package (
  subject_id text NOT NULL,
  digest text NOT NULL,
  size bigint NOT NULL,
  made_at timestamp with time zone NOT NULL,
  CONSTRAINT artifact_package_pkey PRIMARY KEY (subject_id),
  CONSTRAINT artifact_package_size_check CHECK ((size >= 0))
);

CREATE TABLE artifact_promotion (
  id bigint GENERATED ALWAYS AS IDENTITY NOT NULL,
  component text NOT NULL,
  alias text NOT NULL,
  artifact_id text NOT NULL,
  previous_id text,
  undoes bigint,
  reason text,
  forced boolean DEFAULT false NOT NULL,
  actor text,
  at timestamp with time zone NOT NULL,
  CONSTRAINT artifact_promotion_pkey PRIMARY KEY (id),
  CONSTRAINT artifact_promotion_undoes_key UNIQUE (undoes),
  CONSTRAINT artifact_promotion_undoes_fkey FOREIGN KEY (undoes) REFERENCES artifact_promotion(id)
);
CREATE INDEX artifact_promotion_alias ON public.artifact_promotion USING btree (component, alias, id DESC);

CREATE TABLE artifact_release (
  id text NOT NULL,
  version text NOT NULL,
  manifest jsonb NOT NULL,
  manifest_digest text NOT NULL,
  created_at timestamp with time zone NOT NULL,
  created_by text,
  CONSTRAINT artifact_release_pkey PRIMARY KEY (id),
  CONSTRAINT artifact_release_version_key UNIQUE (version)
);
CREATE INDEX artifact_release_created ON public.artifact_release USING btree (created_at DESC, id DESC);
CREATE INDEX artifact_release_digest ON public.artifact_release USING btree (manifest_digest);
CREATE TRIGGER artifact_release_immutable BEFORE UPDATE ON public.artifact_release FOR EACH ROW EXECUTE FUNCTION artifact_is_immutable();

CREATE TABLE artifact_release_component (
  release_id text NOT NULL,
  component text NOT NULL,
  artifact_id text NOT NULL,
  CONSTRAINT artifact_release_component_pkey PRIMARY KEY (release_id, component),
  CONSTRAINT artifact_release_component_artifact_id_fkey FOREIGN KEY (artifact_id) REFERENCES artifact(id) ON DELETE RESTRICT,
  CONSTRAINT artifact_release_component_release_id_fkey FOREIGN KEY (release_id) REFERENCES artifact_release(id) ON DELETE CASCADE
);
CREATE INDEX artifact_release_component_artifact ON public.artifact_release_component USING btree (artifact_id);
CREATE TRIGGER artifact_release_component_immutable BEFORE UPDATE ON public.artifact_release_component FOR EACH ROW EXECUTE FUNCTION artifact_is_immutable();

CREATE TABLE assertion (
  stream integer NOT NULL,
  fact bigint NOT NULL,
  from_position uuid NOT NULL,
  to_position uuid NOT NULL,
  version uuid NOT NULL,
  CONSTRAINT assertion_pkey PRIMARY KEY (fact, stream, from_position)
);
CREATE INDEX assertion_stream ON public.assertion USING brin (stream int4_minmax_multi_ops) WITH (pages_per_range='32', autosummarize='on');

CREATE TABLE audit_log (
  id bigint GENERATED ALWAYS AS IDENTITY NOT NULL,
  at timestamp with time zone DEFAULT now() NOT NULL,
  actor text NOT NULL,
  action text NOT NULL,
  subject text NOT NULL,
  details jsonb DEFAULT '{}'::jsonb NOT NULL,
  CONSTRAINT audit_log_pkey PRIMARY KEY (id)
);
CREATE INDEX audit_log_actor ON public.audit_log USING btree (actor, id DESC);
CREATE INDEX audit_log_subject ON public.audit_log USING btree (subject, id DESC);

CREATE TABLE catalog_scope (
  key integer GENERATED ALWAYS AS IDENTITY NOT NULL,
  project_id text COLLATE "C" NOT NULL,
  system_id text COLLATE "C" NOT NULL,
  derived_of integer,
  home_stream integer,
  CONSTRAINT catalog_scope_pkey PRIMARY KEY (key),
  CONSTRAINT catalog_scope_derived_of_fkey FOREIGN KEY (derived_of) REFERENCES catalog_scope(key) ON DELETE CASCADE
);
CREATE UNIQUE INDEX catalog_scope_derived ON public.catalog_scope USING btree (derived_of) WHERE (derived_of IS NOT NULL);
CREATE UNIQUE INDEX catalog_scope_name ON public.catalog_scope USING btree (project_id, system_id) WHERE (derived_of IS NULL);

CREATE TABLE change_detail (
  fact bigint NOT NULL,
  at timestamp(3) with time zone NOT NULL,
  kind text COLLATE "C" NOT NULL,
  property text DEFAULT ''::text NOT NULL,
  scope integer NOT NULL,
  is_node boolean NOT NULL,
  owner bigint,
  before jsonb,
  after jsonb,
  confidence real,
  CONSTRAINT change_detail_pkey PRIMARY KEY (fact, at, kind, property)
);
CREATE INDEX change_detail_owner ON public.change_detail USING btree (owner, at) WHERE (owner IS NOT NULL);
CREATE INDEX change_detail_scope ON public.change_detail USING btree (scope, at);

CREATE TABLE dataset (
  id uuid NOT NULL,
  project_id text COLLATE "C" NOT NULL,
  name text NOT NULL,
  kind text NOT NULL,
  description text NOT NULL,
  tags text[] NOT NULL,
  created_by text NOT NULL,
  created_at timestamp(3) with time zone NOT NULL,
  updated_at timestamp(3) with time zone NOT NULL,
  source text DEFAULT ''::text NOT NULL,
  provenance jsonb DEFAULT '{}'::jsonb NOT NULL,
  CONSTRAINT dataset_pkey PRIMARY KEY (id),
  CONSTRAINT dataset_project_id_name_key UNIQUE (project_id, name)
);

CREATE TABLE dataset_chunk (
  version_id uuid NOT NULL,
  ordinal integer NOT NULL,
  blob text COLLATE "C" NOT NULL,
  row_count integer NOT NULL,
  rows_hash text COLLATE "C" NOT NULL,
  CONSTRAINT dataset_chunk_pkey PRIMARY KEY (version_id, ordinal),
  CONSTRAINT dataset_chunk_version_id_fkey FOREIGN KEY (version_id) REFERENCES dataset_version(id) ON DELETE CASCADE
);
CREATE INDEX dataset_chunk_blob ON public.dataset_chunk USING btree (blob);

CREATE TABLE dataset_metric (
  name text COLLATE "C" NOT NULL,
  labels text COLLATE "C" NOT NULL,
  value double precision NOT NULL,
  CONSTRAINT dataset_metric_pkey PRIMARY KEY (name, labels)
);

CREATE TABLE dataset_operations (
  id uuid NOT NULL,
  version_id uuid NOT NULL,
  split_id uuid,
  part text,
  name text COLLATE "C" NOT NULL,
  fitted jsonb NOT NULL,
  hash text COLLATE "C" NOT NULL,
  created_by text NOT NULL,
  created_at timestamp(3) with time zone NOT NULL,
  CONSTRAINT dataset_operations_pkey PRIMARY KEY (id),
  CONSTRAINT dataset_operations_version_id_name_key UNIQUE (version_id, name),
  CONSTRAINT dataset_operations_split_id_fkey FOREIGN KEY (split_id) REFERENCES dataset_split(id) ON DELETE CASCADE,
  CONSTRAINT dataset_operations_version_id_fkey FOREIGN KEY (version_id) REFERENCES dataset_version(id) ON DELETE CASCADE
);
CREATE INDEX dataset_operations_split ON public.dataset_operations USING btree (split_id);

CREATE TABLE dataset_report (
  version_id uuid NOT NULL,
  report text COLLATE "C" NOT NULL,
  options_hash text COLLATE "C" NOT NULL,
  body jsonb NOT NULL,
  created_at timestamp(3) with time zone NOT NULL,
  CONSTRAINT dataset_report_pkey PRIMARY KEY (version_id, report, options_hash),
  CONSTRAINT dataset_report_version_id_fkey FOREIGN KEY (version_id) REFERENCES dataset_version(id) ON DELETE CASCADE
);

CREATE TABLE dataset_split (
  id uuid NOT NULL,
  version_id uuid NOT NULL,
  name text COLLATE "C" NOT NULL,
  options jsonb NOT NULL,
  counts jsonb NOT NULL,
  membership bytea NOT NULL,
  membership_hash text COLLATE "C" NOT NULL,
  problems jsonb NOT NULL,
  created_by text NOT NULL,
  created_at timestamp(3) with time zone NOT NULL,
  CONSTRAINT dataset_split_pkey PRIMARY KEY (id),
  CONSTRAINT dataset_split_version_id_name_key UNIQUE (version_id, name),
  CONSTRAINT dataset_split_version_id_fkey FOREIGN KEY (version_id) REFERENCES dataset_version(id) ON DELETE CASCADE
);

CREATE TABLE dataset_tag (
  dataset_id uuid NOT NULL,
  tag text NOT NULL,
  version_id uuid NOT NULL,
  CONSTRAINT dataset_tag_pkey PRIMARY KEY (dataset_id, tag),
  CONSTRAINT dataset_tag_dataset_id_fkey FOREIGN KEY (dataset_id) REFERENCES dataset(id) ON DELETE CASCADE,
  CONSTRAINT dataset_tag_version_id_fkey FOREIGN KEY (version_id) REFERENCES dataset_version(id) ON DELETE CASCADE
);

CREATE TABLE dataset_upload (
  id uuid NOT NULL,
  blob text COLLATE "C" NOT NULL,
  file text NOT NULL,
  bytes bigint NOT NULL,
  owner text COLLATE "C" NOT NULL,
  created_at timestamp(3) with time zone NOT NULL,
  CONSTRAINT dataset_upload_pkey PRIMARY KEY (id)
);
CREATE INDEX dataset_upload_age ON public.dataset_upload USING btree (created_at);
CREATE INDEX dataset_upload_blob ON public.dataset_upload USING btree (blob);

CREATE TABLE dataset_version (
  id uuid NOT NULL,
  dataset_id uuid NOT NULL,
  major integer NOT NULL,
  minor integer NOT NULL,
  hash text COLLATE "C" NOT NULL,
  row_count bigint NOT NULL,
  bytes bigint NOT NULL,
  parent_id uuid,
  description text NOT NULL,
  provenance jsonb NOT NULL,
  quality_score double precision,
  validation_passed boolean,
  created_by text NOT NULL,
  created_at timestamp(3) with time zone NOT NULL,
  shape jsonb,
  CONSTRAINT dataset_version_pkey PRIMARY KEY (id),
  CONSTRAINT dataset_version_dataset_id_major_minor_key UNIQUE (dataset_id, major, minor),
  CONSTRAINT dataset_version_dataset_id_fkey FOREIGN KEY (dataset_id) REFERENCES dataset(id) ON DELETE CASCADE,
  CONSTRAINT dataset_version_parent_id_fkey FOREIGN KEY (parent_id) REFERENCES dataset_version(id)
);
CREATE INDEX dataset_version_hash ON public.dataset_version USING btree (dataset_id, hash);

CREATE TABLE derivation (
  scope integer NOT NULL,
  origin bigint NOT NULL,
  fact bigint NOT NULL,
  valid_from timestamp(3) with time zone NOT NULL,
  valid_to timestamp(3) with time zone NOT NULL,
  version uuid NOT NULL,
  file integer,
  location text,
  CONSTRAINT derivation_pkey PRIMARY KEY (origin, fact, valid_from)
);
CREATE INDEX derivation_fact ON public.derivation USING btree (fact);
CREATE INDEX derivation_scope ON public.derivation USING btree (scope);

CREATE TABLE edge_history (
  edge bigint NOT NULL,
  valid_from timestamp(3) with time zone NOT NULL,
  valid_to timestamp(3) with time zone DEFAULT 'infinity'::timestamp with time zone NOT NULL,
  version uuid NOT NULL,
  is_visible boolean NOT NULL,
  scope integer NOT NULL,
  label text COLLATE "C" NOT NULL,
  begins boolean NOT NULL,
  ends boolean DEFAULT false NOT NULL,
  file integer,
  location text,
  stated_at timestamp(3) with time zone,
  CONSTRAINT edge_history_pkey PRIMARY KEY (edge, valid_from)
);
CREATE INDEX edge_history_current ON public.edge_history USING btree (scope, label, edge) WHERE (valid_to = 'infinity'::timestamp with time zone);
CREATE INDEX edge_history_end ON public.edge_history USING btree (scope, valid_to) WHERE (valid_to < 'infinity'::timestamp with time zone);
CREATE INDEX edge_history_pending ON public.edge_history USING btree (edge) WHERE ((valid_to = 'infinity'::timestamp with time zone) AND (NOT is_visible));
CREATE INDEX edge_history_start ON public.edge_history USING brin (scope int4_minmax_multi_ops, valid_from timestamptz_minmax_multi_ops) WITH (pages_per_range='32', autosummarize='on');

CREATE TABLE edge_key (
  key bigint DEFAULT nextval('fact_key'::regclass) NOT NULL,
  source bigint NOT NULL,
  label text COLLATE "C" NOT NULL,
  target bigint NOT NULL,
  discriminator text COLLATE "C" NOT NULL,
  scope integer NOT NULL,
  CONSTRAINT edge_key_pkey PRIMARY KEY (key),
  CONSTRAINT edge_key_source_label_target_discriminator_scope_key UNIQUE (source, label, target, discriminator, scope)
);
CREATE INDEX edge_key_target ON public.edge_key USING btree (target, label);

CREATE TABLE fact_version (
  hash uuid NOT NULL,
  name text,
  qualified_name text,
  properties jsonb NOT NULL,
  is_partial boolean DEFAULT false NOT NULL,
  canonical text COLLATE "C",
  CONSTRAINT fact_version_pkey PRIMARY KEY (hash)
);

CREATE TABLE glossary_term (
  project_id text COLLATE "C" NOT NULL,
  name text COLLATE "C" NOT NULL,
  valid_from timestamp(3) with time zone NOT NULL,
  valid_to timestamp(3) with time zone DEFAULT 'infinity'::timestamp with time zone NOT NULL,
  definition text,
  actor text NOT NULL,
  CONSTRAINT glossary_term_pkey PRIMARY KEY (project_id, name, valid_from)
);

CREATE TABLE graph_outbox (
  id bigint GENERATED ALWAYS AS IDENTITY NOT NULL,
  change jsonb NOT NULL,
  weight integer DEFAULT 1 NOT NULL,
  created_at timestamp with time zone DEFAULT now() NOT NULL,
  CONSTRAINT graph_outbox_pkey PRIMARY KEY (id)
);

CREATE TABLE graph_question (
  id uuid NOT NULL,
  question jsonb NOT NULL,
  asked_at timestamp with time zone DEFAULT now() NOT NULL,
  answer jsonb,
  failure jsonb,
  answered_at timestamp with time zone,
  CONSTRAINT graph_question_pkey PRIMARY KEY (id)
);

CREATE TABLE metric (
  node bigint NOT NULL,
  name text COLLATE "C" NOT NULL,
  observed_at timestamp(3) with time zone NOT NULL,
  value double precision NOT NULL,
  CONSTRAINT metric_pkey PRIMARY KEY (node, name, observed_at)
);

CREATE TABLE node_history (
  node bigint NOT NULL,
  valid_from timestamp(3) with time zone NOT NULL,
  valid_to timestamp(3) with time zone DEFAULT 'infinity'::timestamp with time zone NOT NULL,
  version uuid NOT NULL,
  scope integer NOT NULL,
  kind text COLLATE "C" NOT NULL,
  begins boolean NOT NULL,
  ends boolean DEFAULT false NOT NULL,
  file integer,
  location text,
  stated_at timestamp(3) with time zone,
  is_home boolean DEFAULT false NOT NULL,
  CONSTRAINT node_history_pkey PRIMARY KEY (node, valid_from),
  CONSTRAINT node_history_home CHECK (((NOT is_home) OR ((kind = 'Column'::text) AND begins AND (NOT ends) AND (valid_to = 'infinity'::timestamp with time zone))))
);
CREATE INDEX node_history_current ON public.node_history USING btree (scope, kind DESC, node) WHERE (valid_to = 'infinity'::timestamp with time zone);
CREATE INDEX node_history_end ON public.node_history USING btree (scope, valid_to) WHERE (valid_to < 'infinity'::timestamp with time zone);
CREATE INDEX node_history_start ON public.node_history USING brin (scope int4_minmax_multi_ops, valid_from timestamptz_minmax_multi_ops) WITH (pages_per_range='32', autosummarize='on');

CREATE TABLE node_key (
  key bigint DEFAULT nextval('fact_key'::regclass) NOT NULL,
  id text COLLATE "C" NOT NULL,
  kind text COLLATE "C" NOT NULL,
  scope integer,
  parent bigint,
  CONSTRAINT node_key_pkey PRIMARY KEY (key),
  CONSTRAINT node_key_id_key UNIQUE (id)
);
CREATE INDEX node_key_parent ON public.node_key USING btree (parent) WHERE (parent IS NOT NULL);

CREATE TABLE open_end (
  scope integer NOT NULL,
  need text COLLATE "C" NOT NULL,
  edge bigint NOT NULL,
  CONSTRAINT open_end_pkey PRIMARY KEY (scope, need, edge)
);
CREATE INDEX open_end_edge ON public.open_end USING btree (edge);

CREATE TABLE outbox_floor (
  is_single boolean DEFAULT true NOT NULL,
  trimmed_to bigint NOT NULL,
  CONSTRAINT outbox_floor_pkey PRIMARY KEY (is_single),
  CONSTRAINT outbox_floor_is_single_check CHECK (is_single)
);

CREATE TABLE outbox_ledger (
  is_single boolean DEFAULT true NOT NULL,
  id uuid DEFAULT gen_random_uuid() NOT NULL,
  CONSTRAINT outbox_ledger_pkey PRIMARY KEY (is_single),
  CONSTRAINT outbox_ledger_is_single_check CHECK (is_single)
);

CREATE TABLE parsed_part (
  digest text NOT NULL,
  part integer NOT NULL,
  content bytea NOT NULL,
  saved_at timestamp(3) with time zone DEFAULT now() NOT NULL,
  CONSTRAINT parsed_part_pkey PRIMARY KEY (digest, part)
);

CREATE TABLE parsed_text (
  digest text NOT NULL,
  project_id text COLLATE "C" NOT NULL,
  head bytea NOT NULL,
  parts integer NOT NULL,
  bytes bigint NOT NULL,
  used_at timestamp(3) with time zone DEFAULT now() NOT NULL,
  CONSTRAINT parsed_text_pkey PRIMARY KEY (digest)
);
CREATE INDEX parsed_text_project ON public.parsed_text USING btree (project_id);

CREATE TABLE pattern_set (
  id text NOT NULL,
  project_id text NOT NULL,
  version integer NOT NULL,
  learned_at timestamp with time zone NOT NULL,
  run_id text,
  snapshot_ids text[] NOT NULL,
  patterns jsonb NOT NULL,
  learning jsonb NOT NULL,
  format smallint NOT NULL,
  since timestamp with time zone,
  CONSTRAINT pattern_set_pkey PRIMARY KEY (id),
  CONSTRAINT pattern_set_project_id_version_key UNIQUE (project_id, version)
);
CREATE INDEX pattern_set_run ON public.pattern_set USING btree (run_id) WHERE (run_id IS NOT NULL);

CREATE TABLE pipeline_step (
  parent_id uuid NOT NULL,
  step text NOT NULL,
  run_id uuid NOT NULL,
  input_hash text NOT NULL,
  is_reused boolean NOT NULL,
  CONSTRAINT pipeline_step_pkey PRIMARY KEY (parent_id, step),
  CONSTRAINT pipeline_step_parent_id_fkey FOREIGN KEY (parent_id) REFERENCES run(id) ON DELETE CASCADE,
  CONSTRAINT pipeline_step_run_id_fkey FOREIGN KEY (run_id) REFERENCES run(id) ON DELETE CASCADE
);
CREATE INDEX pipeline_step_input ON public.pipeline_step USING btree (step, input_hash) WHERE (NOT is_reused);
CREATE INDEX pipeline_step_run ON public.pipeline_step USING btree (run_id);

CREATE TABLE project (
  id text NOT NULL,
  name text NOT NULL,
  description text DEFAULT ''::text NOT NULL,
  created_at timestamp with time zone DEFAULT now() NOT NULL,
  reject_below double precision,
  ideal_distribution jsonb,
  CONSTRAINT project_pkey PRIMARY KEY (id),
  CONSTRAINT project_id_check CHECK ((id ~ '^[^/\s]{1,100}$'::text)),
  CONSTRAINT project_reject_below_check CHECK (((reject_below >= (0)::double precision) AND (reject_below <= (1)::double precision)))
);

CREATE TABLE run (
  id uuid NOT NULL,
  kind text NOT NULL,
  name text NOT NULL,
  project_id text,
  parent_id uuid,
  options jsonb NOT NULL,
  state text DEFAULT 'pending'::text NOT NULL,
  attempt integer DEFAULT 0 NOT NULL,
  priority integer DEFAULT 5 NOT NULL,
  result jsonb,
  error jsonb,
  control text,
  created_at timestamp with time zone DEFAULT now() NOT NULL,
  started_at timestamp with time zone,
  ended_at timestamp with time zone,
  available_at timestamp with time zone,
  retry_limit integer DEFAULT 2 NOT NULL,
  failures integer DEFAULT 0 NOT NULL,
  timeout_seconds integer,
  worker_id text,
  heartbeat_at timestamp with time zone,
  lease_until timestamp with time zone,
  CONSTRAINT run_pkey PRIMARY KEY (id),
  CONSTRAINT run_control_check CHECK ((control = ANY (ARRAY['pause'::text, 'cancel'::text]))),
  CONSTRAINT run_priority_check CHECK (((priority >= 1) AND (priority <= 10))),
  CONSTRAINT run_retry_limit_check CHECK ((retry_limit >= 0)),
  CONSTRAINT run_state_check CHECK ((state = ANY (ARRAY['pending'::text, 'running'::text, 'paused'::text, 'completed'::text, 'failed'::text, 'cancelled'::text]))),
  CONSTRAINT run_timeout_seconds_check CHECK ((timeout_seconds > 0)),
  CONSTRAINT run_parent_id_fkey FOREIGN KEY (parent_id) REFERENCES run(id) ON DELETE CASCADE
);
CREATE INDEX run_available ON public.run USING btree (kind, priority DESC, available_at) WHERE (available_at IS NOT NULL);
CREATE INDEX run_leased ON public.run USING btree (lease_until) WHERE (lease_until IS NOT NULL);
CREATE INDEX run_newest ON public.run USING btree (created_at DESC, id DESC);
CREATE INDEX run_parent ON public.run USING btree (parent_id) WHERE (parent_id IS NOT NULL);
CREATE INDEX run_project ON public.run USING btree (project_id, created_at DESC, id DESC);

CREATE TABLE run_checkpoint (
  id bigint GENERATED ALWAYS AS IDENTITY NOT NULL,
  run_id uuid NOT NULL,
  attempt integer NOT NULL,
  step bigint NOT NULL,
  blob text NOT NULL,
  bytes bigint NOT NULL,
  best boolean NOT NULL,
  created_at timestamp with time zone DEFAULT now() NOT NULL,
  CONSTRAINT run_checkpoint_pkey PRIMARY KEY (id),
  CONSTRAINT run_checkpoint_run_id_fkey FOREIGN KEY (run_id) REFERENCES run(id) ON DELETE CASCADE
);
CREATE INDEX run_checkpoint_blob ON public.run_checkpoint USING btree (blob);
CREATE INDEX run_checkpoint_run ON public.run_checkpoint USING btree (run_id, id DESC);

CREATE TABLE run_event (
  run_id uuid NOT NULL,
  sequence bigint NOT NULL,
  attempt integer NOT NULL,
  at timestamp with time zone DEFAULT now() NOT NULL,
  type text NOT NULL,
  name text,
  step bigint,
  value double precision,
  body jsonb,
  CONSTRAINT run_event_pkey PRIMARY KEY (run_id, sequence),
  CONSTRAINT run_event_check CHECK (((type = 'metric'::text) = (body IS NULL))),
  CONSTRAINT run_event_check1 CHECK (((type = 'metric'::text) = ((name IS NOT NULL) AND (step IS NOT NULL) AND (value IS NOT NULL)))),
  CONSTRAINT run_event_sequence_check CHECK ((sequence > 0)),
  CONSTRAINT run_event_type_check CHECK ((type = ANY (ARRAY['metric'::text, 'log'::text, 'state'::text, 'checkpoint'::text, 'artifact'::text]))),
  CONSTRAINT run_event_run_id_fkey FOREIGN KEY (run_id) REFERENCES run(id) ON DELETE CASCADE
);
CREATE INDEX run_event_metric ON public.run_event USING btree (run_id, name, sequence) INCLUDE (step, value) WHERE (type = 'metric'::text);

CREATE TABLE run_file (
  run_id uuid NOT NULL,
  name text NOT NULL,
  blob text NOT NULL,
  bytes bigint NOT NULL,
  summary jsonb,
  created_at timestamp with time zone DEFAULT now() NOT NULL,
  CONSTRAINT run_file_pkey PRIMARY KEY (run_id, name),
  CONSTRAINT run_file_bytes_check CHECK ((bytes >= 0)),
  CONSTRAINT run_file_name_check CHECK ((name ~ '^[a-z0-9][a-z0-9_.-]*$'::text)),
  CONSTRAINT run_file_run_id_fkey FOREIGN KEY (run_id) REFERENCES run(id) ON DELETE CASCADE
);
CREATE INDEX run_file_blob ON public.run_file USING btree (blob);

CREATE TABLE run_use (
  run_id uuid NOT NULL,
  dataset_version_id text NOT NULL,
  CONSTRAINT run_use_pkey PRIMARY KEY (run_id, dataset_version_id),
  CONSTRAINT run_use_run_id_fkey FOREIGN KEY (run_id) REFERENCES run(id) ON DELETE CASCADE
);

CREATE TABLE schema_migration (
  file text NOT NULL,
  checksum text NOT NULL,
  applied_at timestamp with time zone DEFAULT now() NOT NULL,
  CONSTRAINT schema_migration_pkey PRIMARY KEY (file)
);

CREATE TABLE search_entry (
  node bigint NOT NULL,
  words tsvector NOT NULL,
  CONSTRAINT search_entry_pkey PRIMARY KEY (node)
);
CREATE INDEX search_entry_words ON public.search_entry USING gin (words);

CREATE TABLE search_said (
  node_id text COLLATE "C" NOT NULL,
  words tsvector NOT NULL,
  CONSTRAINT search_said_pkey PRIMARY KEY (node_id)
);

CREATE TABLE search_word (
  word text COLLATE "C" NOT NULL,
  CONSTRAINT search_word_pkey PRIMARY KEY (word)
);
CREATE INDEX search_word_trigrams ON public.search_word USING gin (word gin_trgm_ops);

CREATE TABLE snapshot (
  id uuid NOT NULL,
  project_id text COLLATE "C" NOT NULL,
  system_id text COLLATE "C" NOT NULL,
  scope integer NOT NULL,
  stream integer NOT NULL,
  position uuid NOT NULL,
  observed_at timestamp(3) with time zone NOT NULL,
  ingested_at timestamp(3) with time zone NOT NULL,
  content_hash text NOT NULL,
  is_complete boolean NOT NULL,
  facts_digest text DEFAULT ''::text NOT NULL,
  sources jsonb NOT NULL,
  counts jsonb NOT NULL,
  metrics jsonb NOT NULL,
  quality jsonb NOT NULL,
  problem_count integer NOT NULL,
  input_problem_count integer DEFAULT 0 NOT NULL,
  processing_strategy text NOT NULL,
  text_digest text DEFAULT ''::text NOT NULL,
  CONSTRAINT snapshot_pkey PRIMARY KEY (id),
  CONSTRAINT snapshot_project_id_position_key UNIQUE (project_id, "position"),
  CONSTRAINT snapshot_scope_fkey FOREIGN KEY (scope) REFERENCES catalog_scope(key),
  CONSTRAINT snapshot_stream_fkey FOREIGN KEY (stream) REFERENCES stream(key)
);
CREATE INDEX snapshot_ingested ON public.snapshot USING btree (project_id, system_id, ingested_at DESC, id);
CREATE INDEX snapshot_stream ON public.snapshot USING btree (stream, "position");

CREATE TABLE snapshot_problem (
  snapshot_id uuid NOT NULL,
  ordinal integer NOT NULL,
  severity text NOT NULL,
  code text NOT NULL,
  place text NOT NULL,
  found text NOT NULL,
  expected text NOT NULL,
  suggestion text,
  CONSTRAINT snapshot_problem_pkey PRIMARY KEY (snapshot_id, ordinal),
  CONSTRAINT snapshot_problem_snapshot_id_fkey FOREIGN KEY (snapshot_id) REFERENCES snapshot(id) ON DELETE CASCADE
);

CREATE TABLE snapshot_removal (
  snapshot_id uuid NOT NULL,
  project_id text COLLATE "C" NOT NULL,
  position uuid NOT NULL,
  root text COLLATE "C" NOT NULL,
  low text COLLATE "C" NOT NULL,
  high text COLLATE "C" NOT NULL,
  CONSTRAINT snapshot_removal_pkey PRIMARY KEY (snapshot_id, low),
  CONSTRAINT snapshot_removal_snapshot_id_fkey FOREIGN KEY (snapshot_id) REFERENCES snapshot(id) ON DELETE CASCADE
);
CREATE INDEX snapshot_removal_project ON public.snapshot_removal USING btree (project_id, "position");

CREATE TABLE source_file (
  key integer GENERATED ALWAYS AS IDENTITY NOT NULL,
  dialect text NOT NULL,
  file text NOT NULL,
  CONSTRAINT source_file_pkey PRIMARY KEY (key),
  CONSTRAINT source_file_dialect_file_key UNIQUE (dialect, file)
);

CREATE TABLE stream (
  key integer GENERATED ALWAYS AS IDENTITY NOT NULL,
  scope integer NOT NULL,
  name text NOT NULL,
  CONSTRAINT stream_pkey PRIMARY KEY (key),
  CONSTRAINT stream_scope_name_key UNIQUE (scope, name),
  CONSTRAINT stream_scope_fkey FOREIGN KEY (scope) REFERENCES catalog_scope(key)
);

CREATE TABLE system (
  project_id text NOT NULL,
  id text NOT NULL,
  name text NOT NULL,
  description text DEFAULT ''::text NOT NULL,
  created_at timestamp with time zone DEFAULT now() NOT NULL,
  CONSTRAINT system_pkey PRIMARY KEY (project_id, id),
  CONSTRAINT system_id_check CHECK ((id ~ '^[^/\s]{1,100}$'::text)),
  CONSTRAINT system_project_id_fkey FOREIGN KEY (project_id) REFERENCES project(id) ON DELETE CASCADE
);

CREATE TABLE worker (
  id text NOT NULL,
  started_at timestamp with time zone DEFAULT now() NOT NULL,
  seen_at timestamp with time zone DEFAULT now() NOT NULL,
  CONSTRAINT worker_pkey PRIMARY KEY (id)
);

CREATE VIEW assertion_row AS
SELECT assertion.stream,
    assertion.fact,
    assertion.from_position,
    assertion.to_position,
    assertion.version
   FROM assertion
UNION ALL
 SELECT s.home_stream AS stream,
    f.fact,
    '00000000-0000-0000-0000-000000000000'::uuid AS from_position,
    'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid AS to_position,
    f.version
   FROM node_history h
     JOIN catalog_scope s ON s.key = h.scope
     CROSS JOIN LATERAL ( VALUES (h.node,h.version), (h.node + 1,'44136fa3-55b3-678a-1146-ad16f7e8649e'::uuid)) f(fact, version)
  WHERE h.is_home AND h.kind = 'Column'::text AND h.valid_to = 'infinity'::timestamp with time zone;

CREATE VIEW change AS
SELECT h.node AS fact,
    h.valid_from AS at,
    'node_added' COLLATE "C" AS kind,
    ''::text AS property,
    h.scope,
    true AS is_node,
        CASE
            WHEN n.kind = ANY (ARRAY['Table'::text, 'View'::text]) THEN n.key
            ELSE n.parent
        END AS owner,
    NULL::jsonb AS before,
    NULL::jsonb AS after,
    NULL::real AS confidence,
    h.node AS found_by
   FROM node_history h
     LEFT JOIN node_key n ON n.key = h.node
  WHERE h.begins
UNION ALL
 SELECT h.node AS fact,
    h.valid_to AS at,
    'node_removed'::text AS kind,
    ''::text AS property,
    h.scope,
    true AS is_node,
        CASE
            WHEN n.kind = ANY (ARRAY['Table'::text, 'View'::text]) THEN n.key
            ELSE n.parent
        END AS owner,
    NULL::jsonb AS before,
    NULL::jsonb AS after,
    NULL::real AS confidence,
    h.node AS found_by
   FROM node_history h
     LEFT JOIN node_key n ON n.key = h.node
  WHERE h.ends
UNION ALL
 SELECT h.edge AS fact,
    h.valid_from AS at,
    'edge_added'::text AS kind,
    ''::text AS property,
    h.scope,
    false AS is_node,
        CASE
            WHEN n.kind = ANY (ARRAY['Table'::text, 'View'::text]) THEN n.key
            ELSE n.parent
        END AS owner,
    NULL::jsonb AS before,
    NULL::jsonb AS after,
    NULL::real AS confidence,
    h.edge AS found_by
   FROM edge_history h
     LEFT JOIN edge_key e ON e.key = h.edge
     LEFT JOIN node_key n ON n.key = e.source
  WHERE h.begins
UNION ALL
 SELECT h.edge AS fact,
    h.valid_to AS at,
    'edge_removed'::text AS kind,
    ''::text AS property,
    h.scope,
    false AS is_node,
        CASE
            WHEN n.kind = ANY (ARRAY['Table'::text, 'View'::text]) THEN n.key
            ELSE n.parent
        END AS owner,
    NULL::jsonb AS before,
    NULL::jsonb AS after,
    NULL::real AS confidence,
    h.edge AS found_by
   FROM edge_history h
     LEFT JOIN edge_key e ON e.key = h.edge
     LEFT JOIN node_key n ON n.key = e.source
  WHERE h.ends
UNION ALL
 SELECT h.node + 1 AS fact,
    h.valid_from AS at,
    'edge_added'::text AS kind,
    ''::text AS property,
    h.scope,
    false AS is_node,
        CASE
            WHEN n.kind = ANY (ARRAY['Table'::text, 'View'::text]) THEN n.key
            ELSE n.parent
        END AS owner,
    NULL::jsonb AS before,
    NULL::jsonb AS after,
    NULL::real AS confidence,
    h.node AS found_by
   FROM node_history h
     LEFT JOIN node_key k ON k.key = h.node
     LEFT JOIN node_key n ON n.key = k.parent
  WHERE h.is_home AND h.kind = 'Column'::text AND h.valid_to = 'infinity'::timestamp with time zone
UNION ALL
 SELECT change_detail.fact,
    change_detail.at,
    change_detail.kind,
    change_detail.property,
    change_detail.scope,
    change_detail.is_node,
    change_detail.owner,
    change_detail.before,
    change_detail.after,
    change_detail.confidence,
    change_detail.fact AS found_by
   FROM change_detail;

CREATE VIEW edge AS
SELECT a.id AS source_id,
    h.label,
    b.id AS target_id,
    k.discriminator,
    s.project_id,
    s.system_id,
    v.properties,
    h.valid_from AS updated_at,
    h.edge AS key
   FROM edge_history h
     JOIN edge_key k ON k.key = h.edge
     JOIN node_key a ON a.key = k.source
     JOIN node_key b ON b.key = k.target
     JOIN fact_version v ON v.hash = h.version
     JOIN catalog_scope s ON s.key = h.scope
  WHERE h.valid_to = 'infinity'::timestamp with time zone AND h.is_visible
UNION ALL
 SELECT a.id AS source_id,
    'HAS_COLUMN' COLLATE "C" AS label,
    k.id AS target_id,
    '' COLLATE "C" AS discriminator,
    s.project_id,
    s.system_id,
    '{}'::jsonb AS properties,
    h.valid_from AS updated_at,
    h.node + 1 AS key
   FROM node_history h
     JOIN node_key k ON k.key = h.node
     JOIN node_key a ON a.key = k.parent
     JOIN catalog_scope s ON s.key = h.scope
  WHERE h.is_home AND h.kind = 'Column'::text AND h.valid_to = 'infinity'::timestamp with time zone;

CREATE VIEW edge_ends AS
SELECT edge_key.key,
    edge_key.source,
    edge_key.label,
    edge_key.target,
    edge_key.discriminator,
    edge_key.scope
   FROM edge_key
UNION ALL
 SELECT home_edge.edge AS key,
    home_edge.source,
    home_edge.label,
    home_edge.target,
    home_edge.discriminator,
    home_edge.scope
   FROM home_edge;

CREATE VIEW edge_row AS
SELECT written_edge.edge,
    written_edge.source,
    written_edge.label,
    written_edge.target,
    written_edge.discriminator,
    written_edge.scope,
    written_edge.valid_from,
    written_edge.valid_to,
    written_edge.version,
    written_edge.is_visible,
    written_edge.begins,
    written_edge.ends,
    written_edge.file,
    written_edge.location,
    written_edge.stated_at
   FROM written_edge
UNION ALL
 SELECT home_edge.edge,
    home_edge.source,
    home_edge.label,
    home_edge.target,
    home_edge.discriminator,
    home_edge.scope,
    home_edge.valid_from,
    home_edge.valid_to,
    home_edge.version,
    home_edge.is_visible,
    home_edge.begins,
    home_edge.ends,
    home_edge.file,
    home_edge.location,
    home_edge.stated_at
   FROM home_edge;

CREATE VIEW glean_edges AS
SELECT source_id,
    target_id,
    label,
    properties AS properties_json,
    (updated_at AT TIME ZONE 'UTC'::text) AS updated_at_utc
   FROM edge;

CREATE VIEW glean_nodes AS
SELECT id,
    kind,
    name AS label,
    properties AS properties_json,
    (updated_at AT TIME ZONE 'UTC'::text) AS updated_at_utc
   FROM node;

CREATE VIEW home_edge AS
SELECT h.node + 1 AS edge,
    k.parent AS source,
    'HAS_COLUMN'::text COLLATE "C" AS label,
    h.node AS target,
    ''::text COLLATE "C" AS discriminator,
    h.scope,
    h.valid_from,
    h.valid_to,
    '44136fa3-55b3-678a-1146-ad16f7e8649e'::uuid AS version,
    true AS is_visible,
    h.begins,
    h.ends,
    h.file,
    h.location,
    h.stated_at,
    k.id AS target_id
   FROM node_history h
     JOIN node_key k ON k.key = h.node
  WHERE h.is_home AND h.kind = 'Column'::text AND h.valid_to = 'infinity'::timestamp with time zone;

CREATE VIEW node AS
SELECT k.id,
    h.kind,
    v.name,
    v.qualified_name,
    s.project_id,
    s.system_id,
    v.properties,
    h.valid_from AS updated_at,
    h.node AS key
   FROM node_history h
     JOIN node_key k ON k.key = h.node
     JOIN fact_version v ON v.hash = h.version
     JOIN catalog_scope s ON s.key = h.scope
  WHERE h.valid_to = 'infinity'::timestamp with time zone;

CREATE VIEW written_edge AS
SELECT h.edge,
    k.source,
    h.label,
    k.target,
    k.discriminator,
    h.scope,
    h.valid_from,
    h.valid_to,
    h.version,
    h.is_visible,
    h.begins,
    h.ends,
    h.file,
    h.location,
    h.stated_at
   FROM edge_history h
     JOIN edge_key k ON k.key = h.edge;

CREATE OR REPLACE FUNCTION public.artifact_is_immutable()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
BEGIN
  RAISE EXCEPTION 'published artifacts are immutable (table %)', tg_table_name USING errcode = 'restrict_violation';
END
$function$;

CREATE OR REPLACE FUNCTION public.search_lower(said text)
 RETURNS text
 LANGUAGE sql
 IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN (octet_length(said) = char_length(said)) THEN lower(said) ELSE lower((said COLLATE "und-x-icu")) END;

CREATE OR REPLACE FUNCTION public.search_matches(asked tsquery, most integer)
 RETURNS SETOF bigint
 LANGUAGE sql
 STABLE
 SET enable_seqscan TO 'off'
AS $function$ select node from search_entry where words @@ asked limit most $function$;

CREATE OR REPLACE FUNCTION public.search_name(name text)
 RETURNS text
 LANGUAGE sql
 IMMUTABLE PARALLEL SAFE
RETURN regexp_replace(regexp_replace("left"(name, 500), '([[:lower:][:digit:]])([[:upper:]])'::text, '\1 \2'::text, 'g'::text), '([[:upper:]])([[:upper:]][[:lower:]])'::text, '\1 \2'::text, 'g'::text);

CREATE OR REPLACE FUNCTION public.search_near(asked text, most integer)
 RETURNS TABLE(word text, closeness real)
 LANGUAGE sql
 STABLE
 SET "pg_trgm.similarity_threshold" TO '0.2'
AS $function$ select w.word, similarity(w.word, asked) from search_word w where w.word % asked order by 2 desc, 1 limit most $function$;

CREATE OR REPLACE FUNCTION public.search_quoted(said text)
 RETURNS text
 LANGUAGE sql
 IMMUTABLE PARALLEL SAFE
RETURN replace(replace(said, '\'::text, '\\'::text), ''''::text, '\'''::text);

CREATE OR REPLACE FUNCTION public.search_spaced(said text)
 RETURNS text
 LANGUAGE sql
 IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN (said ~ '[-/:,()"`]|\[|\]'::text) THEN translate(said, '_.-/:,()[]"`'::text, '            '::text) ELSE replace(replace(said, '_'::text, ' '::text), '.'::text, ' '::text) END;

CREATE OR REPLACE FUNCTION public.search_spaced_text(said text)
 RETURNS text
 LANGUAGE sql
 IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN (said ~ '[][/:;(){}<>''"`!?@#$%^&*+=|\\~\t\n\r-]'::text) THEN regexp_replace(said, '[][_./:,;(){}<>''"`!?@#$%^&*+=|\\~\t\n\r-]'::text, ' '::text, 'g'::text) ELSE replace(replace(replace(said, '_'::text, ' '::text), '.'::text, ' '::text), ','::text, ' '::text) END;

CREATE OR REPLACE FUNCTION public.search_words(name text)
 RETURNS text[]
 LANGUAGE sql
 IMMUTABLE PARALLEL SAFE
RETURN array_remove(string_to_array(translate(search_lower("left"(name, 500)), '_.-/:,()[]"`'::text, '            '::text), ' '::text), ''::text);
