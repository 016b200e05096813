-- Who may come in. A key's secret is never stored: only the SHA-256 of the whole token (256 random bits, so no slow hash is needed).
CREATE TABLE api_key (
  id text PRIMARY KEY CHECK (id ~ '^[0-9a-z]{12}$'),
  name text NOT NULL CHECK (name <> ''),
  digest bytea NOT NULL CHECK (octet_length(digest) = 32),
  scopes text[] NOT NULL CHECK (cardinality(scopes) > 0),
  -- null: every project
  projects text[],
  created_at timestamptz NOT NULL DEFAULT now(),
  created_by text NOT NULL,
  expires_at timestamptz,
  last_used_at timestamptz,
  revoked_at timestamptz,
  CHECK (projects IS NULL OR NOT scopes && ARRAY['graph:cypher', 'admin'])
);
