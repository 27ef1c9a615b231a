-- Files that applications keep at providers: whose each of them is, where it lies, and under which credential, since no other could read it.

create table provider_files (
  organization_id uuid not null,
  -- as the provider names it, and the application too
  id text not null check (length(id) between 1 and 256),
  provider_id uuid not null,
  -- the organization's credential that owns it; null: what the provider itself is called with
  credential_id uuid,
  purpose text check (length(purpose) <= 64),
  -- for the input of a batch, the model that each of its lines asks for, `provider/model`, and how they name it
  model text check (length(model) <= 256),
  model_requested text check (length(model_requested) <= 256),
  -- as the provider described it last; null until it is asked
  object jsonb,
  created_at timestamptz not null,
  primary key (organization_id, id),
  check ((model is null) = (model_requested is null))
);
create index provider_files_by_age on provider_files (organization_id, created_at, id);

grant select, insert, update, delete on provider_files to turnpike_writer;
-- No reader has a use for it: no grant, and the wall behind it should one be given.
alter table provider_files enable row level security;
create policy writer_all on provider_files to turnpike_writer using (true) with check (true);
create policy reader_own on provider_files for select to turnpike_reader
  using (organization_id = nullif(current_setting('turnpike.organization_id', true), '')::uuid);
