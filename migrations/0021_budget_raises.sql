-- Temporary raises of a limit. By the database's clock, as windows are: no process has to be there for one to end.
alter table budget_limits
  -- on top of `amount`
  add raised numeric(38, 0) not null default 0 check (raised >= 0),
  add raised_until timestamptz,
  add check ((raised > 0) = (raised_until is not null));

-- What may be committed at a moment.
create function budget_amount(amount numeric, raised numeric, raised_until timestamptz, at timestamptz) returns numeric
language sql immutable parallel safe
return amount + case when raised_until > at then raised else 0 end;

-- The end of a raise is a change that nobody writes down, so it counts as one; a new raise, or the end of one by a person, takes `version` two further.
create function budget_version(version integer, raised_until timestamptz, at timestamptz) returns integer
language sql immutable parallel safe
return version + coalesce(raised_until <= at, false)::integer;

-- What follows is as it was, but for the amount and the version of a limit.

create or replace view counter_states with (security_invoker = true) as
  select budget_counters.id, budget_counters.organization_id, limit_id, budget_id, unit, window_key, group_key, starts_at, ends_at,
    budget_amount(amount, raised, raised_until, lease_now())::numeric(38, 0) as amount,
    coalesce(totals.settled, 0) - aged_debit - aged_excess as settled, held, lost,
    coalesce(totals.excess, 0) - aged_excess + uncovered as overrun,
    committed, rooms - (postings + coalesce(totals.excess, 0) - coalesce(totals.settled, 0)) - aged_debit as expected,
    cap, budget_counters.version, budget_version(budget_limits.version, raised_until, lease_now()) as limit_version, wanted_at,
    coalesce(budget_counters.sealed_at, budget_limits.sealed_at) as sealed_at
  from budget_counters
    join budget_limits on budget_limits.id = limit_id
    left join counter_totals as totals on totals.counter_id = budget_counters.id
    cross join lateral (
      select coalesce(sum(room), 0) as rooms, coalesce(sum(posted), 0) as postings, coalesce(sum(held), 0) as held, coalesce(sum(lost), 0) as lost,
        coalesce(sum(uncovered), 0) as uncovered
      from lease_states where lease_states.counter_id = budget_counters.id
    ) as sums;

create or replace function lease_ask(my_node uuid, my_epoch bigint, my_generation bigint, limits uuid[], groups text[], counters uuid[], nexts boolean[],
  knowns numeric[], needs numeric[], wants numeric[], live integer, all_or_none boolean) returns setof lease_answer
language plpgsql security definer set search_path = public, pg_temp
-- Every look-up is one by key, also where a table was empty when the plan was made: it is made once for a connection.
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off as $$
declare
  at constant timestamptz := lease_now();
  unnamed constant boolean := array_position(counters, null) is not null;
  reconciling boolean;
  same_server boolean;
  forgotten boolean;
  present lease_generation;
  answer lease_answer;
  answers lease_answer[] := '{}';
  ids uuid[] := counters;
  keys text[];
  starts timestamptz[];
  ends timestamptz[];
  fresh uuid[];
  rolling uuid[];
  missing uuid[];
  short uuid[];
  granted_ids uuid[];
  additions numeric[];
  amounts numeric[];
  withhold boolean := false;
  asked_limit budget_limits;
  span record;
  line record;
  -- what was posted on the lease beyond its room: more room covers it
  own_uncovered numeric[];
  addition numeric;
begin
  select generation, reconciling_since is not null, lease_same_server(timeline, server_started_at), exists (
      select from unnest(counters, knowns) as asked (counter, known) where counter is not null and known > coalesce(
        (select granted from leases where counter_id = counter and node_id = my_node and epoch = my_epoch), 0))
    into strict answer.generation, reconciling, same_server, forgotten from lease_generation;
  if not same_server or my_generation > answer.generation then
    present := lease_notice_restore(my_generation);
    answer.generation := present.generation;
    reconciling := present.reconciling_since is not null;
  end if;
  answer.status := case when reconciling or my_generation < answer.generation then 'reconciling' else 'answered' end;
  if answer.status = 'answered' and forgotten
    and exists (select from lease_nodes where id = my_node and epoch = my_epoch and lost_at is null and seen_at >= at - lease_node_ttl()) then
    present := lease_notice_restore(my_generation, true);
    answer.generation := present.generation;
    answer.status := 'reconciling';
  end if;
  if answer.status = 'answered' then
    perform from lease_nodes where id = my_node and epoch = my_epoch and lost_at is null and seen_at >= at - lease_node_ttl() for share;
    if not found then answer.status := 'fenced'; end if;
  end if;
  if answer.status = 'answered' then
    perform from budget_limits where id = any (limits) order by id for share;
  end if;
  if unnamed then
    keys := array_fill(null::text, array[cardinality(limits)]);
    starts := keys::timestamptz[];
    ends := starts;
    for i in 1 .. cardinality(limits) loop
      continue when counters[i] is not null;
      select * into asked_limit from budget_limits where id = limits[i];
      continue when not found;
      span := budget_window(asked_limit.window_kind, asked_limit.window_zone, asked_limit.window_anchor::timestamp, at);
      if nexts[i] and span.ends_at is not null then
        span := budget_window(asked_limit.window_kind, asked_limit.window_zone, asked_limit.window_anchor::timestamp, span.ends_at);
      end if;
      keys[i] := budget_window_key(asked_limit.segment, asked_limit.window_kind, span.starts_at);
      ids[i] := budget_counter_id(limits[i], keys[i], groups[i]);
      starts[i] := span.starts_at;
      ends[i] := span.ends_at;
    end loop;
  end if;
  for i in 2 .. cardinality(limits) loop
    if ids[i] = any (ids[: i - 1]) then
      raise exception 'a counter is asked for twice' using errcode = 'invalid_parameter_value';
    end if;
  end loop;
  if answer.status <> 'answered' then
    return query select answer.status, answer.generation, asked.item::integer, 'withheld', budget_counters.id, window_key, starts_at, ends_at,
        coalesce(granted, 0), null::numeric, null::integer, null::numeric, null::numeric, null::numeric, null::bigint, null::bigint
      from unnest(ids) with ordinality as asked (counter, item) left join budget_counters on budget_counters.id = asked.counter
        left join leases on counter_id = asked.counter and node_id = my_node and epoch = my_epoch
      order by asked.item;
    return;
  end if;

  if unnamed then
    -- In the order of their ids: who inserts the same at the same time waits here, and must not be waited for.
    with opened as (
      insert into budget_counters (id, organization_id, limit_id, window_key, group_key, starts_at, ends_at, cap, window_seconds, aged_until,
        folded_until)
      select asked.id, organization_id, limit_id, key, group_key, starts_at, ends_at,
        budget_amount(amount, raised, raised_until, at), window_seconds, oldest, oldest
      from unnest(ids, limits, keys, groups, starts, ends) as asked (id, limit_id, key, group_key, starts_at, ends_at)
        join budget_limits on budget_limits.id = limit_id,
        date_bin(make_interval(secs => window_seconds / 60), at - make_interval(secs => window_seconds), 'epoch') as oldest
      where key is not null and sealed_at is null and not exists (select from budget_counters where budget_counters.id = asked.id)
      order by asked.id on conflict do nothing returning id
    ) select array_agg(id) into fresh from opened;
    if fresh is not null then perform lease_adopt(fresh); end if;
  end if;
  select array_agg(id) filter (where window_seconds is not null) into rolling
    from (select id, window_seconds from budget_counters where id = any (ids) order by id for no key update) as locked;
  for i in 1 .. coalesce(cardinality(rolling), 0) loop
    perform lease_age(rolling[i]);
  end loop;

  for line in
    select item, asked.known, need, counter.id, counter.window_key, counter.starts_at, counter.ends_at, counter.committed,
      counter.aged_debit, counter.aged_excess, budget_amount(budget_limits.amount, raised, raised_until, at) as amount,
      budget_version(budget_limits.version, raised_until, at) as limit_version,
      counter.sealed_at is not null or budget_limits.sealed_at is not null or coalesce(counter.ends_at <= at, false) as over,
      leases.granted, leases.closed_at, coalesce(settled, 0) as settled, coalesce(excess, 0) as excess, beyond.uncovered, beyond.own
    from unnest(ids, limits, knowns, needs) with ordinality as asked (counter_id, limit_id, known, need, item)
      left join (budget_counters as counter join budget_limits on budget_limits.id = counter.limit_id)
        on counter.id = asked.counter_id and counter.limit_id = asked.limit_id
      left join leases on leases.counter_id = counter.id and leases.node_id = my_node and leases.epoch = my_epoch
      left join counter_totals on counter_totals.counter_id = counter.id
      left join lateral (
        select sum(greatest(posted - coalesce(room.granted - room.returned, 0), 0)) as uncovered,
          sum(greatest(posted - coalesce(room.granted - room.returned, 0), 0)) filter (where node_id = my_node and epoch = my_epoch) as own
        from lease_postings left join leases as room using (counter_id, node_id, epoch) where lease_postings.counter_id = counter.id
      ) as beyond on true
    order by item
  loop
    answer := row(answer.status, answer.generation, line.item, 'gone', null, null, null, null, 0, null, null, null, null, null, null, null);
    if line.id is not null then
      if line.granted is null and not line.over and line.known = 0 then
        missing := missing || line.id;
        line.granted := 0;
      end if;
      own_uncovered[line.item] := coalesce(line.own, 0);
      answer.counter_id := line.id;
      answer.window_key := line.window_key;
      answer.starts_at := line.starts_at;
      answer.ends_at := line.ends_at;
      answer.granted := coalesce(line.granted, 0);
      answer.amount := line.amount;
      answer.limit_version := line.limit_version;
      answer.rest := line.amount - line.committed - (line.excess - line.aged_excess + coalesce(line.uncovered, 0));
      -- Rounded so that it is never used a moment too long or too soon.
      answer.ends_in_ms := floor(extract(epoch from line.ends_at - at) * 1000);
      answer.opens_in_ms := ceil(greatest(extract(epoch from line.starts_at - at), 0) * 1000);
      if line.over or line.granted is null or line.closed_at is not null then
        answer.outcome := 'gone';
      elsif line.granted > line.known then
        answer.outcome := 'held';
      elsif line.need <= answer.rest then
        answer.outcome := 'granted';
      else
        answer.outcome := 'short';
        short := short || line.id;
        answer.unsettled := line.amount - (line.settled - line.aged_debit - line.aged_excess);
        select coalesce(sum(case when closed_at is null and seen_at < at - lease_node_ttl() then held else lost end), 0) into answer.stuck
          from lease_states join lease_nodes on lease_nodes.id = node_id where counter_id = line.id;
      end if;
    end if;
    withhold := withhold or all_or_none and answer.outcome in ('short', 'gone');
    answers := answers || answer;
  end loop;
  if missing is not null then
    insert into leases (counter_id, node_id, epoch, organization_id)
      select id, my_node, my_epoch, organization_id from budget_counters where id = any (missing);
  end if;
  if short is not null then
    update budget_counters set wanted_at = at where id = any (short);
  end if;

  foreach answer in array answers loop
    if answer.outcome = 'granted' and withhold then
      answer.outcome := 'withheld';
    elsif answer.outcome = 'granted' then
      addition := least(greatest(wants[answer.item], needs[answer.item]), greatest(needs[answer.item], div(answer.rest, 2 * greatest(live, 1))));
      if addition > 0 then
        granted_ids := granted_ids || answer.counter_id;
        additions := additions || addition;
        amounts := amounts || answer.amount;
        answer.granted := answer.granted + addition;
        answer.rest := answer.rest - addition + least(addition, own_uncovered[answer.item]);
      end if;
    end if;
    return next answer;
  end loop;
  for i in 1 .. coalesce(cardinality(granted_ids), 0) loop
    update leases set granted = granted + additions[i], granted_at = at
      where counter_id = granted_ids[i] and node_id = my_node and epoch = my_epoch;
    perform lease_move(granted_ids[i], 'grant', my_node, my_epoch, additions[i], null, amounts[i]);
  end loop;
end $$;

create or replace function lease_beat(my_node uuid, my_epoch bigint, my_incarnation text, my_generation bigint, my_beat bigint, my_nonce text,
  counters uuid[], sums numeric[], since timestamptz)
returns table (status text, beat bigint, generation bigint, reconciling boolean, live integer, as_of timestamptz, counter_id uuid, limit_id uuid,
  group_key text, granted numeric, returned numeric, gone boolean, wanted boolean, amount numeric, limit_version integer)
language plpgsql security definer set search_path = public, pg_temp as $$
#variable_conflict use_column
declare
  at constant timestamptz := lease_now();
  present lease_generation := lease_notice_restore(my_generation);
  node lease_nodes;
begin
  select * into node from lease_nodes where id = my_node;
  status := case when node.epoch > my_epoch or node.epoch = my_epoch and node.incarnation <> my_incarnation then 'copied'
    when node.epoch = my_epoch and (node.beat = my_beat or node.nonce = my_nonce) then 'taken'
    when node.epoch = my_epoch and node.beat > my_beat then 'copied' else 'forgotten' end;
  if status = 'taken' then
    update lease_nodes set beat = my_beat + 1, nonce = my_nonce, seen_at = at, lost_at = null
      where id = my_node and epoch = my_epoch and incarnation = my_incarnation and (beat = my_beat or nonce = my_nonce);
    if not found then status := 'copied'; end if;
  elsif status = 'forgotten' then
    present := lease_notice_restore(greatest(my_generation, present.generation), true);
  end if;
  beat := my_beat + (status = 'taken')::integer;
  generation := present.generation;
  reconciling := present.reconciling_since is not null;
  if status = 'taken' and not reconciling and cardinality(counters) > 0 then
    perform lease_return_all(my_node, my_epoch, counters, sums);
  end if;
  live := greatest(1, (select count(*) from lease_nodes where lost_at is null and seen_at >= at - lease_node_ttl()));
  as_of := at;
  return query select status, beat, generation, reconciling, live, as_of, changed.*
    from (values (0)) as answer left join (
      select leases.counter_id, budget_counters.limit_id, budget_counters.group_key::text, leases.granted, leases.returned,
        closed_at is not null or budget_counters.sealed_at is not null or budget_limits.sealed_at is not null or coalesce(ends_at <= at, false),
        coalesce(wanted_at > at - lease_scarce(), false), budget_amount(budget_limits.amount, raised, raised_until, at),
        budget_version(budget_limits.version, raised_until, at)
      from leases join budget_counters on budget_counters.id = leases.counter_id join budget_limits on budget_limits.id = budget_counters.limit_id
      where node_id = my_node and epoch = my_epoch and status = 'taken'
        -- A transaction may show what it stamped up to a minute later. What is told twice does no harm.
        and (since is null or wanted_at > at - lease_scarce()
          or greatest(granted_at, closed_at, budget_counters.sealed_at, budget_limits.sealed_at, updated_at) > since - interval '1 minute'
          or ends_at between since - interval '1 minute' and at or raised_until between since - interval '1 minute' and at)
    ) as changed on true
    order by changed.counter_id;
end $$;

create or replace function lease_resume() returns boolean language plpgsql set search_path = public, pg_temp as $$
declare
  report record;
  lease leases;
  after record;
  changed record;
  fresh uuid[];
begin
  if exists (select id from lease_nodes where lost_at is null union select node_id from lease_postings
    except select id from lease_nodes where lost_at is not null except select node_id from lease_reports) then return false; end if;
  -- Counters that the backup does not know come back, where it knows the limit.
  with opened as (
    insert into budget_counters (id, organization_id, limit_id, window_key, group_key, starts_at, ends_at, cap, window_seconds, aged_until,
      folded_until)
    select distinct on (counter) counter, organization_id, "limit", window_key, "group", starts_at, ends_at,
      budget_amount(amount, raised, raised_until, lease_now()), window_seconds, oldest, oldest
    from lease_reports,
      jsonb_to_recordset(leases) as told (counter uuid, "limit" uuid, window_key text, "group" text, starts_at timestamptz, ends_at timestamptz)
      join budget_limits on budget_limits.id = "limit",
      date_bin(make_interval(secs => window_seconds / 60), lease_now() - make_interval(secs => window_seconds), 'epoch') as oldest
    where counter = budget_counter_id("limit", window_key, "group")
    order by counter on conflict do nothing returning id
  ) select array_agg(id) into fresh from opened;
  if fresh is not null then perform lease_adopt(fresh); end if;
  perform from budget_counters order by id for no key update;

  for report in
    select node_id, torn, counter, epoch, granted::numeric, returned::numeric, final::numeric, organization_id
    from lease_reports, jsonb_to_recordset(leases) as told (counter uuid, epoch bigint, granted text, returned text, final text)
      join budget_counters on budget_counters.id = counter
  loop
    insert into leases (counter_id, node_id, epoch, organization_id) values (report.counter, report.node_id, report.epoch, report.organization_id)
      on conflict do nothing;
    select * into strict lease from leases where counter_id = report.counter and node_id = report.node_id and epoch = report.epoch;
    -- A row that is closed has had its last word already.
    continue when lease.closed_at is not null;
    if report.final is null then
      update leases set granted = greatest(lease.granted, report.granted), granted_at = lease_now(),
        returned = least(greatest(lease.returned, report.returned), greatest(lease.granted, report.granted))
        where counter_id = report.counter and node_id = report.node_id and epoch = report.epoch;
    else
      after := lease_closed(lease.granted, lease.returned, report.final, report.epoch = any (report.torn));
      update leases set granted = after.new_granted, returned = after.new_returned, unproven = after.new_unproven, closed_at = lease_now(),
        cause = 'reconcile' where counter_id = report.counter and node_id = report.node_id and epoch = report.epoch;
    end if;
  end loop;
  -- What a node does not list of its older epochs was never spent from, as far as an untorn spool can tell.
  update leases set granted = final.new_granted, returned = final.new_returned, unproven = final.new_unproven, closed_at = lease_now(),
    cause = 'reconcile'
    from leases as open join lease_reports on lease_reports.node_id = open.node_id join lease_nodes on lease_nodes.id = open.node_id,
      lateral lease_closed(open.granted, open.returned, 0, open.epoch = any (torn)) as final
    where (leases.counter_id, leases.node_id, leases.epoch) = (open.counter_id, open.node_id, open.epoch)
      and open.closed_at is null and open.epoch < lease_nodes.epoch;
  for changed in select id, expected - committed as change from counter_states where expected <> committed order by id loop
    perform lease_move(changed.id, 'reconcile', null, null, changed.change, null);
  end loop;
  delete from lease_reports;
  update lease_generation set reconciling_since = null;
  return true;
end $$;
