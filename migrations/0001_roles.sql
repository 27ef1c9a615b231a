-- Roles: the owner runs migrations; processes log in as members and SET ROLE to writer or reader (DESIGN.md, "database roles").
-- Roles belong to the server, not to the database, so each is made only where it is missing.
do $$
begin
  if not exists (select from pg_roles where rolname = 'turnpike_writer') then create role turnpike_writer nologin; end if;
  if not exists (select from pg_roles where rolname = 'turnpike_reader') then create role turnpike_reader nologin; end if;
exception when duplicate_object then null;  -- another database of the same server was migrated at the same moment
end $$;

grant turnpike_writer, turnpike_reader to current_user;
grant usage on schema public to turnpike_writer, turnpike_reader;
