-- A reset of several limits at once: all of them are locked before the first counter is, each in the order of its id, as asks do it.
drop function lease_reset(uuid);

-- The next ask makes new counters, the old ones are sealed, and old holds settle there. No history is lost.
create function lease_reset(of_limits uuid[]) returns void
language plpgsql security definer set search_path = public, pg_temp as $$
begin
  perform from budget_limits where id = any (of_limits) order by id for no key update;
  update budget_limits set segment = segment + 1, updated_at = lease_now() where id = any (of_limits);
  perform from budget_counters where limit_id = any (of_limits) and sealed_at is null order by id for no key update;
  update budget_counters set sealed_at = lease_now() where limit_id = any (of_limits) and sealed_at is null;
end $$;

revoke execute on function lease_reset from public;
grant execute on function lease_reset to turnpike_writer;
