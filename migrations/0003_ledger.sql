-- The ledger: rows are only ever added. Types, grants and triggers each forbid anything else (DESIGN.md, invariant 4).

create table ledger_entries (
  entry_id uuid not null,
  -- time in the request's id: a pure function of it, so one id cannot lie in two partitions
  occurred_at timestamptz not null,
  recorded_at timestamptz not null default clock_timestamp(),
  kind text not null check (kind in ('usage', 'adjustment', 'reversal', 'overrun', 'credit')),
  organization_id uuid not null,
  request_id uuid not null,
  api_key_id uuid not null,
  team_id uuid,
  user_id uuid,
  service_account_id uuid,
  endpoint text not null,
  provider text,
  model text,
  model_requested text,
  route_id uuid,
  outcome text not null check (outcome in ('succeeded', 'cancelled', 'failed', 'blocked', 'rejected', 'cached', 'orphaned')),
  status smallint,
  error_code text,
  stream boolean not null,
  -- disjoint token classes; null = not reported, which is not 0
  tokens_input bigint,
  tokens_cache_read bigint,
  tokens_cache_write_5m bigint,
  tokens_cache_write_1h bigint,
  tokens_input_audio bigint,
  tokens_input_image bigint,
  tokens_output bigint,
  tokens_reasoning bigint,
  tokens_output_audio bigint,
  tokens_output_image bigint,
  usage_source text check (usage_source in ('provider', 'estimated')),
  -- pico-USD; null = unrated, with the reason beside it
  cost numeric(38, 0),
  price_version text,
  unrated text,
  -- what the proxy told the application; a difference is flagged
  proxy_cost numeric(38, 0),
  flags text[] not null default '{}',
  tags jsonb not null default '{}',
  first_byte_ms double precision,
  total_ms double precision,
  -- entry this one corrects
  reverses uuid,
  reason text,
  log_partition integer,
  log_offset bigint,
  -- the event's bytes as they came: the leaf, and everything that has no column
  body bytea not null,
  body_hash bytea not null check (length(body_hash) = 32),
  check ((cost is null) = (unrated is not null)),
  primary key (entry_id, occurred_at)
) partition by range (occurred_at);
create index ledger_entries_of_organization on ledger_entries (organization_id, occurred_at desc, entry_id desc);
create index ledger_entries_of_key on ledger_entries (api_key_id, occurred_at desc, entry_id desc);
create index ledger_entries_by_log on ledger_entries (log_partition, log_offset);

-- Personal data of a request, outside of every leaf, erasable.
create table request_subject (
  request_id uuid primary key,
  organization_id uuid not null,
  occurred_at timestamptz not null,
  salt bytea not null,
  end_user text,
  address text,
  metadata jsonb
);

-- Rollups, written in the transaction that adds the entries. A row with tag_key = '' counts every entry; for each activated
-- tag key there is a second row with that key and the entry's value ('' = not set). `null` sums mean nothing was reported.
create table usage_minute (
  organization_id uuid not null,
  bucket timestamptz not null,
  api_key_id uuid not null,
  team_id uuid not null,
  user_id uuid not null,
  service_account_id uuid not null,
  provider text not null,
  model text not null,
  route_id uuid not null,
  outcome text not null,
  tag_key text not null,
  tag_value text not null,
  requests bigint not null,
  unrated_requests bigint not null,
  estimated_requests bigint not null,
  streamed_requests bigint not null,
  cost numeric(38, 0) not null,
  tokens_input bigint,
  tokens_cache_read bigint,
  tokens_cache_write_5m bigint,
  tokens_cache_write_1h bigint,
  tokens_input_audio bigint,
  tokens_input_image bigint,
  tokens_output bigint,
  tokens_reasoning bigint,
  tokens_output_audio bigint,
  tokens_output_image bigint,
  -- counts by fixed log-scale buckets (schema/values/latency-histogram.ts), so that percentiles add up
  first_byte_histogram bigint[] not null,
  total_histogram bigint[] not null,
  primary key (organization_id, bucket, tag_key, api_key_id, team_id, user_id, service_account_id, provider, model, route_id, outcome, tag_value)
);
create table usage_hour (like usage_minute including all);
create table usage_day (like usage_minute including all);
-- Rows are updated with every batch: room in the page keeps the new version out of the index.
alter table usage_minute set (fillfactor = 50);
alter table usage_hour set (fillfactor = 50);
alter table usage_day set (fillfactor = 50);

-- Element-wise sum of two histograms of the same length.
create function add_histograms(a bigint[], b bigint[]) returns bigint[]
language sql immutable strict parallel safe
return (select array_agg(x + y order by i) from unnest(a, b) with ordinality as t (x, y, i));

-- Sum in which null means "nothing reported" and yields to a number.
create function add_reported(a bigint, b bigint) returns bigint
language sql immutable parallel safe
return case when a is null then b when b is null then a else a + b end;

-- Where each partition stands, and who may move it: every batch transaction checks its epoch (reference/ledger.md section 2).
create table log_offsets (
  topic text not null,
  partition integer not null,
  next_offset bigint not null,
  owner text not null,
  epoch bigint not null,
  updated_at timestamptz not null,
  primary key (topic, partition)
);

-- Partition counts as first seen; a changed count is refused at start.
create table log_topics (
  topic text primary key,
  partitions integer not null
);

create table dead_letters (
  id uuid primary key,
  topic text not null,
  partition integer not null,
  log_offset bigint not null,
  reason text not null,
  detail text not null,
  organization_id uuid,
  record_key text,
  headers jsonb not null,
  value bytea not null,
  recorded_at timestamptz not null default clock_timestamp(),
  unique (topic, partition, log_offset)
);

-- Audit of every registry write, in its transaction; a leaf like any entry.
create table audit_events (
  id uuid primary key,
  organization_id uuid not null,
  occurred_at timestamptz not null,
  action text not null,
  actor jsonb not null,
  targets jsonb not null,
  changes jsonb not null,
  context jsonb not null,
  body bytea not null,
  body_hash bytea not null check (length(body_hash) = 32)
);
create index audit_events_of_organization on audit_events (organization_id, occurred_at desc, id desc);

-- Dense position of each journal row within its organization: leaf index, stream cursor, "as of".
create table journal_positions (
  organization_id uuid not null,
  position bigint not null check (position >= 0),
  item_kind text not null check (item_kind in ('entry', 'audit')),
  item_id uuid not null,
  occurred_at timestamptz not null,
  sequenced_at timestamptz not null default clock_timestamp(),
  primary key (organization_id, position)
);
create unique index journal_positions_of_item on journal_positions (item_id, item_kind);

-- Next free position by organization; the sequencer's own state.
create table journal_heads (
  organization_id uuid primary key,
  next_position bigint not null
);

-- Committed rows that have no position yet: absence from journal_positions, kept as a list so that finding it costs
-- nothing. The triggers below fill it, so no writer can forget to; the sequencer empties it in its own transaction.
create table journal_unsequenced (
  item_id uuid not null,
  item_kind text not null,
  organization_id uuid not null,
  occurred_at timestamptz not null,
  log_partition integer not null,
  log_offset bigint not null,
  -- in the order of sequencing, so that the oldest are found without sorting a backlog
  primary key (log_partition, log_offset, item_id, item_kind)
) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000, autovacuum_vacuum_insert_threshold = -1, autovacuum_vacuum_cost_delay = 0);

create sequence audit_order;
create function queue_entries() returns trigger language plpgsql security definer set search_path = public, pg_temp as $$
begin
  insert into journal_unsequenced
  select entry_id, 'entry', organization_id, occurred_at, coalesce(log_partition, -1), coalesce(log_offset, nextval('audit_order')) from added;
  return null;
end $$;
create trigger queue_entries after insert on ledger_entries referencing new table as added for each statement execute function queue_entries();

create function queue_audit_events() returns trigger language plpgsql security definer set search_path = public, pg_temp as $$
begin
  insert into journal_unsequenced select id, 'audit', organization_id, occurred_at, -1, nextval('audit_order') from added;
  return null;
end $$;
create trigger queue_audit_events after insert on audit_events referencing new table as added for each statement execute function queue_audit_events();

create function forbid_change() returns trigger language plpgsql as $$
begin
  raise exception '% on % is forbidden: the ledger is append-only', tg_op, tg_table_name using errcode = 'insufficient_privilege';
end $$;
create trigger forbid_change before update or delete on ledger_entries for each row execute function forbid_change();
create trigger forbid_change before update or delete on audit_events for each row execute function forbid_change();
create trigger forbid_change before update or delete on journal_positions for each row execute function forbid_change();
create trigger forbid_change before update or delete on price_versions for each row execute function forbid_change();
create trigger forbid_change before update or delete on model_prices for each row execute function forbid_change();
create trigger forbid_truncate before truncate on ledger_entries for each statement execute function forbid_change();
create trigger forbid_truncate before truncate on audit_events for each statement execute function forbid_change();
create trigger forbid_truncate before truncate on journal_positions for each statement execute function forbid_change();
create trigger forbid_truncate before truncate on price_versions for each statement execute function forbid_change();
create trigger forbid_truncate before truncate on model_prices for each statement execute function forbid_change();
-- ALWAYS: session_replication_role = replica must not switch them off. Partitions inherit row triggers in this mode.
alter table ledger_entries enable always trigger forbid_change;
alter table audit_events enable always trigger forbid_change;
alter table journal_positions enable always trigger forbid_change;
alter table price_versions enable always trigger forbid_change;
alter table model_prices enable always trigger forbid_change;
alter table ledger_entries enable always trigger forbid_truncate;
alter table audit_events enable always trigger forbid_truncate;
alter table journal_positions enable always trigger forbid_truncate;
alter table price_versions enable always trigger forbid_truncate;
alter table model_prices enable always trigger forbid_truncate;
alter table ledger_entries enable always trigger queue_entries;
alter table audit_events enable always trigger queue_audit_events;

-- Makes the month's partition of the ledger, with its own guard against TRUNCATE, which a parent's trigger does not give.
-- The writer has no right to create tables, so this runs as the owner; it is safe to call at any time, from many sides.
create function ensure_ledger_partition(month timestamptz) returns void
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  first timestamp := date_trunc('month', month at time zone 'UTC');
  name text := 'ledger_entries_' || to_char(first, 'YYYY_MM');
begin
  if to_regclass(name) is not null then return; end if;
  perform pg_advisory_xact_lock(hashtext('ensure_ledger_partition'));
  if to_regclass(name) is not null then return; end if;
  execute format('create table %I partition of ledger_entries for values from (%L) to (%L)', name, first at time zone 'UTC', (first + interval '1 month') at time zone 'UTC');
  execute format('create trigger forbid_truncate before truncate on %I for each statement execute function forbid_change()', name);
  execute format('alter table %I enable always trigger forbid_change', name);
  execute format('alter table %I enable always trigger forbid_truncate', name);
end $$;
select ensure_ledger_partition(now() + make_interval(months => month)) from generate_series(-1, 3) as month;

grant select, insert on ledger_entries, audit_events, journal_positions, dead_letters to turnpike_writer;
grant select, insert, delete on request_subject to turnpike_writer;
grant select, insert, update on usage_minute, usage_hour, usage_day, log_offsets, log_topics, journal_heads to turnpike_writer;
grant delete on usage_minute, usage_hour to turnpike_writer;
grant select, insert, delete on journal_unsequenced to turnpike_writer;
grant execute on function ensure_ledger_partition(timestamptz) to turnpike_writer;
revoke execute on function ensure_ledger_partition(timestamptz) from public;
grant select on ledger_entries, audit_events, journal_positions, journal_heads, usage_minute, usage_hour, usage_day, request_subject, log_offsets, dead_letters to turnpike_reader;
