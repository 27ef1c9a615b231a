-- Budgets that hold nothing, since they audit or notify: posting adds what requests used of their limits, by limit and group, in the window of the posting
-- transaction by the database's clock. There is no lease, so all of it is `excess`, and a counter stays right where its budget enforces from some
-- moment on: settled + held = committed + overrun, and what was counted is room that nobody is granted.

-- As before, but for places without a node: what is posted there is no debit of a lease. And a rolling window is aged where nobody may ask for room.
create or replace function lease_post(organizations uuid[], counters uuid[], nodes uuid[], epochs bigint[], debits numeric[], costs numeric[])
returns void language plpgsql security definer set search_path = public, pg_temp as $$
declare
  at constant timestamptz := lease_now();
  ids uuid[];
  owners uuid[];
  settleds numeric[];
  excesses numeric[];
  credits numeric[];
  unleased boolean[];
begin
  with held as materialized (
    select counter, node, epoch, any_value(organization) as organization, sum(debit) as debit, sum(cost) as settled,
      sum(greatest(cost - debit, 0)) as excess
    from unnest(organizations, counters, nodes, epochs, debits, costs) as hold (organization, counter, node, epoch, debit, cost)
    group by counter, node, epoch
  ), posted as (
    insert into lease_postings as known (counter_id, node_id, epoch, organization_id, posted)
      select counter, node, epoch, organization, debit from held where node is not null order by counter, node, epoch
      on conflict (counter_id, node_id, epoch) do update set posted = known.posted + excluded.posted
  ) select array_agg(counter), array_agg(organization), array_agg(settled), array_agg(excess), array_agg(credit), array_agg(without_lease)
    into ids, owners, settleds, excesses, credits, unleased
    from (select counter, any_value(organization) as organization, sum(settled) as settled, sum(excess) as excess,
        sum(debit + excess - settled) as credit, bool_or(node is null) as without_lease
      from held group by counter order by counter) as total;
  insert into counter_totals as known (counter_id, organization_id, settled, excess)
    select counter, organization, settled, excess from unnest(ids, owners, settleds, excesses) as total (counter, organization, settled, excess)
    order by counter
    on conflict (counter_id) do update set settled = known.settled + excluded.settled, excess = known.excess + excluded.excess;
  -- Never into a bucket that has left already, should the clock have stepped back.
  insert into counter_buckets as known (counter_id, began_at, organization_id, debit, excess)
    select counter, greatest(date_bin(make_interval(secs => window_seconds / 60), at, 'epoch'), aged_until), organization_id,
      settled - excess, excess
    from unnest(ids, settleds, excesses) as total (counter, settled, excess) join budget_counters on budget_counters.id = counter
    where window_seconds is not null order by counter
    on conflict (counter_id, began_at) do update set debit = known.debit + excluded.debit, excess = known.excess + excluded.excess;
  for i in 1 .. coalesce(cardinality(ids), 0) loop
    if credits[i] > 0 then perform lease_credit(ids[i], credits[i], null, 'rating'); end if;
    if unleased[i] then
      perform from budget_counters where id = ids[i] and window_seconds is not null for no key update;
      if found then perform lease_age(ids[i]); end if;
    end if;
  end loop;
end $$;

-- Posts holds as lease_post does, and beside them what was used of limits that hold nothing: one place of the last four arrays a limit of an entry. Of a limit that
-- is unknown, since a restore forgot it, or of another organization, nothing is counted. A counter that is new is made before anything is locked
-- that others post to, in the order of its id, as asks make it.
create function budget_post(organizations uuid[], counters uuid[], nodes uuid[], epochs bigint[], debits numeric[], costs numeric[],
  counted_by uuid[], limits uuid[], groups text[], counts numeric[])
returns void language plpgsql security definer set search_path = public, pg_temp as $$
declare
  at constant timestamptz := lease_now();
  ids uuid[];
  owners uuid[];
  sums numeric[];
  fresh uuid[];
begin
  with counted as materialized (
    select budget_limits.id as limit_id, group_key, sum(cost) as cost
    from unnest(counted_by, limits, groups, counts) as used (organization, limit_id, group_key, cost)
      join budget_limits on budget_limits.id = used.limit_id and organization_id = organization
    group by budget_limits.id, group_key
  ), spanned as materialized (
    select budget_limits.*, span.*, budget_window_key(segment, window_kind, span.starts_at) as window_key,
      date_bin(make_interval(secs => window_seconds / 60), at - make_interval(secs => window_seconds), 'epoch') as oldest
    from budget_limits, budget_window(window_kind, window_zone, window_anchor::timestamp, at) as span
    where id in (select limit_id from counted)
  ), placed as materialized (
    select budget_counter_id(limit_id, window_key, group_key) as counter_id, spanned.*, group_key, cost
    from counted join spanned on spanned.id = limit_id
  ), opened as (
    insert into budget_counters (id, organization_id, limit_id, window_key, group_key, starts_at, ends_at, cap, window_seconds, aged_until, folded_until)
      select counter_id, organization_id, id, window_key, group_key, starts_at, ends_at, budget_amount(amount, raised, raised_until, at),
        window_seconds, oldest, oldest
      from placed where not exists (select from budget_counters where budget_counters.id = counter_id)
      order by counter_id on conflict do nothing returning id
  ) select array_agg(counter_id), array_agg(organization_id), array_agg(cost), (select array_agg(id) from opened) into ids, owners, sums, fresh
    from placed;
  if fresh is not null then perform lease_adopt(fresh); end if;
  if ids is null then
    perform lease_post(organizations, counters, nodes, epochs, debits, costs);
    return;
  end if;
  perform lease_post(organizations || owners, counters || ids, nodes || array_fill(null::uuid, array[cardinality(ids)]),
    epochs || array_fill(null::bigint, array[cardinality(ids)]), debits || array_fill(0::numeric, array[cardinality(ids)]), costs || sums);
end $$;

-- How much of limits is settled now, in the window that the database's clock is in: reads only, for proxies that audit. One row an item, none for a limit that is
-- not there.
create function budget_look(limits uuid[], groups text[]) returns table (item bigint, amount numeric, settled numeric)
language sql
begin atomic
  select asked.item, budget_amount(budget_limits.amount, raised, raised_until, lease_now()),
    coalesce(case when window_seconds is null then counter_totals.settled else (
      select sum(debit + counter_buckets.excess) from counter_buckets
      where counter_buckets.counter_id = counter.id
        and began_at >= date_bin(make_interval(secs => window_seconds / 60), lease_now() - make_interval(secs => window_seconds), 'epoch')) end, 0)
  from unnest(limits, groups) with ordinality as asked (limit_id, group_key, item)
    join budget_limits on budget_limits.id = asked.limit_id
    cross join lateral budget_window(window_kind, window_zone, window_anchor::timestamp, lease_now()) as span
    cross join lateral budget_counter_id(budget_limits.id, budget_window_key(segment, window_kind, span.starts_at), group_key) as counter (id)
    left join counter_totals on counter_totals.counter_id = counter.id
  order by asked.item;
end;

revoke execute on function budget_post, budget_look from public;
grant execute on function budget_post, budget_look to turnpike_writer;
