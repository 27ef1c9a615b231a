-- Counters that go on (of a lifetime, a rolling window, a long period) have a log that grows with their use. What of it is older than
-- counter_detail_age() becomes the entry that a log may begin with (0030): what it came to stays, and who took it when does not. Leases, postings and
-- totals are left alone.

-- From a counter on, in the order of ids (nil at first), `most` of them in one transaction, and of each `most_entries` at once, but none where fewer than
-- `least_entries` are old. It waits for nobody: a counter that somebody has in hand is passed over until the next time, and so is everything while
-- another purges, or the database is restored. What does not add up stays as it is, for `lease_check` to tell of. next_id: from where to go on; null: that
-- is all.
create function sum_up_long_logs(after_id uuid, most integer, least_entries integer, most_entries integer, out shortened integer, out next_id uuid)
language plpgsql security definer set search_path = public, pg_temp set turnpike.purging = 'on' as $$
declare
  old_until constant timestamptz := lease_now() - counter_detail_age();
  counter uuid;
  old_entries integer;
begin
  shortened := 0;
  if not pg_try_advisory_xact_lock(hashtextextended('purge_counters', 0)) or (lease_notice_restore(0)).reconciling_since is not null then return; end if;
  perform from lease_generation where reconciling_since is null for share skip locked;
  if not found then return; end if;

  for counter in
    select id from budget_counters
    where id > after_id and summed_up_at is null and version >= least_entries
    order by id limit most
  loop
    next_id := counter;
    -- Versions are dense, so that one entry tells whether so many before it are old too.
    continue when not exists (
      select from lease_log where counter_id = counter and recorded_at <= old_until
        and version = (select min(version) from lease_log where counter_id = counter) + least_entries - 1);
    perform from budget_counters where id = counter for no key update skip locked;
    continue when not found;
    select count(*) into old_entries
      from (select recorded_at from lease_log where counter_id = counter order by version limit most_entries) as first_entries
      where recorded_at <= old_until;
    if summarize_lease_log(counter, old_entries) <> 'broken' then shortened := shortened + 1; end if;
  end loop;
end $$;
revoke execute on function sum_up_long_logs(uuid, integer, integer, integer) from public;
grant execute on function sum_up_long_logs(uuid, integer, integer, integer) to turnpike_writer;
