-- Pattern sets say how they were written (1: columns and relationships alone, with every live column in `learning`; 2: all learners, counts
-- alone in `learning`) and from when on they were learned.
ALTER TABLE pattern_set ADD COLUMN format smallint NOT NULL DEFAULT 1;
ALTER TABLE pattern_set ALTER COLUMN format DROP DEFAULT;
ALTER TABLE pattern_set ADD COLUMN since timestamptz;
CREATE INDEX pattern_set_run ON pattern_set (run_id) WHERE run_id IS NOT NULL;
