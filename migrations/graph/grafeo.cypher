// Grafeo's index serves every lookup by that property, whatever the label. Its indexes are not unique constraints: MERGE by id keeps ids unique.
CREATE INDEX node_id IF NOT EXISTS FOR (n:Node) ON (n.id);
CREATE INDEX meta_id IF NOT EXISTS FOR (m:EspalierMeta) ON (m.id);
// Typed reads and people look things up by name. Range look-ups by number are served by the engine's own statistics; by moments (updated_at,
// metrics_calculated_at) by neither: an index on them was made and not used (0.6.0), while 31,000 nodes are looked through in 12 ms.
CREATE INDEX node_name IF NOT EXISTS FOR (n:Node) ON (n.name);
CREATE INDEX node_qualified_name IF NOT EXISTS FOR (n:Node) ON (n.qualified_name);
CREATE INDEX node_metadata_entropy IF NOT EXISTS FOR (n:Node) ON (n.metadata_entropy);
CREATE INDEX node_kl_divergence IF NOT EXISTS FOR (n:Node) ON (n.kl_divergence);
