-- The final sums of leases whose window is over or whose counter is sealed, told by their owner once all of their holds are settled and synced: each is
-- closed at what was spent on it, as a register does it for an older epoch, and no beat tells of it again. Nothing is closed for its age.
-- closed: it is; gone: there is no such lease, or its last word was said before; open: the counter is not over, nothing is changed; forgotten:
-- more than its room, so the database was restored, which the next ask or beat proves. While reconciling a single row with no item: nothing
-- was applied. The owner keeps the sum as long as those of closed epochs, and reports it as final, since a backup may have the lease open.
create function lease_close(my_node uuid, my_epoch bigint, counters uuid[], finals numeric[])
returns table (status text, generation bigint, item integer, counter_id uuid, outcome text)
language plpgsql security definer set search_path = public, pg_temp as $$
#variable_conflict use_column
declare
  at constant timestamptz := lease_now();
  present constant lease_generation := lease_notice_restore(0);
  lease record;
begin
  generation := present.generation;
  if present.reconciling_since is not null then
    status := 'reconciling';
    return next;
    return;
  end if;
  status := 'answered';
  perform from budget_counters where id = any (counters) order by id for no key update;
  for i in 1 .. cardinality(counters) loop
    select granted, returned, closed_at, budget_counters.sealed_at is not null or budget_limits.sealed_at is not null or coalesce(ends_at <= at, false) as over
      into lease
      from leases join budget_counters on budget_counters.id = leases.counter_id join budget_limits on budget_limits.id = limit_id
      where leases.counter_id = counters[i] and node_id = my_node and epoch = my_epoch;
    item := i;
    counter_id := counters[i];
    outcome := case when lease.granted is null or lease.closed_at is not null then 'gone' when not lease.over then 'open'
      when finals[i] > lease.granted - lease.returned then 'forgotten' else 'closed' end;
    if outcome = 'closed' then
      update leases set returned = lease.granted - finals[i], closed_at = at, cause = 'over'
        where leases.counter_id = counters[i] and node_id = my_node and epoch = my_epoch;
      if finals[i] < lease.granted - lease.returned then
        perform lease_move(counters[i], 'close', my_node, my_epoch, finals[i] - (lease.granted - lease.returned), 'over');
      end if;
    end if;
    return next;
  end loop;
end $$;

revoke execute on function lease_close from public;
grant execute on function lease_close to turnpike_writer;
