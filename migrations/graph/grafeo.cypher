// Grafeo's index serves every lookup by that property, whatever the label. Its indexes are not unique constraints: MERGE by id keeps ids unique.
CREATE INDEX node_id IF NOT EXISTS FOR (n:Node) ON (n.id);
CREATE INDEX meta_id IF NOT EXISTS FOR (m:EspalierMeta) ON (m.id);
