-- Where organizations want their alerts, and what was sent there.

create table alert_channels (
  id uuid primary key,
  organization_id uuid not null references organizations,
  name text not null check (length(name) between 1 and 200),
  kind text not null check (kind in ('webhook', 'slack', 'email')),
  -- of a webhook the whole URL; of Slack its origin, since the rest lets anybody write there
  url text check (length(url) <= 2048),
  recipients text[] check (cardinality(recipients) between 1 and 20),
  -- null = every budget of the organization
  budget_ids uuid[] check (cardinality(budget_ids) between 1 and 100),
  -- AES-256-GCM under the organization's data key, bound to the channel: a webhook's newest secret, or the URL of Slack
  sealed bytea,
  -- a webhook's secret before, which signs as well until it ends
  previous_sealed bytea,
  previous_ends_at timestamptz,
  data_key_id uuid references data_keys,
  -- the first failure since something got through
  failing_since timestamptz,
  disabled_at timestamptz,
  disabled_reason text check (disabled_reason in ('by_hand', 'gone', 'undeliverable')),
  version integer not null default 1,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  archived_at timestamptz,
  check ((kind = 'email') = (url is null)),
  check ((kind = 'email') = (recipients is not null)),
  check ((kind <> 'email' and archived_at is null) = (sealed is not null)),
  check (previous_sealed is null or (kind = 'webhook' and sealed is not null)),
  check ((previous_sealed is null) = (previous_ends_at is null)),
  check ((disabled_at is null) = (disabled_reason is null))
);
create unique index alert_channels_live_name on alert_channels (organization_id, lower(name)) where archived_at is null;

create table alert_deliveries (
  -- as text the webhook-id: the same in every try
  id uuid primary key,
  organization_id uuid not null references organizations,
  channel_id uuid not null references alert_channels,
  -- null: a test, or word of another channel
  alert_id uuid references budget_alerts,
  type text not null check (length(type) between 1 and 64),
  -- of an e-mail
  subject text check (length(subject) <= 500),
  -- what is sent, to the byte: JSON, less than 20 kB by Standard Webhooks, or the text of an e-mail
  body text not null check (octet_length(body) < 20000),
  state text not null check (state in ('pending', 'delivered', 'failed', 'skipped')),
  most_tries smallint not null check (most_tries between 1 and 8),
  tries integer not null default 0,
  attempts integer not null default 0,
  next_at timestamptz,
  created_at timestamptz not null,
  finished_at timestamptz,
  check ((state = 'pending') = (next_at is not null)),
  check ((state = 'pending') = (finished_at is null))
);
-- Once, whoever hands alerts out and however often.
create unique index alert_deliveries_of_alert on alert_deliveries (alert_id, channel_id) where alert_id is not null;
create index alert_deliveries_due on alert_deliveries (next_at) where state = 'pending';
create index alert_deliveries_of_channel on alert_deliveries (channel_id, id);
create index alert_deliveries_of_organization on alert_deliveries (organization_id, id);
create index alert_deliveries_finished on alert_deliveries (finished_at) where finished_at is not null;

create table alert_delivery_attempts (
  delivery_id uuid not null references alert_deliveries on delete cascade,
  attempt integer not null,
  started_at timestamptz not null,
  ended_at timestamptz,
  status integer,
  error text check (length(error) <= 500),
  primary key (delivery_id, attempt)
);

-- Alerts that no channel was told of yet: written in the transaction that makes the alert, so that no crash loses one, and removed in the one
-- that makes its deliveries, so that none is made twice.
create table alerts_to_hand_out (
  alert_id uuid primary key references budget_alerts
);
create function queue_alerts_to_hand_out() returns trigger language plpgsql security definer set search_path = public, pg_temp as $$
begin
  insert into alerts_to_hand_out select id from added;
  return null;
end $$;
create trigger queue_alerts_to_hand_out after insert on budget_alerts referencing new table as added
  for each statement execute function queue_alerts_to_hand_out();
alter table budget_alerts enable always trigger queue_alerts_to_hand_out;

-- An update locks the row that one process looks at, so that another takes another.
grant select, update, delete on alerts_to_hand_out to turnpike_writer;
grant select, insert, update on alert_channels, alert_delivery_attempts to turnpike_writer;
-- They are kept for a time only.
grant select, insert, update, delete on alert_deliveries to turnpike_writer;
grant select on alert_deliveries, alert_delivery_attempts to turnpike_reader;
-- Everything but what is sealed.
grant select (id, organization_id, name, kind, url, recipients, budget_ids, previous_ends_at, failing_since, disabled_at, disabled_reason, version,
  created_at, updated_at, archived_at) on alert_channels to turnpike_reader;

do $$
declare
  name text;
begin
  foreach name in array array['alert_channels', 'alert_deliveries'] loop
    execute format('alter table %I enable row level security', name);
    execute format('create policy writer_all on %I to turnpike_writer using (true) with check (true)', name);
    execute format($policy$create policy reader_own on %I for select to turnpike_reader
      using (organization_id = nullif(current_setting('turnpike.organization_id', true), '')::uuid)$policy$, name);
  end loop;
end $$;
alter table alert_delivery_attempts enable row level security;
create policy writer_all on alert_delivery_attempts to turnpike_writer using (true) with check (true);
create policy reader_own on alert_delivery_attempts for select to turnpike_reader
  using (exists (select from alert_deliveries where alert_deliveries.id = delivery_id));
