-- What organizations register themselves: providers, models, prices, credentials, routes, service accounts, users.
-- organization_id null means shared by the installation: every organization sees and may use it.

create table users (
  id uuid primary key,
  organization_id uuid not null references organizations,
  email text not null check (length(email) between 3 and 254 and position('@' in email) > 1),
  name text not null check (length(name) between 1 and 200),
  version integer not null default 1,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  archived_at timestamptz
);
create unique index users_live_email on users (organization_id, lower(email)) where archived_at is null;

create table service_accounts (
  id uuid primary key,
  organization_id uuid not null references organizations,
  name text not null check (length(name) between 1 and 200),
  -- none of its keys works while this is set
  disabled_at timestamptz,
  managed_by text,
  version integer not null default 1,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  archived_at timestamptz
);
create unique index service_accounts_live_name on service_accounts (organization_id, lower(name)) where archived_at is null;

alter table api_keys
  add foreign key (user_id) references users,
  add foreign key (service_account_id) references service_accounts,
  add check ((kind = 'sa') = (service_account_id is not null)),
  add check (user_id is null or service_account_id is null);
create index api_keys_of_service_account on api_keys (service_account_id) where service_account_id is not null;
create index api_keys_of_user on api_keys (user_id) where user_id is not null;

-- Two tenants may use the same name for their own providers, and neither learns of the other's.
alter table providers
  add organization_id uuid references organizations,
  drop constraint providers_name_key,
  -- `route/…` names routes
  add check (name <> 'route'),
  -- a tenant that could name a variable of the gateway's environment could send its value to a server of its own
  add check (organization_id is null or credential is null);
create unique index providers_live_name on providers (organization_id, name) nulls not distinct where archived_at is null;

alter table models drop constraint models_name_key;
create unique index models_live_name on models (provider_id, name) where archived_at is null;
create index models_by_name on models (name);

-- organization_id set: what this organization pays (its negotiated price, or the price of its own provider's model), which wins over
-- the shared one from valid_from on; a null price_version ends it.
alter table model_prices
  add organization_id uuid references organizations,
  drop constraint model_prices_pkey,
  alter column price_version drop not null,
  add constraint model_prices_at unique nulls not distinct (model_id, organization_id, valid_from),
  add check (price_version is not null or organization_id is not null);
create index model_prices_of_version on model_prices (price_version);

-- The key that an organization's credentials are sealed with, itself sealed under a key derived from the master key.
create table data_keys (
  id uuid primary key,
  organization_id uuid not null unique references organizations,
  sealed bytea not null,
  created_at timestamptz not null
);

-- What authorizes an organization with a provider, its own or a shared one. Write-only: no reader may select `sealed`.
create table provider_credentials (
  id uuid primary key,
  organization_id uuid not null references organizations,
  provider_id uuid not null references providers,
  name text not null check (length(name) between 1 and 200),
  -- AES-256-GCM under the data key: nonce, ciphertext, tag; bound to provider and credential
  sealed bytea not null,
  data_key_id uuid not null references data_keys,
  -- the last four characters, empty where the secret is too short to show any
  hint text not null check (length(hint) <= 4),
  rotated_at timestamptz not null,
  verified_at timestamptz,
  -- why the last verification failed; null = it did not, or there was none
  verify_error text,
  managed_by text,
  version integer not null default 1,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  archived_at timestamptz
);
create unique index provider_credentials_live_name on provider_credentials (organization_id, provider_id, lower(name)) where archived_at is null;
create index provider_credentials_of_provider on provider_credentials (provider_id);

create table routes (
  id uuid primary key,
  organization_id uuid not null references organizations,
  -- no slash: `route/<name>` must not be mistaken for a model
  name text not null check (name ~ '^[a-z0-9][a-z0-9._-]{0,62}$'),
  strategy text not null check (strategy in ('single', 'weighted')),
  managed_by text,
  version integer not null default 1,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  archived_at timestamptz
);
create unique index routes_live_name on routes (organization_id, name) where archived_at is null;

create table route_targets (
  route_id uuid not null references routes,
  position smallint not null check (position between 0 and 15),
  model_id uuid not null references models,
  weight integer not null check (weight between 1 and 1000),
  -- null: the credential the organization uses with this provider anyway
  credential_id uuid references provider_credentials,
  primary key (route_id, position)
);
create index route_targets_of_model on route_targets (model_id);
create index route_targets_of_credential on route_targets (credential_id) where credential_id is not null;

grant select, insert, update on users, service_accounts, provider_credentials, routes to turnpike_writer;
grant select, insert on data_keys to turnpike_writer;
grant select, insert, delete on route_targets to turnpike_writer;
grant select on users, service_accounts, routes, route_targets to turnpike_reader;
-- Everything but the ciphertext.
grant select (id, organization_id, provider_id, name, hint, rotated_at, verified_at, verify_error, managed_by, version, created_at, updated_at, archived_at)
  on provider_credentials to turnpike_reader;

do $$
declare
  name text;
begin
  foreach name in array array['users', 'service_accounts', 'data_keys', 'provider_credentials', 'routes'] loop
    execute format('alter table %I enable row level security', name);
    execute format('create policy writer_all on %I to turnpike_writer using (true) with check (true)', name);
    execute format($policy$create policy reader_own on %I for select to turnpike_reader
      using (organization_id = nullif(current_setting('turnpike.organization_id', true), '')::uuid)$policy$, name);
  end loop;
  foreach name in array array['providers', 'models', 'model_prices', 'price_versions', 'route_targets'] loop
    execute format('alter table %I enable row level security', name);
    execute format('create policy writer_all on %I to turnpike_writer using (true) with check (true)', name);
  end loop;
end $$;

create policy reader_own_or_shared on providers for select to turnpike_reader
  using (organization_id is null or organization_id = nullif(current_setting('turnpike.organization_id', true), '')::uuid);
-- The policies of the tables asked within hold there too.
create policy reader_own_or_shared on models for select to turnpike_reader
  using (exists (select from providers where providers.id = provider_id));
create policy reader_own_or_shared on model_prices for select to turnpike_reader
  using ((organization_id is null or organization_id = nullif(current_setting('turnpike.organization_id', true), '')::uuid)
    and exists (select from models where models.id = model_id));
create policy reader_own_or_shared on price_versions for select to turnpike_reader
  using (exists (select from model_prices where model_prices.price_version = price_versions.name));
create policy reader_own on route_targets for select to turnpike_reader
  using (exists (select from routes where routes.id = route_id));
