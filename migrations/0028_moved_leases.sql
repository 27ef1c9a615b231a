-- What an embedded home leased comes along when it moves into given servers. Leasing writes these tables and nobody else does; this adds rows to them as
-- they stood elsewhere, and only where nothing was ever leased: every lease is a proxy's, and each proxy that ever began is in lease_nodes.

create function lease_take_over(into_table text, moved_rows text[]) returns void
language plpgsql security definer set search_path = public, pg_temp as $$
begin
  if into_table <> all (array['lease_nodes', 'budget_counters', 'leases', 'lease_log', 'lease_postings', 'counter_totals', 'counter_buckets', 'lease_reports']) then
    raise exception '% is not a table of leasing', into_table using errcode = 'insufficient_privilege';
  end if;
  if exists (select from lease_nodes where xmin <> pg_current_xact_id()::xid) then
    raise exception 'a database that has leased already takes no leases over' using errcode = 'insufficient_privilege';
  end if;
  -- `offset 0` keeps the text from being read once for each column.
  execute format(
    'insert into %1$I select (parsed.whole).* from (select given.row::%1$I as whole from unnest($1) as given (row) offset 0) as parsed', into_table)
    using moved_rows;
end $$;
revoke execute on function lease_take_over from public;
grant execute on function lease_take_over to turnpike_writer;
