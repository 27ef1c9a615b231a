-- Streams of configuration changes pass over the entries between two audit events, however many there are.
create index journal_positions_of_audit on journal_positions (organization_id, position) where item_kind = 'audit';
