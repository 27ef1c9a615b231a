-- How much an organization lets through in how long. Counted as budgets are: each rule is a row of budget_limits whose `budget_id` is the rate limit's.

create table rate_limits (
  id uuid primary key,
  organization_id uuid not null references organizations,
  name text not null check (length(name) between 1 and 200),
  -- schema/values/rate-limit.ts: selector, groupBy, limits
  definition jsonb not null check (jsonb_typeof(definition) = 'object'),
  version integer not null default 1,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  archived_at timestamptz
);
create unique index rate_limits_live_name on rate_limits (organization_id, lower(name)) where archived_at is null;

grant select, insert, update on rate_limits to turnpike_writer;
grant select on rate_limits to turnpike_reader;
alter table rate_limits enable row level security;
create policy writer_all on rate_limits to turnpike_writer using (true) with check (true);
create policy reader_own on rate_limits for select to turnpike_reader
  using (organization_id = nullif(current_setting('turnpike.organization_id', true), '')::uuid);

alter table budget_limits drop constraint budget_limits_unit_check;
alter table budget_limits add constraint budget_limits_unit_check
  check (unit in ('usd', 'tokens', 'requests', 'input_tokens', 'output_tokens'));
