-- What organizations want of their budgets. Nothing counts or refuses by it yet.

create table budgets (
  id uuid primary key,
  organization_id uuid not null references organizations,
  name text not null check (length(name) between 1 and 200),
  -- schema/values/budget.ts: selector, groupBy, limits, thresholds, enforcement, …
  definition jsonb not null check (jsonb_typeof(definition) = 'object'),
  version integer not null default 1,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  archived_at timestamptz
);
create unique index budgets_live_name on budgets (organization_id, lower(name)) where archived_at is null;

grant select, insert, update on budgets to turnpike_writer;
grant select on budgets to turnpike_reader;
alter table budgets enable row level security;
create policy writer_all on budgets to turnpike_writer using (true) with check (true);
create policy reader_own on budgets for select to turnpike_reader
  using (organization_id = nullif(current_setting('turnpike.organization_id', true), '')::uuid);
