-- Most of what comes are columns, in the order of their keys. With kinds from last to first they end the index of their scope, so that the
-- columns of a system that comes last are put at the index's own end, without looking for their place (measured: half the time of an entry).
drop index node_history_current;
create index node_history_current on node_history (scope, kind desc, node) where valid_to = 'infinity';
