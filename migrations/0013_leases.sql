-- Leases of enforced budgets: settled + held <= limit, with any number of proxies and no network hop per request.
--
-- Written by leasing: lease_generation, lease_nodes, budget_counters, leases, lease_log. Written by posting alone: lease_postings,
-- counter_totals, counter_buckets. Nobody writes them but the functions below, which act as their owner; each is one round trip, for
-- READ COMMITTED. Locks are taken in one order everywhere, so that no two can wait for each other: lease_generation, the node's own row,
-- budget_limits, what posting writes (each in the order of its key), budget_counters by id, leases. Leasing locks nothing that posting writes,
-- but where it makes a counter (lease_adopt).

-- The one clock of all of this. A function, so that a test can say what time it is.
create function lease_now() returns timestamptz language sql volatile parallel safe return clock_timestamp();

-- Which database this is. A restored or failed-over one runs on another timeline or under another identifier, and grants nothing until
-- every node has told what it holds. Reading the identifier costs 75 microseconds, so it is read once for each start of the server.
create table lease_generation (
  "only" boolean primary key default true check ("only"),
  generation bigint not null,
  timeline text not null,
  system_identifier bigint not null,
  server_started_at timestamptz not null,
  reconciling_since timestamptz
);

-- One proxy process with one spool folder. It serves all organizations and belongs to none.
create table lease_nodes (
  id uuid primary key,
  epoch bigint not null check (epoch > 0),
  incarnation text not null,
  beat bigint not null default 0,
  -- of the beat taken last: its repetition is told from the beat of a copy
  nonce text,
  seen_at timestamptz not null,
  lost_at timestamptz
) with (fillfactor = 50);

create table budget_limits (
  id uuid primary key,
  organization_id uuid not null references organizations,
  budget_id uuid not null,
  unit text not null check (unit in ('usd', 'tokens', 'requests')),
  -- pico-USD, tokens or requests
  amount numeric(38, 0) not null check (amount >= 0),
  window_kind text not null check (window_kind in ('minute', 'hour', 'day', 'week', 'month', 'quarter', 'year', 'rolling', 'lifetime')),
  -- IANA name; in its local time are the anchor and the calendar
  window_zone text not null default 'UTC' check (window_zone ~ '^[A-Za-z][A-Za-z0-9_+-]*(/[A-Za-z0-9_+-]+)*$'),
  -- a moment at which a window begins, in local time: a Monday, and the first day of a year
  window_anchor text not null default '2001-01-01T00:00:00' check (window_anchor ~ '^(19[789]|20\d)\d-\d\d-\d\dT\d\d:\d\d:\d\d$'),
  -- of a rolling window, which leaves in sixtieths
  window_seconds bigint check (window_seconds between 60 and 366 * 86400 and window_seconds % 60 = 0),
  -- grows with a reset or a change of the window: counters of an earlier one keep what they have
  segment integer not null default 0,
  -- grows with each change of amount
  version integer not null default 1,
  updated_at timestamptz not null default lease_now(),
  sealed_at timestamptz,
  -- a temporary raise on top of `amount`; it ends by the database's clock, as windows do: no process has to be there
  raised numeric(38, 0) not null default 0 check (raised >= 0),
  raised_until timestamptz,
  check ((window_kind = 'rolling') = (window_seconds is not null)),
  check ((raised > 0) = (raised_until is not null))
);
create index budget_limits_of_budget on budget_limits (budget_id);

-- One limit x window x group value. The id is a function of the three (budget_counter_id), so that a counter which a restore forgot comes
-- back under the id that leases and events name.
create table budget_counters (
  id uuid primary key,
  organization_id uuid not null,
  limit_id uuid not null references budget_limits,
  window_key text not null,
  group_key varchar(512) not null,
  -- null: such a window has no beginning or no end
  starts_at timestamptz,
  ends_at timestamptz,
  -- settled + held - overrun: only a grant raises it
  committed numeric(38, 0) not null default 0,
  -- the limit at the last grant
  cap numeric(38, 0) not null,
  -- of the last row of lease_log: dense
  version bigint not null default 0,
  wanted_at timestamptz,
  sealed_at timestamptz,
  -- Rolling only. Buckets that began before aged_until have left the window, and with them aged_*. Those before folded_until held folded_*;
  -- the span between is added up again each time, so that what a slow transaction posts into a bucket that has left is taken off as well.
  window_seconds bigint,
  aged_until timestamptz,
  aged_debit numeric(38, 0) not null default 0,
  aged_excess numeric(38, 0) not null default 0,
  folded_until timestamptz,
  folded_debit numeric(38, 0) not null default 0,
  folded_excess numeric(38, 0) not null default 0,
  unique (limit_id, window_key, group_key),
  constraint committed_within_cap check (committed <= cap)
) with (fillfactor = 50);

-- What a node was given of a counter. Facts only grow, so that late, repeated and reordered messages come to the same.
create table leases (
  counter_id uuid not null references budget_counters,
  node_id uuid not null references lease_nodes,
  epoch bigint not null,
  organization_id uuid not null,
  granted numeric(38, 0) not null default 0,
  returned numeric(38, 0) not null default 0,
  -- of the room of a torn spool: neither spent nor free for all that is known
  unproven numeric(38, 0) not null default 0,
  granted_at timestamptz,
  closed_at timestamptz,
  -- why it was closed
  cause text,
  primary key (counter_id, node_id, epoch),
  -- and so `returned` is at most `granted`
  check (returned >= 0 and unproven >= 0 and unproven <= granted - returned)
) with (fillfactor = 50);
create index leases_open on leases (node_id, epoch) where closed_at is null;
create index leases_unproven on leases (node_id) where unproven > 0;

-- A type, and no check: PostgreSQL reads the text of a check anew in each statement.
create type lease_log_kind as enum ('grant', 'return', 'close', 'credit', 'age', 'release', 'reconcile');

-- Every change of `committed`, in the counter's own order: adding up `amount` gives `committed`, which is never above `cap`.
create table lease_log (
  counter_id uuid not null,
  version bigint not null,
  organization_id uuid not null,
  kind lease_log_kind not null,
  node_id uuid,
  epoch bigint,
  amount numeric(38, 0) not null,
  committed numeric(38, 0) not null,
  cap numeric(38, 0) not null,
  cause text,
  recorded_at timestamptz not null default clock_timestamp(),
  primary key (counter_id, version)
);
create trigger forbid_change before update or delete on lease_log for each row execute function forbid_change();
create trigger forbid_truncate before truncate on lease_log for each statement execute function forbid_change();
alter table lease_log enable always trigger forbid_change;
alter table lease_log enable always trigger forbid_truncate;

-- Debits by lease. An event may name a lease that is closed, lost or unknown: it is posted all the same, hence no references.
create table lease_postings (
  counter_id uuid not null,
  node_id uuid not null,
  epoch bigint not null,
  organization_id uuid not null,
  posted numeric(38, 0) not null,
  primary key (counter_id, node_id, epoch)
) with (fillfactor = 50);

create table counter_totals (
  counter_id uuid primary key,
  organization_id uuid not null,
  -- cost, as the ledger rates it
  settled numeric(38, 0) not null,
  -- the part of it that no debit covered
  excess numeric(38, 0) not null
) with (fillfactor = 50);

-- Rolling windows: what was posted from began_at on, for a sixtieth of the window, by the database's clock at posting.
create table counter_buckets (
  counter_id uuid not null,
  began_at timestamptz not null,
  organization_id uuid not null,
  -- without what was credited
  debit numeric(38, 0) not null,
  excess numeric(38, 0) not null,
  primary key (counter_id, began_at)
) with (fillfactor = 50);

-- What nodes told of their leases since the database was restored, one row a node, until all of it is applied at once.
create table lease_reports (
  node_id uuid primary key references lease_nodes,
  -- [{counter, limit, window_key, group, starts_at, ends_at, epoch, granted, returned, final}], amounts as text; final null = open
  leases jsonb not null,
  -- older epochs whose spool lost its end
  torn bigint[] not null
);

-- The first instant at which the clocks of a zone show a local time; a local time that a change skips counts by the offset before the
-- change (RFC 5545, section 3.3.5). PostgreSQL itself takes the second of two.
create function first_instant(wall timestamp, zone text) returns timestamptz
language plpgsql stable strict parallel safe set search_path = public, pg_temp as $$
declare
  later timestamptz := wall at time zone zone;
  day_before timestamptz := later - interval '24 hours';
  earlier timestamptz := (wall - (day_before at time zone zone - day_before at time zone 'UTC')) at time zone 'UTC';
begin
  return case when earlier < later and earlier at time zone zone = wall then earlier else later end;
end $$;

-- The window of a calendar that an instant is in. Minutes and hours are counted as time that passes, so that none is longer or shorter than
-- another; days and more by the local calendar, from the anchor on: the nth begins at anchor + n periods, on the last day of a month
-- that is too short. Windows follow one another without gap or overlap. Rolling and lifetime: no beginning and no end.
create function budget_window(kind text, zone text, anchor timestamp, at timestamptz, out starts_at timestamptz, out ends_at timestamptz)
language plpgsql stable strict parallel safe set search_path = public, pg_temp as $$
declare
  months constant integer := case kind when 'month' then 1 when 'quarter' then 3 when 'year' then 12 end;
  period constant interval := case kind when 'minute' then interval '1 minute' when 'hour' then interval '1 hour'
    when 'day' then interval '1 day' when 'week' then interval '7 days' else make_interval(months => months) end;
  wall constant timestamp := at at time zone zone;
  n integer;
begin
  if kind in ('rolling', 'lifetime') then
    return;
  elsif kind in ('minute', 'hour') then
    starts_at := date_bin(period, at, first_instant(anchor, zone));
    ends_at := starts_at + period;
    return;
  elsif months is null then
    n := floor(extract(epoch from wall - anchor) / extract(epoch from period));
  else
    n := floor(((extract(year from wall) - extract(year from anchor)) * 12 + extract(month from wall) - extract(month from anchor)) / months);
  end if;
  -- The guess is off by one where the anchor is within a month or day, or a change of clocks near it.
  starts_at := first_instant(anchor + n * period, zone);
  while starts_at > at loop
    n := n - 1;
    starts_at := first_instant(anchor + n * period, zone);
  end loop;
  ends_at := first_instant(anchor + (n + 1) * period, zone);
  while ends_at <= at loop
    n := n + 1;
    starts_at := ends_at;
    ends_at := first_instant(anchor + (n + 1) * period, zone);
  end loop;
end $$;

-- What a window is called within its limit.
create function budget_window_key(segment integer, kind text, starts_at timestamptz) returns text
language sql immutable parallel safe
return segment || ':' || kind || coalesce(':' || to_char(starts_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'), '');

-- A UUID of version 8 that the same three always give.
create function budget_counter_id(limit_id uuid, window_key text, group_key text) returns uuid
language sql immutable parallel safe
return overlay(overlay(
  left(encode(sha256(convert_to(limit_id || '/' || window_key || '/' || group_key, 'UTF8')), 'hex'), 32)
  placing '8' from 13) placing '8' from 17)::uuid;

-- A limit that PostgreSQL cannot compute the window of must not come in: asking for it would fail, and every ask beside it.
create function check_budget_window() returns trigger language plpgsql set search_path = public, pg_temp as $$
begin
  perform budget_window(new.window_kind, new.window_zone, new.window_anchor::timestamp, now());
  return new;
end $$;
create trigger check_budget_window before insert or update of window_kind, window_zone, window_anchor on budget_limits
  for each row execute function check_budget_window();

-- What may be committed at a moment.
create function budget_amount(amount numeric, raised numeric, raised_until timestamptz, at timestamptz) returns numeric
language sql immutable parallel safe
return amount + case when raised_until > at then raised else 0 end;

-- The end of a raise is a change that nobody writes down, so it counts as one; a new raise, or the end of one by a person, takes `version` two further.
create function budget_version(version integer, raised_until timestamptz, at timestamptz) returns integer
language sql immutable parallel safe
return version + coalesce(raised_until <= at, false)::integer;

-- A node that has not been seen for this long is granted nothing.
create function lease_node_ttl() returns interval language sql immutable parallel safe return interval '300 seconds';
-- How long before another machine or another boot may take its spool over.
create function lease_takeover_wait() returns interval language sql immutable parallel safe return interval '360 seconds';
-- How long holders are told that somebody came up short.
create function lease_scarce() returns interval language sql immutable parallel safe return interval '30 seconds';

-- Every lease with what follows from its row and its postings. A posting without a lease is one of which the database has lost the grant.
create view lease_states with (security_invoker = true) as
  select counter_id, node_id, epoch, organization_id, granted, returned, granted - returned as room, posted, held,
    case when lost_at is not null then held else least(held, unproven) end as lost,
    greatest(posted - (granted - returned), 0) as uncovered, unproven, granted_at, closed_at, cause,
    case
      when held > 0 and lost_at is not null then 'lost'
      when held > 0 and unproven > 0 then 'unproven'
      when held > 0 and closed_at is not null then 'closed'
      when closed_at is not null then 'done'
      when seen_at < lease_now() - lease_node_ttl() then 'silent'
      when wanted_at > lease_now() - lease_scarce() then 'recalled'
      else 'open'
    end as state
  from (
    select leases.*, coalesce(posted, 0) as posted, greatest(granted - returned - coalesce(posted, 0), 0) as held, lost_at, seen_at, wanted_at
    from leases left join lease_postings
        on (lease_postings.counter_id, lease_postings.node_id, lease_postings.epoch) = (leases.counter_id, leases.node_id, leases.epoch)
      join lease_nodes on lease_nodes.id = leases.node_id join budget_counters on budget_counters.id = leases.counter_id
  ) as known
  union all
  select counter_id, node_id, epoch, organization_id, 0, 0, 0, posted, 0, 0, posted, 0, null, null, null, 'done'
  from lease_postings where not exists (
    select from leases
    where (leases.counter_id, leases.node_id, leases.epoch) = (lease_postings.counter_id, lease_postings.node_id, lease_postings.epoch));

-- Every counter: settled + held = committed + overrun, and committed = expected, at any moment. Of a rolling window, settled and overrun are
-- without what has left it by the last ask.
create view counter_states with (security_invoker = true) as
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

-- Whether this is the server, and the run of it, that wrote these down.
create function lease_same_server(timeline text, started_at timestamptz) returns boolean language sql volatile
return timeline = left(pg_walfile_name(pg_current_wal_lsn()), 8) and started_at = pg_postmaster_start_time();

-- generation + 1 where the server, or what a node presents, shows that the database is not the one that was written to last: it was restored,
-- or another took over. `proven`: the caller has other proof that generation `presented` has lost something.
create function lease_notice_restore(presented bigint, proven boolean default false) returns lease_generation
language plpgsql set search_path = public, pg_temp as $$
declare
  known lease_generation;
  timeline_now text;
  identifier_now bigint;
begin
  select * into strict known from lease_generation;
  if lease_same_server(known.timeline, known.server_started_at) and presented <= known.generation and not proven then return known; end if;
  timeline_now := left(pg_walfile_name(pg_current_wal_lsn()), 8);
  select * into strict known from lease_generation for update;
  select system_identifier into strict identifier_now from pg_control_system();
  if known.timeline = timeline_now and known.system_identifier = identifier_now and presented <= known.generation
    and not (proven and presented = known.generation and known.reconciling_since is null) then
    update lease_generation set server_started_at = pg_postmaster_start_time() where server_started_at <> pg_postmaster_start_time();
    return known;
  end if;
  -- Above both, since the stored number comes out of the backup.
  update lease_generation set generation = greatest(generation, presented) + 1, timeline = timeline_now, system_identifier = identifier_now,
    server_started_at = pg_postmaster_start_time(), reconciling_since = lease_now() returning * into known;
  delete from lease_reports;
  -- What a backup says of a node's silence is from before, and somebody may wait for it to take the spool over.
  update lease_nodes set seen_at = greatest(seen_at, lease_now());
  return known;
end $$;

-- Moves `committed`, with the row of the log that says why. The counter is locked by now.
create function lease_move(my_counter uuid, my_kind lease_log_kind, my_node uuid, my_epoch bigint, change numeric, my_cause text,
  new_cap numeric default null) returns void language plpgsql set search_path = public, pg_temp as $$
declare
  moved record;
begin
  -- What a register or a reconciliation finds spent may be more than was ever granted here.
  update budget_counters set committed = committed + change, version = version + 1, cap = coalesce(new_cap, greatest(cap, committed + change))
    where id = my_counter returning version, organization_id, committed, cap into strict moved;
  insert into lease_log (counter_id, version, organization_id, kind, node_id, epoch, amount, committed, cap, cause)
    values (my_counter, moved.version, moved.organization_id, my_kind, my_node, my_epoch, change, moved.committed, moved.cap, my_cause);
end $$;

-- Takes off committed and overrun what is in buckets that are wholly older than the window. The counter is locked by now.
create function lease_age(my_counter uuid) returns void language plpgsql set search_path = public, pg_temp as $$
declare
  counter budget_counters;
  until timestamptz;
  fold timestamptz;
  debits numeric;
  excesses numeric;
begin
  select * into counter from budget_counters where id = my_counter;
  until := date_bin(make_interval(secs => counter.window_seconds / 60), lease_now() - make_interval(secs => counter.window_seconds), 'epoch');
  if counter.window_seconds is null or until <= counter.aged_until then return; end if;
  select counter.folded_debit + coalesce(sum(debit), 0) - counter.aged_debit, counter.folded_excess + coalesce(sum(excess), 0) - counter.aged_excess
    into debits, excesses
    from counter_buckets where counter_id = my_counter and began_at >= counter.folded_until and began_at < until;
  fold := greatest(counter.folded_until, until - make_interval(secs => 2 * counter.window_seconds));
  -- Not with every bucket: 4 windows are looked through at the most.
  if until - counter.folded_until < make_interval(secs => 4 * counter.window_seconds) then fold := counter.folded_until; end if;
  update budget_counters set aged_until = until, aged_debit = aged_debit + debits, aged_excess = aged_excess + excesses, folded_until = fold,
    folded_debit = folded_debit + old.debit, folded_excess = folded_excess + old.excess
    from (select coalesce(sum(debit), 0) as debit, coalesce(sum(excess), 0) as excess from counter_buckets
      where counter_id = my_counter and began_at >= counter.folded_until and began_at < fold) as old
    where id = my_counter;
  if debits <> 0 then perform lease_move(my_counter, 'age', null, null, -debits, null); end if;
end $$;

-- What was posted on counters that are new here, since a restore forgot them: it leaves a rolling window from now on, and credits count.
-- Who is posting on one at this moment is waited for, or waits for its total and then finds the counter. No counter that is known to others
-- may be locked by now, since posting locks those after its totals.
create function lease_adopt(fresh uuid[]) returns void language plpgsql set search_path = public, pg_temp as $$
declare
  credited record;
begin
  insert into counter_totals (counter_id, organization_id, settled, excess)
    select id, organization_id, 0, 0 from budget_counters where id = any (fresh) order by id on conflict do nothing;
  insert into counter_buckets (counter_id, began_at, organization_id, debit, excess)
    select id, date_bin(make_interval(secs => window_seconds / 60), lease_now(), 'epoch'), counter_totals.organization_id, settled - excess, excess
    from budget_counters join counter_totals on counter_id = id where id = any (fresh) and window_seconds is not null order by id
    on conflict (counter_id, began_at) do update set debit = counter_buckets.debit + excluded.debit, excess = counter_buckets.excess + excluded.excess;
  for credited in select id, expected from counter_states where id = any (fresh) and expected <> 0 order by id loop
    perform lease_move(credited.id, 'credit', null, null, credited.expected, 'posted before');
  end loop;
end $$;

create type lease_answer as (
  -- answered; fenced: this epoch may not be granted anything, nothing was added; reconciling: the same, and no figure here is to be believed
  status text,
  generation bigint,
  -- which of the items, from 1
  item integer,
  -- granted; held: an earlier answer was lost, adopt `granted`; short: less than `need` is left, the others are recalled; withheld: another
  -- item of the ask was short or gone; gone: window over, sealed, lease closed or limit unknown: drop the room, settle what runs
  outcome text,
  counter_id uuid,
  window_key text,
  starts_at timestamptz,
  ends_at timestamptz,
  -- cumulative, of this node and epoch
  granted numeric,
  amount numeric,
  limit_version integer,
  -- what could still be granted to somebody
  rest numeric,
  -- where short: amount - settled, and what of the held will not come back within seconds
  unsettled numeric,
  stuck numeric,
  -- null: no end
  ends_in_ms bigint,
  opens_in_ms bigint
);

-- Asks for room, of up to as many counters as the arrays have places: the only statement that raises `committed` of a counter that is guarded.
-- `counters`: what `known` is about; null where the node has none yet: then the window is computed, with `nexts` the one after it.
-- `live`: how many nodes share. `all_or_none`: with one short or gone, none is granted. An ask that adds nothing writes no log.
create function lease_ask(my_node uuid, my_epoch bigint, my_generation bigint, limits uuid[], groups text[], counters uuid[], nexts boolean[],
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

-- The sums that leases gave back: a repetition adds nothing, a late one is overtaken. Also of a node that is called lost or silent.
-- returned: the row has at least this; gone: no such lease, or closed, its final sum was the last word; forgotten: more than was ever
-- granted, so the database was restored, which the next ask or beat proves.
create function lease_return_all(my_node uuid, my_epoch bigint, counters uuid[], sums numeric[])
returns table (item integer, counter_id uuid, outcome text, granted numeric, returned numeric)
language plpgsql set search_path = public, pg_temp as $$
#variable_conflict use_column
declare
  lease record;
begin
  perform from budget_counters where id = any (counters) order by id for no key update;
  for i in 1 .. cardinality(counters) loop
    select leases.granted, leases.returned, closed_at into lease
      from leases where leases.counter_id = counters[i] and node_id = my_node and epoch = my_epoch;
    item := i;
    counter_id := counters[i];
    granted := coalesce(lease.granted, 0);
    returned := coalesce(lease.returned, 0);
    outcome := case when lease.granted is null or lease.closed_at is not null then 'gone' when sums[i] > lease.granted then 'forgotten'
      else 'returned' end;
    if outcome = 'returned' and sums[i] > lease.returned then
      update leases set returned = sums[i] where leases.counter_id = counters[i] and node_id = my_node and epoch = my_epoch;
      perform lease_move(counters[i], 'return', my_node, my_epoch, lease.returned - sums[i], null);
      returned := sums[i];
    end if;
    return next;
  end loop;
end $$;

-- One row an item; while reconciling a single row with no item: nothing was applied, the owner repeats it.
create function lease_return(my_node uuid, my_epoch bigint, counters uuid[], sums numeric[])
returns table (status text, generation bigint, item integer, counter_id uuid, outcome text, granted numeric, returned numeric)
language plpgsql security definer set search_path = public, pg_temp as $$
#variable_conflict use_column
declare
  present constant lease_generation := lease_notice_restore(0);
begin
  if present.reconciling_since is not null then
    return query select 'reconciling', present.generation, null::integer, null::uuid, null::text, null::numeric, null::numeric;
  else
    return query select 'answered', present.generation, each.* from lease_return_all(my_node, my_epoch, counters, sums) as each;
  end if;
end $$;

-- A sign of life, each second. taken: `beat` is one more; copied: another incarnation, a younger epoch or a copy of this one has the node:
-- exit; forgotten: the database knows less than the beat says: it was restored, report. Where taken, one row for each lease of the epoch of
-- which something changed since `since` (`as_of` of an earlier answer; null: all), else one row without a lease.
create function lease_beat(my_node uuid, my_epoch bigint, my_incarnation text, my_generation bigint, my_beat bigint, my_nonce text,
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

-- What a lease is once its owner has said what it spent in all; after a torn spool the rest of its room is neither spent nor free.
create function lease_closed(granted numeric, returned numeric, final numeric, torn boolean, out new_granted numeric, out new_returned numeric,
  out new_unproven numeric) language sql immutable
begin atomic
  select greatest(granted, final), case when torn then least(returned, greatest(granted, final) - final) else greatest(granted, final) - final end,
    case when torn then greatest(granted, final) - least(returned, greatest(granted, final) - final) - final else 0 end;
end;

-- Applies what all nodes have reported, in one transaction: node by node would put new room of one beside old room of another. It waits until
-- every node, known by its row or by its postings, has reported or is declared lost. lease_generation is locked by now.
create function lease_resume() returns boolean language plpgsql set search_path = public, pg_temp as $$
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

-- A node's side of the books, asked for while reconciling: its open leases, and the finals of older epochs that its spool remembers.
-- staged: kept, others are missing; resumed: it was the last, grants go on; settled: there is nothing to reconcile; stale: made for an older
-- generation, report again; superseded: a younger epoch or another incarnation has the node: exit. `next_beat`: what it beats next.
create function lease_report(my_node uuid, my_epoch bigint, my_incarnation text, my_generation bigint, next_beat bigint, reported jsonb,
  torn bigint[], out status text, out generation bigint)
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  present lease_generation := lease_notice_restore(my_generation);
begin
  select * into strict present from lease_generation for update;
  generation := present.generation;
  status := case
    when my_generation < present.generation then 'stale'
    when exists (select from lease_nodes where id = my_node and (epoch > my_epoch or epoch = my_epoch and incarnation <> my_incarnation))
      then 'superseded'
    when present.reconciling_since is null then 'settled'
    else 'staged' end;
  if status <> 'staged' then return; end if;
  insert into lease_nodes (id, epoch, incarnation, beat, seen_at) values (my_node, my_epoch, my_incarnation, next_beat, lease_now())
    on conflict (id) do update set epoch = excluded.epoch, incarnation = excluded.incarnation, beat = excluded.beat, nonce = null,
      seen_at = excluded.seen_at, lost_at = null;
  insert into lease_reports values (my_node, reported, torn)
    on conflict (node_id) do update set leases = excluded.leases, torn = excluded.torn;
  if lease_resume() then status := 'resumed'; end if;
end $$;

-- At boot before any ask, and at a graceful stop for the epoch after its own: this epoch has the node, and the leases of older ones are closed at
-- their final sums (0 where not listed). `finals`: [{counter, limit, window_key, group, starts_at, ends_at, epoch, final}], amounts as text, of
-- which counter, epoch and final are enough unless the database is reconciling: then it is the node's report. `torn`: older epochs whose
-- spool lost its end. `moved`: the spool was used by another machine or boot. registered; wait: `moved` and seen too recently, come back
-- after wait_ms; superseded: exit. Repeated by the same incarnation it changes nothing.
create function lease_register(my_node uuid, my_epoch bigint, my_incarnation text, finals jsonb, torn bigint[], moved boolean,
  out status text, out generation bigint, out reconciling boolean, out wait_ms bigint)
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  at constant timestamptz := lease_now();
  present lease_generation := lease_notice_restore(0);
  node lease_nodes;
  repeated boolean;
  open record;
  after record;
begin
  if present.reconciling_since is not null then
    select * into strict present from lease_generation for update;
  end if;
  generation := present.generation;
  reconciling := present.reconciling_since is not null;
  wait_ms := 0;
  status := 'registered';
  insert into lease_nodes (id, epoch, incarnation, seen_at) values (my_node, my_epoch, my_incarnation, at) on conflict do nothing;
  repeated := not found;
  select * into strict node from lease_nodes where id = my_node for no key update;
  if repeated then
    repeated := node.epoch = my_epoch and node.incarnation = my_incarnation;
    if node.epoch >= my_epoch and not repeated then
      status := 'superseded';
    elsif moved and not repeated and node.seen_at + lease_takeover_wait() > at then
      status := 'wait';
      wait_ms := ceil(extract(epoch from node.seen_at + lease_takeover_wait() - at) * 1000);
    elsif not repeated then
      update lease_nodes set epoch = my_epoch, incarnation = my_incarnation, beat = 0, nonce = null, seen_at = at, lost_at = null where id = my_node;
    end if;
    if status <> 'registered' then return; end if;
  end if;
  if reconciling then
    insert into lease_reports
      select my_node, coalesce(jsonb_agg(final || '{"granted": "0", "returned": "0"}'::jsonb), '[]'), torn from jsonb_array_elements(finals) as final
      on conflict (node_id) do update set leases = excluded.leases, torn = excluded.torn;
    reconciling := not lease_resume();
    return;
  end if;
  perform from budget_counters where id in (select counter_id from leases where node_id = my_node and epoch < my_epoch and closed_at is null)
    order by id for no key update;
  for open in
    select leases.*, coalesce(final, 0) as final
    from leases left join (
        select counter, epoch, max(final::numeric) as final from jsonb_to_recordset(finals) as told (counter uuid, epoch bigint, final text)
        group by counter, epoch
      ) as told on told.counter = counter_id and told.epoch = leases.epoch
    where node_id = my_node and leases.epoch < my_epoch and closed_at is null
    order by counter_id, leases.epoch
  loop
    after := lease_closed(open.granted, open.returned, open.final, open.epoch = any (torn));
    update leases set granted = after.new_granted, returned = after.new_returned, unproven = after.new_unproven, closed_at = at, cause = 'register'
      where counter_id = open.counter_id and node_id = my_node and epoch = open.epoch;
    if after.new_granted - after.new_returned <> open.granted - open.returned then
      perform lease_move(open.counter_id, 'close', my_node, open.epoch,
        after.new_granted - after.new_returned - (open.granted - open.returned), 'register');
    end if;
  end loop;
end $$;

-- A person, or a day of silence: what the node holds stays held, and is shown as lost. A beat or a register clears it. `unknown`: no such node.
create function lease_declare_lost(node uuid) returns text
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  present lease_generation := lease_notice_restore(0);
begin
  if present.reconciling_since is not null then
    select * into strict present from lease_generation for update;
    -- Known by its events alone: the backup is older than the node.
    insert into lease_nodes (id, epoch, incarnation, seen_at) select node, max(epoch), 'unknown', lease_now() from lease_postings
      where node_id = node having max(epoch) is not null on conflict do nothing;
  end if;
  update lease_nodes set lost_at = coalesce(lost_at, lease_now()) where id = node;
  if not found then return 'unknown'; end if;
  if present.reconciling_since is not null then perform lease_resume(); end if;
  return 'lost';
end $$;

-- A person closes a lost or unproven lease: its room becomes what was spent (at least what is posted). What turns up later is overrun.
-- The caller writes the audit event in this transaction. unknown: no such lease; living: only its owner may; reconciling: wait.
create function lease_release(node uuid, counter uuid, of_epoch bigint, spent numeric, reason text, out status text, out freed numeric)
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  lease leases;
begin
  freed := 0;
  if (lease_notice_restore(0)).reconciling_since is not null then
    status := 'reconciling';
    return;
  end if;
  -- So that a beat does not find it again in this very moment.
  perform from lease_nodes where id = node for share;
  perform from budget_counters where id = counter for no key update;
  select * into lease from leases where counter_id = counter and node_id = node and epoch = of_epoch;
  status := case when not found then 'unknown'
    when lease.unproven = 0 and not exists (select from lease_nodes where id = node and lost_at is not null) then 'living' else 'released' end;
  if status <> 'released' then return; end if;
  freed := greatest(0, lease.granted - lease.returned - greatest(spent, coalesce(
    (select posted from lease_postings where counter_id = counter and node_id = node and epoch = of_epoch), 0)));
  update leases set returned = returned + freed, unproven = 0, closed_at = coalesce(closed_at, lease_now()), cause = reason
    where counter_id = counter and node_id = node and epoch = of_epoch;
  if freed > 0 then perform lease_move(counter, 'release', node, of_epoch, -freed, reason); end if;
end $$;

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

-- A reset of several limits at once: all of them are locked before the first counter is, each in the order of its id, as asks do it.
-- The next ask makes new counters, the old ones are sealed, and old holds settle there. No history is lost.
create function lease_reset(of_limits uuid[]) returns void
language plpgsql security definer set search_path = public, pg_temp as $$
begin
  perform from budget_limits where id = any (of_limits) order by id for no key update;
  update budget_limits set segment = segment + 1, updated_at = lease_now() where id = any (of_limits);
  perform from budget_counters where limit_id = any (of_limits) and sealed_at is null order by id for no key update;
  update budget_counters set sealed_at = lease_now() where limit_id = any (of_limits) and sealed_at is null;
end $$;

-- Takes part of what was posted off `committed`: the ledger's cost is below the debit. Where the bucket of the posting has left a rolling window, it
-- had left `committed` with it.
create function lease_credit(my_counter uuid, credit numeric, bucket timestamptz, cause text) returns void
language plpgsql set search_path = public, pg_temp as $$
declare
  counter budget_counters;
begin
  select * into counter from budget_counters where id = my_counter for no key update;
  if not found then return; end if;
  perform lease_move(my_counter, 'credit', null, null, -credit, cause);
  if bucket < counter.aged_until then
    perform lease_move(my_counter, 'age', null, null, credit, null);
    update budget_counters set aged_debit = aged_debit - credit, folded_debit = folded_debit - case when bucket < folded_until then credit else 0 end
      where id = my_counter;
  end if;
end $$;

-- The holds of the entries that this transaction inserted, duplicates left out: one place of the arrays a hold. Never refused, never clamped, on an
-- open, closed, lost or unknown lease alike. Once a transaction, after all its other locks. Held becomes settled and `committed`
-- stays, but for what the ledger rates below the debit.
create function lease_post(organizations uuid[], counters uuid[], nodes uuid[], epochs bigint[], debits numeric[], costs numeric[])
returns void language plpgsql security definer set search_path = public, pg_temp as $$
declare
  at constant timestamptz := lease_now();
  ids uuid[];
  owners uuid[];
  settleds numeric[];
  excesses numeric[];
  credits numeric[];
begin
  with held as materialized (
    select counter, node, epoch, any_value(organization) as organization, sum(debit) as debit, sum(cost) as settled,
      sum(greatest(cost - debit, 0)) as excess
    from unnest(organizations, counters, nodes, epochs, debits, costs) as hold (organization, counter, node, epoch, debit, cost)
    group by counter, node, epoch
  ), posted as (
    insert into lease_postings as known (counter_id, node_id, epoch, organization_id, posted)
      select counter, node, epoch, organization, debit from held order by counter, node, epoch
      on conflict (counter_id, node_id, epoch) do update set posted = known.posted + excluded.posted
  ) select array_agg(counter), array_agg(organization), array_agg(settled), array_agg(excess), array_agg(credit)
    into ids, owners, settleds, excesses, credits
    from (select counter, any_value(organization) as organization, sum(settled) as settled, sum(excess) as excess,
        sum(debit + excess - settled) as credit
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
  end loop;
end $$;

-- A later rating of what was posted: `change` below 0 is cheaper, above 0 dearer; on the counter of the original hold. `posted_at`: when the
-- original entry was recorded, which is where it leaves a rolling window.
create function lease_correct(organization uuid, counter uuid, change numeric, posted_at timestamptz) returns void
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  known budget_counters;
  bucket timestamptz;
begin
  insert into counter_totals as totals (counter_id, organization_id, settled, excess) values (counter, organization, change, greatest(change, 0))
    on conflict (counter_id) do update set settled = totals.settled + excluded.settled, excess = totals.excess + excluded.excess;
  select * into known from budget_counters where id = counter;
  -- What is dearer is posted now and counts from now on; what is cheaper leaves with what it takes from.
  bucket := date_bin(make_interval(secs => known.window_seconds / 60), case when change > 0 then lease_now() else posted_at end, 'epoch');
  if bucket is not null then
    insert into counter_buckets as buckets (counter_id, began_at, organization_id, debit, excess)
      values (counter, case when change > 0 then greatest(bucket, known.aged_until) else bucket end, organization, least(change, 0),
        greatest(change, 0))
      on conflict (counter_id, began_at) do update set debit = buckets.debit + excluded.debit, excess = buckets.excess + excluded.excess;
  end if;
  if change < 0 then perform lease_credit(counter, -change, bucket, 'correction'); end if;
end $$;

insert into lease_generation (generation, timeline, system_identifier, server_started_at)
  select 1, left(pg_walfile_name(pg_current_wal_lsn()), 8), system_identifier, pg_postmaster_start_time() from pg_control_system();

revoke execute on function lease_notice_restore, lease_move, lease_age, lease_adopt, lease_ask, lease_return_all, lease_return, lease_beat, lease_resume,
  lease_report, lease_register, lease_declare_lost, lease_release, lease_close, lease_reset, lease_credit, lease_post,
  lease_correct from public;
grant execute on function lease_ask, lease_return, lease_beat, lease_report, lease_register, lease_declare_lost, lease_release, lease_close, lease_reset,
  lease_post, lease_correct to turnpike_writer;
grant select on lease_generation, lease_nodes, budget_counters, leases, lease_log, lease_postings, counter_totals, counter_buckets, lease_reports
  to turnpike_writer;
-- What is defined, not what is counted: the registry writes it as it writes budgets.
grant select, insert, update on budget_limits to turnpike_writer;
grant select on lease_states, counter_states to turnpike_writer, turnpike_reader;
grant select on lease_generation, budget_limits, budget_counters, leases, lease_log, lease_postings, counter_totals, counter_buckets to turnpike_reader;
-- Whether a node is alive, which says nothing of a tenant.
grant select (id, epoch, seen_at, lost_at) on lease_nodes to turnpike_reader;

do $$
declare
  name text;
begin
  foreach name in array array['budget_limits', 'budget_counters', 'leases', 'lease_log', 'lease_postings', 'counter_totals', 'counter_buckets'] loop
    execute format('alter table %I enable row level security', name);
    execute format('create policy writer_all on %I to turnpike_writer using (true) with check (true)', name);
    execute format($policy$create policy reader_own on %I for select to turnpike_reader
      using (organization_id = nullif(current_setting('turnpike.organization_id', true), '')::uuid)$policy$, name);
  end loop;
end $$;
