-- The second wall between tenants: a reader sees only rows of the organization its transaction names with
-- set_config('turnpike.organization_id', …, true); without it, none. Writers serve all organizations and are scoped in code.
do $$
declare
  name text;
begin
  foreach name in array array['teams', 'api_keys', 'activated_tags', 'ledger_entries', 'request_subject', 'usage_minute', 'usage_hour', 'usage_day',
    'audit_events', 'journal_positions', 'journal_heads', 'dead_letters'] loop
    execute format('alter table %I enable row level security', name);
    execute format('create policy writer_all on %I to turnpike_writer using (true) with check (true)', name);
    execute format($policy$create policy reader_own on %I for select to turnpike_reader
      using (organization_id = nullif(current_setting('turnpike.organization_id', true), '')::uuid)$policy$, name);
  end loop;
end $$;

alter table organizations enable row level security;
create policy writer_all on organizations to turnpike_writer using (true) with check (true);
create policy reader_own on organizations for select to turnpike_reader
  using (id = nullif(current_setting('turnpike.organization_id', true), '')::uuid);

alter table api_key_secrets enable row level security;
create policy writer_all on api_key_secrets to turnpike_writer using (true) with check (true);
create policy reader_own on api_key_secrets for select to turnpike_reader
  using (exists (select from api_keys where api_keys.id = api_key_id));
