-- Keys that were handed in as leaked: who holds a secret may end it.

-- What was handed in and not looked at yet, known or not: each as the HMAC it is looked up by, never as the secret.
create table leaked_key_reports (
  hash bytea primary key check (length(hash) = 32),
  source text check (length(source) <= 64),
  url text check (length(url) <= 512),
  address text,
  user_agent text,
  reported_at timestamptz not null
);
create index leaked_key_reports_by_time on leaked_key_reports (reported_at);
grant select, insert, delete, update on leaked_key_reports to turnpike_writer;

alter table api_key_secrets
  -- when it was handed in as leaked, which revoked it
  add column leaked_at timestamptz;
grant select (leaked_at) on api_key_secrets to turnpike_reader;
