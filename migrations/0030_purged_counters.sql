-- What becomes of counters that are long over. Of a rate limit by the minute or the hour they go, and what they came to stays by limit and day; of
-- anything else the counter and its total stay for good, and its leases, postings and log become one entry. Either way only where all is said: the
-- window is over, every lease is done, nothing is held, and the books of the counter add up. Nothing is released by it: an over counter grants nothing.

-- How long windows of a rate limit that are an hour at most are kept: long enough for a weekend's question and for any settlement that is late.
create function short_counter_age() returns interval language sql immutable parallel safe return interval '2 days';
-- How long it stays on record who held what of a window that is over: a quarter, until its books are closed. Longer than spools keep sums (35 days).
create function counter_detail_age() returns interval language sql immutable parallel safe return interval '90 days';

-- When leases, postings and log were summed up in one entry; what a proxy reports of it after a restore has been told before.
alter table budget_counters add column summed_up_at timestamptz;
create index budget_counters_to_purge on budget_counters (limit_id, ends_at, id) where summed_up_at is null;

-- The counters that went, by limit and the day on which their windows ended. Written by purge_counters alone.
create table purged_counters (
  limit_id uuid not null references budget_limits,
  -- in UTC
  ended_on date not null,
  organization_id uuid not null,
  counters bigint not null,
  settled numeric(38, 0) not null,
  -- of one counter
  most_settled numeric(38, 0) not null,
  overrun numeric(38, 0) not null,
  log_entries bigint not null,
  purged_at timestamptz not null,
  primary key (limit_id, ended_on)
);
grant select on purged_counters to turnpike_writer, turnpike_reader;
alter table purged_counters enable row level security;
create policy writer_all on purged_counters to turnpike_writer using (true) with check (true);
create policy reader_own on purged_counters for select to turnpike_reader
  using (organization_id = nullif(current_setting('turnpike.organization_id', true), '')::uuid);

-- All entries up to it: its amount is what they come to. The log of a counter may begin with one, at whatever version.
alter type lease_log_kind add value 'summary';

-- Nobody has the right to delete from the log but its owner, and the owner does so here alone.
drop trigger forbid_change on lease_log;
create trigger forbid_change before update on lease_log for each row execute function forbid_change();
create trigger forbid_delete before delete on lease_log for each row
  when (current_setting('turnpike.purging', true) is distinct from 'on') execute function forbid_change();
alter table lease_log enable always trigger forbid_change;
alter table lease_log enable always trigger forbid_delete;

-- Of these counters, those of which all is said. A lease that a lost proxy left open with nothing in it has nothing to say.
create function purgeable_counters(ids uuid[]) returns setof uuid language sql stable set search_path = public, pg_temp as $$
  with lease as (
    select counter_id, coalesce(granted - returned, 0) as room, coalesce(posted, 0) as posted,
      leases.node_id is not null and closed_at is null and lost_at is null as lives
    from (select * from leases where counter_id = any (ids)) as leases
      full join (select * from lease_postings where counter_id = any (ids)) as lease_postings using (counter_id, node_id, epoch)
      left join lease_nodes on lease_nodes.id = leases.node_id
  ), summed as (
    select counter_id, sum(room) - sum(posted) as unposted, bool_or(lives) as lives, max(room - posted) as held from lease group by counter_id
  )
  select id from budget_counters left join summed on summed.counter_id = id left join counter_totals on counter_totals.counter_id = id
  where id = any (ids) and not coalesce(lives, false) and coalesce(held, 0) <= 0 and committed <= cap
    and committed = coalesce(unposted, 0) + coalesce(settled, 0) - coalesce(excess, 0) - aged_debit
$$;

-- Makes the first entries of a counter's log, `most` at once, one. done: that is all of it; part: there are more; broken: they do not add up, or not
-- to what is committed: nothing was changed.
create function summarize_lease_log(my_counter uuid, most integer) returns text language plpgsql set search_path = public, pg_temp as $$
declare
  counter budget_counters;
  part record;
  latest lease_log;
begin
  select * into strict counter from budget_counters where id = my_counter;
  select count(*) as entries, coalesce(max(version), 0) as last, coalesce(bool_and(committed = sum and committed <= cap and follows), true) as sound
    into part
    from (
      select version, committed, cap, sum(amount) over in_order as sum,
        version = 1 or coalesce(lag(version) over in_order = version - 1, kind::text = 'summary') as follows
      from (select * from lease_log where counter_id = my_counter order by version limit most) as first_entries
      window in_order as (order by version)
    ) as proved;
  select * into latest from lease_log where counter_id = my_counter and version = part.last;
  if not part.sound or part.last > counter.version
    or part.entries < most and (part.last, coalesce(latest.committed, 0)) <> (counter.version, counter.committed) then
    return 'broken';
  end if;
  if part.entries > 1 then
    delete from lease_log where counter_id = my_counter and version <= part.last;
    insert into lease_log (counter_id, version, organization_id, kind, amount, committed, cap, recorded_at)
      values (my_counter, latest.version, latest.organization_id, 'summary', latest.committed, latest.committed, latest.cap, latest.recorded_at);
  end if;
  return case when part.entries < most then 'done' else 'part' end;
end $$;

-- Purges counters of a limit, the longest over first, from a place on (`-infinity` and nil at first). It waits for nobody: what somebody has in hand is
-- passed over until the next time, and so is everything while another purges, or the database is restored. `next_end`, `next_id`: from where to go
-- on; null: that is all. `most_entries` of the log in one transaction; a longer one is summed up in parts.
create function purge_counters(of_limit uuid, after_end timestamptz, after_id uuid, most integer, most_entries integer,
  out removed integer, out summed_up integer, out next_end timestamptz, out next_id uuid)
language plpgsql security definer set search_path = public, pg_temp set turnpike.purging = 'on' as $$
declare
  at constant timestamptz := lease_now();
  is_rate_limit boolean;
  candidates uuid[];
  ids uuid[];
  goes uuid[];
  counter record;
  so_far text;
begin
  removed := 0;
  summed_up := 0;
  if not pg_try_advisory_xact_lock(hashtextextended('purge_counters', 0)) or (lease_notice_restore(0)).reconciling_since is not null then return; end if;
  perform from lease_generation where reconciling_since is null for share skip locked;
  if not found then return; end if;
  select exists (select from rate_limits where rate_limits.id = budget_id) into is_rate_limit from budget_limits where id = of_limit;

  -- Of the longest logs, at least one.
  select array_agg(id order by over, id), (array_agg(over order by over desc, id desc))[1], (array_agg(id order by over desc, id desc))[1]
    into candidates, next_end, next_id
    from (
      select id, over, sum(version) over (order by over, id) - version as entries_before from (
        (select id, ends_at as over, version from budget_counters
          where limit_id = of_limit and summed_up_at is null and (ends_at, id) > (after_end, after_id)
            and ends_at <= at - case when is_rate_limit then short_counter_age() else counter_detail_age() end
            and (is_rate_limit and ends_at - starts_at <= interval '1 hour' or ends_at <= at - counter_detail_age())
          order by ends_at, id limit most)
        union all
        (select budget_counters.id, 'infinity', budget_counters.version from budget_counters join budget_limits on budget_limits.id = limit_id
          where limit_id = of_limit and summed_up_at is null and ends_at is null and ('infinity', budget_counters.id) > (after_end, after_id)
            and coalesce(budget_counters.sealed_at, budget_limits.sealed_at) <= at - counter_detail_age()
          order by budget_counters.id limit most)
      ) as over_counters order by over, id limit most
    ) as bounded
    where entries_before < most_entries;
  if candidates is null then return; end if;

  -- In the order in which posting takes them.
  with free as materialized (
    select counter_id from lease_postings where counter_id = any (candidates) for update skip locked
  ) select array_agg(id) into ids from unnest(candidates) as id
    where (select count(*) from lease_postings where counter_id = id) = (select count(*) from free where counter_id = id);
  with free as materialized (
    select counter_id from counter_totals where counter_id = any (ids) for update skip locked
  ) select array_agg(id) into ids from unnest(ids) as id
    where exists (select from free where counter_id = id) or not exists (select from counter_totals where counter_id = id);
  -- Whoever writes a lease has its counter locked.
  ids := array(select id from budget_counters where id = any (ids) for update skip locked);
  ids := array(select * from purgeable_counters(ids));

  if is_rate_limit then
    -- Those that their log proves.
    select array_agg(id) into goes from budget_counters cross join lateral (
        select count(*) as entries, coalesce(sum(amount), 0) as sum, coalesce(bool_and(committed = sum_so_far and committed <= cap), true) as sound
        from (
          select amount, committed, cap, sum(amount) over (order by version) as sum_so_far from lease_log where counter_id = budget_counters.id
        ) as entry
      ) as log
      where id = any (ids) and ends_at - starts_at <= interval '1 hour' and sound and (committed, version) = (log.sum, entries);
    insert into purged_counters as known (limit_id, ended_on, organization_id, counters, settled, most_settled, overrun, log_entries, purged_at)
      select limit_id, (ends_at at time zone 'UTC')::date, counter_states.organization_id, count(*), sum(settled), max(settled), sum(overrun),
        sum(counter_states.version), at
      from counter_states where id = any (goes) group by 1, 2, 3
      on conflict (limit_id, ended_on) do update set counters = known.counters + excluded.counters, settled = known.settled + excluded.settled,
        most_settled = greatest(known.most_settled, excluded.most_settled), overrun = known.overrun + excluded.overrun,
        log_entries = known.log_entries + excluded.log_entries, purged_at = excluded.purged_at;
    delete from lease_log where counter_id = any (goes);
    delete from leases where counter_id = any (goes);
    delete from lease_postings where counter_id = any (goes);
    delete from counter_totals where counter_id = any (goes);
    delete from budget_counters where id = any (goes);
    get diagnostics removed = row_count;
  end if;

  for counter in
    select id, coalesce(ends_at, 'infinity') as over from budget_counters
    where id = any (ids) and not (is_rate_limit and coalesce(ends_at - starts_at <= interval '1 hour', false)) order by 2, 1
  loop
    so_far := summarize_lease_log(counter.id, most_entries);
    if so_far = 'part' then
      -- The rest of it is next.
      next_end := after_end;
      next_id := after_id;
      return;
    end if;
    after_end := counter.over;
    after_id := counter.id;
    continue when so_far = 'broken';
    -- A lease with more posted than its room stays as it is: it is an overrun, and whose.
    with done as materialized (
      select node_id, epoch from leases left join lease_postings using (counter_id, node_id, epoch)
      where counter_id = counter.id and granted - returned = coalesce(posted, 0)
    ), posted as (
      delete from lease_postings using done where counter_id = counter.id and (lease_postings.node_id, lease_postings.epoch) = (done.node_id, done.epoch)
    ) delete from leases using done where counter_id = counter.id and (leases.node_id, leases.epoch) = (done.node_id, done.epoch);
    update budget_counters set summed_up_at = at where id = counter.id;
    summed_up := summed_up + 1;
  end loop;
end $$;

-- Buckets of rolling windows that nothing reads any more: what was in them is in the counter.
create function purge_buckets(of_limit uuid, most integer) returns integer
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  removed integer;
begin
  delete from counter_buckets where ctid = any (array(
    select counter_buckets.ctid from budget_counters join counter_buckets on counter_id = id and began_at < folded_until
    where limit_id = of_limit and window_seconds is not null limit most for update of counter_buckets skip locked));
  get diagnostics removed = row_count;
  return removed;
end $$;

-- As before, but the log may begin with a summary, at whatever version.
create or replace function lease_check(with_log boolean, above uuid default '00000000-0000-0000-0000-000000000000',
  upto uuid default 'ffffffff-ffff-ffff-ffff-ffffffffffff')
returns table (kind text, counter_id uuid, found jsonb) language sql stable
begin atomic
  with lease as (
    select coalesce(granted - returned, 0) as room, coalesce(posted, 0) as posted, counter_id
    from (select * from leases where counter_id > above and counter_id <= upto) as leases
      full join (select * from lease_postings where counter_id > above and counter_id <= upto) as lease_postings
        using (counter_id, node_id, epoch)
  ), summed as (
    select lease.counter_id, sum(room) as rooms, sum(posted) as postings, sum(greatest(room - posted, 0)) as held,
      sum(greatest(posted - room, 0)) as uncovered
    from lease group by lease.counter_id
  ), counter as (
    select id, committed, cap, coalesce(settled, 0) - aged_debit - aged_excess as settled, coalesce(held, 0) as held,
      coalesce(excess, 0) - aged_excess + coalesce(uncovered, 0) as overrun,
      coalesce(rooms, 0) - (coalesce(postings, 0) + coalesce(excess, 0) - coalesce(settled, 0)) - aged_debit as expected
    from budget_counters left join summed on summed.counter_id = id left join counter_totals on counter_totals.counter_id = id
    where id > above and id <= upto
  )
  select problem.kind, id, jsonb_build_object('settled', settled::text, 'held', held::text, 'overrun', overrun::text,
      'committed', committed::text, 'expected', expected::text, 'cap', cap::text)
    from counter, unnest(array[
      case when settled + held <> committed + overrun then 'identity' end,
      case when committed <> expected then 'committed' end,
      case when committed > cap then 'cap' end]) as problem (kind)
    where problem.kind is not null
  union all
  select 'log', folded.id, jsonb_build_object('committed', committed::text, 'sum', sum::text, 'version', folded.version, 'entries', entries, 'last', last)
    from (
      select id, budget_counters.version, budget_counters.committed, count(lease_log.version) as entries, coalesce(max(lease_log.version), 0) as last,
        coalesce(sum(lease_log.amount), 0) as sum,
        coalesce(max(lease_log.version) filter (where kind::text = 'summary'), 1) as first
      from budget_counters left join lease_log on lease_log.counter_id = id
      where with_log and id > above and id <= upto
      group by id
    ) as folded
    where entries <> folded.version - first + 1 or last <> folded.version or sum <> committed
  union all
  select 'entry', entry.counter_id, jsonb_build_object('version', entry.version, 'committed', committed::text, 'sum', sum::text, 'cap', cap::text)
    from (
      select lease_log.counter_id, lease_log.version, lease_log.committed, lease_log.cap,
        sum(lease_log.amount) over (partition by lease_log.counter_id order by lease_log.version) as sum
      from lease_log
      where with_log and lease_log.counter_id > above and lease_log.counter_id <= upto
    ) as entry
    where committed <> sum or committed > cap;
end;

-- As before, but nothing that was purged comes back: neither a counter, nor what was held of one before it was summed up.
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
      and not (ends_at - starts_at <= interval '1 hour' and ends_at <= lease_now() - short_counter_age()
        and exists (select from rate_limits where rate_limits.id = budget_id))
    order by counter on conflict do nothing returning id
  ) select array_agg(id) into fresh from opened;
  if fresh is not null then perform lease_adopt(fresh); end if;
  perform from budget_counters order by id for no key update;

  for report in
    select node_id, torn, counter, epoch, granted::numeric, returned::numeric, final::numeric, organization_id
    from lease_reports, jsonb_to_recordset(leases) as told (counter uuid, epoch bigint, granted text, returned text, final text)
      join budget_counters on budget_counters.id = counter and summed_up_at is null
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

-- As before, with one table more.
create or replace function lease_take_over(into_table text, moved_rows text[]) returns void
language plpgsql security definer set search_path = public, pg_temp as $$
begin
  if into_table <> all (array['lease_nodes', 'budget_counters', 'leases', 'lease_log', 'lease_postings', 'counter_totals', 'counter_buckets', 'lease_reports',
    'purged_counters']) then
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

revoke execute on function purgeable_counters, summarize_lease_log, purge_counters, purge_buckets from public;
grant execute on function purge_counters, purge_buckets to turnpike_writer;
