-- Batches that applications made at providers: whose each is, what its cost is booked by, and how far it is settled. A batch is in here before its provider
-- is asked to make it, and stays unsettled until the ledger has all that it cost.

create table provider_batches (
  organization_id uuid not null,
  -- the request that made it
  request_id uuid not null,
  -- as the provider names it; null until it has
  id text check (length(id) between 1 and 256),
  -- the account that it and its files lie in, as provider_files has it
  provider_id uuid not null,
  credential_id uuid,
  input_file_id text not null check (length(input_file_id) <= 256),
  -- whom it is booked to and by which price, as that was when it was made
  terms jsonb not null,
  -- making: whether there is one is not known for certain; running: until all of its cost is known; rated: until the ledger has it
  state text not null default 'making' check (state in ('making', 'running', 'rated', 'settled')),
  -- as the provider described it last
  object jsonb,
  -- when somebody looks after it next: who claims it moves that on
  due_at timestamptz not null,
  claims bigint not null default 0,
  -- how often in a row looking after it failed, and how the last time
  failures integer not null default 0,
  failure text check (length(failure) <= 512),
  created_at timestamptz not null,
  primary key (organization_id, request_id),
  check (id is not null or state in ('making', 'settled'))
);
create unique index provider_batches_by_id on provider_batches (organization_id, id);
create index provider_batches_by_age on provider_batches (organization_id, created_at, request_id);
create index provider_batches_due on provider_batches (due_at) where state <> 'settled';

-- What a batch cost: events for the log, written once and handed over until the ledger has them. Who hands one over twice hands over the same bytes.
create table provider_batch_charges (
  -- of the event and its entry, with the time in it
  entry_id uuid primary key,
  occurred_at timestamptz not null,
  organization_id uuid not null,
  request_id uuid not null,
  log_partition integer not null,
  log_key text not null,
  headers jsonb not null,
  value bytea not null
);
create index provider_batch_charges_of_batch on provider_batch_charges (organization_id, request_id);

grant select, insert, update, delete on provider_batches, provider_batch_charges to turnpike_writer;
-- No reader has a use for them: no grant, and the wall behind it should one be given.
alter table provider_batches enable row level security;
create policy writer_all on provider_batches to turnpike_writer using (true) with check (true);
create policy reader_own on provider_batches for select to turnpike_reader
  using (organization_id = nullif(current_setting('turnpike.organization_id', true), '')::uuid);
alter table provider_batch_charges enable row level security;
create policy writer_all on provider_batch_charges to turnpike_writer using (true) with check (true);
create policy reader_own on provider_batch_charges for select to turnpike_reader
  using (organization_id = nullif(current_setting('turnpike.organization_id', true), '')::uuid);
