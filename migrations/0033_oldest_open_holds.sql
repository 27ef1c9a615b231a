-- The requests in flight that have held something of the tenant's budgets the longest, as proxies told last: request ids grow with time. Of the 100 oldest of
-- each proxy.
create function lease_oldest_open_holds(most integer)
returns table (counter_id uuid, node_id uuid, told_at timestamptz, request uuid, amount numeric)
language sql stable security definer set search_path = public, pg_temp as $$
  select hold.counter, node_id, told_at, hold.request, hold.amount::numeric(38, 0)
  from lease_open_reports join lease_nodes on (lease_nodes.id, lease_nodes.epoch) = (node_id, lease_open_reports.epoch)
    cross join lateral jsonb_to_recordset(oldest) as hold (request uuid, counter uuid, amount text)
    join budget_counters on budget_counters.id = hold.counter
    join budget_limits on budget_limits.id = limit_id
  where budget_counters.organization_id = nullif(current_setting('turnpike.organization_id', true), '')::uuid
    and exists (select from budgets where budgets.id = budget_id)
  order by hold.request, hold.counter, node_id limit most
$$;
revoke execute on function lease_oldest_open_holds from public;
grant execute on function lease_oldest_open_holds to turnpike_reader;
