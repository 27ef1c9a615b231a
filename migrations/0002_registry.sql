-- The registry: who may call what. Mutable, versioned, every write audited in its own transaction.

create table organizations (
  id uuid primary key,
  slug text not null unique check (slug ~ '^[a-z0-9][a-z0-9-]{0,62}$'),
  name text not null check (length(name) between 1 and 200),
  version integer not null default 1,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  archived_at timestamptz
);

create table teams (
  id uuid primary key,
  organization_id uuid not null references organizations,
  name text not null check (length(name) between 1 and 200),
  version integer not null default 1,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  archived_at timestamptz
);
create unique index teams_live_name on teams (organization_id, lower(name)) where archived_at is null;

create table api_keys (
  id uuid primary key,
  organization_id uuid not null references organizations,
  team_id uuid references teams,
  user_id uuid,
  service_account_id uuid,
  kind text not null check (kind in ('ak', 'sa', 'pat', 'adm')),
  environment text not null check (environment in ('live', 'test')),
  name text not null check (length(name) between 1 and 200),
  -- null: every model; names as `provider/model`, `provider/*` allowed
  allowed_models text[],
  tags jsonb not null default '{}',
  metadata jsonb not null default '{}',
  -- what a key of the admin plane may do; empty for model keys
  permissions text[] not null default '{}',
  expires_at timestamptz,
  disabled_at timestamptz,
  revoked_at timestamptz,
  revoke_reason text,
  -- name of the configuration document that owns it: then it is read-only in GraphQL
  managed_by text,
  version integer not null default 1,
  created_at timestamptz not null,
  updated_at timestamptz not null
);
create index api_keys_of_organization on api_keys (organization_id, created_at, id);
create unique index api_keys_managed_name on api_keys (organization_id, managed_by) where managed_by is not null;

-- At most two live secrets a key, so that it can be rotated with grace.
create table api_key_secrets (
  id uuid primary key,
  api_key_id uuid not null references api_keys,
  hash bytea not null unique check (length(hash) = 32),
  hash_version smallint not null,
  display text not null,
  created_at timestamptz not null,
  expires_at timestamptz,
  revoked_at timestamptz
);
create index api_key_secrets_of_key on api_key_secrets (api_key_id);

create table providers (
  id uuid primary key,
  name text not null unique check (name ~ '^[a-z0-9][a-z0-9-]{0,62}$'),
  protocol text not null check (protocol in ('openai')),
  base_url text not null,
  -- where the credential is, never the credential: {"env": "NAME"} or null
  credential jsonb,
  options jsonb not null default '{}',
  managed_by text,
  version integer not null default 1,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  archived_at timestamptz
);

-- Price versions are immutable and named by the hash of their content.
create table price_versions (
  name text primary key check (name ~ '^pv_[0-9a-f]{32}$'),
  sheet jsonb not null,
  created_at timestamptz not null
);

create table models (
  id uuid primary key,
  provider_id uuid not null references providers,
  -- `provider/model`, what applications ask for
  name text not null unique check (length(name) between 3 and 256),
  upstream_model text not null,
  context_window bigint,
  max_output_tokens bigint,
  managed_by text,
  version integer not null default 1,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  archived_at timestamptz
);
create index models_of_provider on models (provider_id);

-- Which price version holds for a model from when on; rows are only added.
create table model_prices (
  model_id uuid not null references models,
  valid_from timestamptz not null,
  price_version text not null references price_versions,
  source text not null,
  created_at timestamptz not null,
  primary key (model_id, valid_from)
);

-- Tag keys that have rollups of their own, as cloud cost-allocation tags do.
create table activated_tags (
  organization_id uuid not null references organizations,
  tag_key text not null check (length(tag_key) between 1 and 64),
  activated_at timestamptz not null,
  primary key (organization_id, tag_key)
);

-- One row: every registry write bumps it in its own transaction; proxies poll it.
create table registry_revision (
  "only" boolean primary key default true check ("only"),
  revision bigint not null
);
insert into registry_revision (revision) values (1);

-- Answers of mutations by idempotency key, replayed for 48 hours.
create table idempotency_keys (
  organization_id uuid not null,
  actor text not null,
  field text not null,
  key text not null check (length(key) between 1 and 255),
  request_hash bytea not null,
  result jsonb,
  created_at timestamptz not null,
  primary key (organization_id, actor, field, key)
);
create index idempotency_keys_by_age on idempotency_keys (created_at);

grant select, insert, update on organizations, teams, api_keys, api_key_secrets, providers, models, registry_revision to turnpike_writer;
grant select, insert on price_versions, model_prices to turnpike_writer;
grant select, insert, delete on activated_tags to turnpike_writer;
grant select, insert, update, delete on idempotency_keys to turnpike_writer;
grant select on organizations, teams, api_keys, providers, models, price_versions, model_prices, activated_tags, registry_revision to turnpike_reader;
-- A reader sees what may be shown of a secret, never its hash.
grant select (id, api_key_id, display, created_at, expires_at, revoked_at) on api_key_secrets to turnpike_reader;
