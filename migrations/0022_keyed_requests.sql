-- Requests with an Idempotency-Key: charged once, by whichever proxy claims the key first, and their answers, for a day.
-- A key of an API key is claimed before its request is sent and says how that ended. What is claimed is never sent a second time: a claim goes only
-- with a request that certainly cost nothing, or with its day.

create table keyed_requests (
  organization_id uuid not null,
  -- HMAC of API key and header: nothing of the header is kept
  key_hash bytea not null check (octet_length(key_hash) = 32),
  -- HMAC of endpoint and body
  body_hash bytea not null check (octet_length(body_hash) = 32),
  -- the original
  request_id uuid not null,
  -- the boot of the proxy that runs it, as lease_nodes has it
  node_id uuid not null,
  epoch bigint not null,
  state text not null default 'running' check (state in ('running', 'kept', 'not_kept')),
  -- why there is no answer to be repeated
  cause text,
  -- sealed for its organization and request
  answer bytea check (octet_length(answer) <= 1100000),
  answer_bytes integer not null default 0,
  claimed_at timestamptz not null,
  ended_at timestamptz,
  -- one index answers what a part of an organization holds, in rows and in bytes
  primary key (organization_id, key_hash) include (answer_bytes),
  check ((state = 'kept') = (answer is not null)),
  check ((state = 'not_kept') = (cause is not null))
);
-- It is compressed and sealed already.
alter table keyed_requests alter column answer set storage external;
create index keyed_requests_by_age on keyed_requests (claimed_at);

-- How long a key is remembered.
create function keyed_request_age() returns interval language sql immutable parallel safe return interval '24 hours';
-- An organization's keys fall into 64 parts by their hash, each with a bound of its own: what is counted at each claim stays small.
create function keyed_request_part_rows() returns integer language sql immutable parallel safe return 1600;
create function keyed_request_part_bytes() returns integer language sql immutable parallel safe return 16 * 1024 * 1024;
create function keyed_request_part(key bytea) returns bytea language sql immutable parallel safe
  return set_byte(decode(repeat('00', 32), 'hex'), 0, get_byte(key, 0) & 252);
create function keyed_request_part_end(key bytea) returns bytea language sql immutable parallel safe
  return set_byte(decode(repeat('ff', 32), 'hex'), 0, get_byte(key, 0) | 3);

-- Whether the boot that made a claim may still be at work on it. A proxy beats each second; one that is silent for a minute is taken for dead. If it is
-- not, its answer is kept all the same once it comes, and until then its repetitions are refused: nobody sends it again on this word.
create function keyed_request_runs(node uuid, node_epoch bigint, claimed timestamptz) returns boolean language sql stable as $$
  select coalesce(
    (select case
        when epoch > node_epoch then false
        when epoch = node_epoch then lost_at is null and seen_at > lease_now() - interval '1 minute'
      end from lease_nodes where id = node),
    -- It has not told the database of this boot yet.
    claimed > lease_now() - interval '5 minutes')
$$;

-- Claims a key for a request, or says what became of the request that has it: one round trip, one commit.
create function keyed_request_claim(organization uuid, key bytea, body bytea, request uuid, node uuid, node_epoch bigint)
returns table (outcome text, original uuid, original_cause text, original_answer bytea) language plpgsql as $$
declare
  known record;
  at timestamptz := lease_now();
begin
  loop
    select body_hash, request_id, node_id, epoch, state, cause, claimed_at into known from keyed_requests
      where organization_id = organization and key_hash = key;
    if not found then
      if (select count(*) from (select from keyed_requests where organization_id = organization
          and key_hash between keyed_request_part(key) and keyed_request_part_end(key) limit keyed_request_part_rows()) as part)
          >= keyed_request_part_rows() then
        outcome := 'full';
        return next;
        return;
      end if;
      insert into keyed_requests (organization_id, key_hash, body_hash, request_id, node_id, epoch, claimed_at)
        values (organization, key, body, request, node, node_epoch, at) on conflict do nothing;
    elsif known.claimed_at <= at - keyed_request_age() then
      update keyed_requests set body_hash = body, request_id = request, node_id = node, epoch = node_epoch, state = 'running', cause = null,
          answer = null, answer_bytes = 0, claimed_at = at, ended_at = null
        where organization_id = organization and key_hash = key and request_id = known.request_id;
    else
      exit;
    end if;
    -- Else somebody else was faster, and it is looked at again.
    if found then
      outcome := 'claimed';
      original := request;
      return next;
      return;
    end if;
  end loop;
  original := known.request_id;
  if known.body_hash <> body then
    outcome := 'conflict';
  elsif known.state = 'running' then
    outcome := case when keyed_request_runs(known.node_id, known.epoch, known.claimed_at) then 'running' else 'abandoned' end;
  else
    outcome := known.state;
    original_cause := known.cause;
    select answer into original_answer from keyed_requests
      where organization_id = organization and key_hash = key and request_id = known.request_id;
    -- It went with its day in between.
    if known.state = 'kept' and original_answer is null then
      outcome := 'not_kept';
      original_cause := 'expired';
    end if;
  end if;
  return next;
end $$;

-- Says how the request of a claim ended: with an answer; or, of `why`, with one that cannot be repeated; or, of neither, at no cost: then the key is free.
-- Says nothing a second time, and nothing of a key that somebody else has by now. @returns what became of it.
create function keyed_request_end(organization uuid, key bytea, request uuid, sealed bytea, why text) returns text language plpgsql as $$
declare
  size integer := coalesce(octet_length(sealed), 0);
begin
  if size > 0 and size + (select coalesce(sum(answer_bytes), 0) from keyed_requests where organization_id = organization
      and key_hash between keyed_request_part(key) and keyed_request_part_end(key)) > keyed_request_part_bytes() then
    sealed := null;
    size := 0;
    why := 'store_full';
  end if;
  if sealed is null and why is null then
    delete from keyed_requests where organization_id = organization and key_hash = key and request_id = request and state = 'running';
    return case when found then 'released' else 'gone' end;
  end if;
  update keyed_requests set state = case when sealed is null then 'not_kept' else 'kept' end, cause = case when sealed is null then why end,
      answer = sealed, answer_bytes = size, ended_at = lease_now()
    where organization_id = organization and key_hash = key and request_id = request and state = 'running';
  return case when not found then 'gone' when sealed is null then why else 'kept' end;
end $$;

grant select, insert, update, delete on keyed_requests to turnpike_writer;
-- No reader has a use for it: no grant, and the wall behind it should one be given.
alter table keyed_requests enable row level security;
create policy writer_all on keyed_requests to turnpike_writer using (true) with check (true);
create policy reader_own on keyed_requests for select to turnpike_reader
  using (organization_id = nullif(current_setting('turnpike.organization_id', true), '')::uuid);
