-- What each proxy holds for requests in flight, as it told with a recent beat: for people to look at, nothing is decided by it. One row a proxy, of all
-- tenants, so nobody reads it but by the function, which shows a tenant its own.
create table lease_open_reports (
  node_id uuid primary key references lease_nodes,
  epoch bigint not null,
  told_at timestamptz not null,
  -- [{"counter": uuid, "holds": number, "amount": text}], of at most 500 counters
  counters jsonb not null,
  -- [{"request": uuid, "counter": uuid, "amount": text}], of the 100 oldest requests
  oldest jsonb not null
) with (fillfactor = 50);

-- By the owner of the leases, after a beat; of a node or boot that is not the one there is, nothing is written.
create function lease_tell_open(my_node uuid, my_epoch bigint, my_incarnation text, my_counters jsonb, my_oldest jsonb) returns void
language sql volatile security definer set search_path = public, pg_temp as $$
  insert into lease_open_reports as known (node_id, epoch, told_at, counters, oldest)
    select id, epoch, lease_now(), my_counters, my_oldest from lease_nodes where id = my_node and epoch = my_epoch and incarnation = my_incarnation
    on conflict (node_id) do update set epoch = excluded.epoch, told_at = excluded.told_at, counters = excluded.counters, oldest = excluded.oldest
$$;

-- Of counters of the tenant that the transaction names. What a boot before the present one told is over: its requests are settled or orphans.
create function lease_open_holds(of_counters uuid[])
returns table (counter_id uuid, node_id uuid, told_at timestamptz, holds integer, amount numeric, oldest jsonb)
language sql stable security definer set search_path = public, pg_temp as $$
  select told.counter, node_id, told_at, told.holds, told.amount::numeric(38, 0),
    coalesce((select jsonb_agg(jsonb_build_object('request', hold.request, 'amount', hold.amount) order by place)
      from rows from (jsonb_to_recordset(oldest) as (request uuid, counter uuid, amount text)) with ordinality as hold (request, counter, amount, place)
      where hold.counter = told.counter), '[]')
  from lease_open_reports join lease_nodes on (lease_nodes.id, lease_nodes.epoch) = (node_id, lease_open_reports.epoch)
    cross join lateral jsonb_to_recordset(counters) as told (counter uuid, holds integer, amount text)
    join budget_counters on budget_counters.id = told.counter
  where told.counter = any (of_counters)
    and budget_counters.organization_id = nullif(current_setting('turnpike.organization_id', true), '')::uuid
$$;

revoke execute on function lease_tell_open, lease_open_holds from public;
grant execute on function lease_tell_open to turnpike_writer;
grant execute on function lease_open_holds to turnpike_reader;
grant select on lease_open_reports to turnpike_writer;
