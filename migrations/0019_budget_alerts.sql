-- Alerts of budgets: what is settled on a counter has come to a threshold of its limit. Each is an item of its organization's journal.

create table budget_alerts (
  id uuid primary key,
  organization_id uuid not null references organizations,
  budget_id uuid not null,
  limit_id uuid not null,
  counter_id uuid not null,
  kind text not null check (kind in ('threshold')),
  -- hundredths of a percent of the limit
  threshold_basis_points integer not null check (threshold_basis_points > 0),
  -- which time it is told of this counter: again where the limit was raised since, or a whole rolling window has passed
  occurrence integer not null check (occurrence > 0),
  group_key varchar(512) not null,
  window_key text not null,
  -- null: such a window has no beginning or no end
  starts_at timestamptz,
  ends_at timestamptz,
  unit text not null check (unit in ('usd', 'tokens', 'requests')),
  -- as they were when it was told: the limit with a raise that ran, what was settled in the window, and what was held beside it
  amount numeric(38, 0) not null,
  settled numeric(38, 0) not null,
  held numeric(38, 0) not null,
  -- null: not in this window at the rate so far, or not known
  projected_exhaustion_at timestamptz,
  created_at timestamptz not null,
  -- once, whoever looks and however often
  unique (counter_id, kind, threshold_basis_points, occurrence)
);
create index budget_alerts_of_organization on budget_alerts (organization_id, created_at desc, id desc);
create index budget_alerts_of_budget on budget_alerts (budget_id, created_at desc, id desc);
create trigger forbid_change before update or delete on budget_alerts for each row execute function forbid_change();
create trigger forbid_truncate before truncate on budget_alerts for each statement execute function forbid_change();
alter table budget_alerts enable always trigger forbid_change;
alter table budget_alerts enable always trigger forbid_truncate;

-- Not valid: all rows there are have passed a narrower check, and a journal is long.
alter table journal_positions drop constraint journal_positions_item_kind_check,
  add constraint journal_positions_item_kind_check check (item_kind in ('entry', 'audit', 'alert')) not valid;
-- Streams of alerts pass over what lies between two of them, however much it is.
create index journal_positions_of_alert on journal_positions (organization_id, position) where item_kind = 'alert';

create function queue_budget_alerts() returns trigger language plpgsql security definer set search_path = public, pg_temp as $$
begin
  insert into journal_unsequenced select id, 'alert', organization_id, created_at, -1, nextval('audit_order') from added;
  return null;
end $$;
create trigger queue_budget_alerts after insert on budget_alerts referencing new table as added for each statement execute function queue_budget_alerts();
alter table budget_alerts enable always trigger queue_budget_alerts;

-- Where a threshold may have been come to since anybody looked: a counter on which something was settled, or a limit of which the amount or the
-- thresholds changed. Written in the transaction of the change, so that no crash loses one; removed in the one that tells the alerts. The same
-- counter may stand in it often.
create table threshold_checks (
  counter_id uuid,
  limit_id uuid,
  -- later than now: the end of a raise
  due_at timestamptz not null default lease_now(),
  check (num_nonnulls(counter_id, limit_id) = 1)
) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000, autovacuum_vacuum_insert_threshold = -1, autovacuum_vacuum_cost_delay = 0);

create function queue_changed_totals() returns trigger language plpgsql security definer set search_path = public, pg_temp as $$
begin
  insert into threshold_checks (counter_id) select counter_id from changed;
  return null;
end $$;
create trigger queue_new_totals after insert on counter_totals referencing new table as changed for each statement execute function queue_changed_totals();
create trigger queue_changed_totals after update on counter_totals referencing new table as changed for each statement execute function queue_changed_totals();

create function queue_changed_limit() returns trigger language plpgsql security definer set search_path = public, pg_temp as $$
begin
  insert into threshold_checks (limit_id) values (new.id);
  if new.raised_until is not null then insert into threshold_checks (limit_id, due_at) values (new.id, new.raised_until); end if;
  return null;
end $$;
create trigger queue_changed_limit after update of amount, raised, raised_until, sealed_at on budget_limits for each row
  when (row(old.amount, old.raised, old.raised_until, old.sealed_at) is distinct from row(new.amount, new.raised, new.raised_until, new.sealed_at))
  execute function queue_changed_limit();

create function queue_changed_thresholds() returns trigger language plpgsql security definer set search_path = public, pg_temp as $$
begin
  insert into threshold_checks (limit_id) select id from budget_limits where budget_id = new.id and sealed_at is null;
  return null;
end $$;
create trigger queue_changed_thresholds after update of definition on budgets for each row
  when (old.definition -> 'thresholds' is distinct from new.definition -> 'thresholds') execute function queue_changed_thresholds();

-- What was settled before anybody looked for thresholds.
insert into threshold_checks (counter_id) select counter_id from counter_totals;

grant select, insert on budget_alerts to turnpike_writer;
grant select on budget_alerts to turnpike_reader;
-- An update locks the rows that one process looks at, so that another takes others.
grant select, insert, update, delete on threshold_checks to turnpike_writer;
alter table budget_alerts enable row level security;
create policy writer_all on budget_alerts to turnpike_writer using (true) with check (true);
create policy reader_own on budget_alerts for select to turnpike_reader
  using (organization_id = nullif(current_setting('turnpike.organization_id', true), '')::uuid);
