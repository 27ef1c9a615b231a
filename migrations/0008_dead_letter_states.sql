-- What became of a dead letter. `open`: it waits for a person. `retrying`: a person asked for it, the ledger takes it next.
-- `posted`: its event is in the books. `discarded`: put aside for good. The last two are final, and leave facts and a hash:
-- bytes, headers (personal data among them) and key are erased, since a posted event stands in the ledger and a discarded one nowhere.
alter table dead_letters
  add state text not null default 'open' check (state in ('open', 'retrying', 'posted', 'discarded')),
  alter column value drop not null,
  -- SHA-256 and length of what was erased
  add value_hash bytea check (length(value_hash) = 32),
  add value_bytes integer,
  add retries integer not null default 0,
  add retry_requested_at timestamptz,
  -- how the latest retry ended where it was not posted
  add retried_at timestamptz,
  add retry_reason text,
  add retry_detail text,
  add closed_at timestamptz,
  -- the request whose entry it became
  add request_id uuid,
  add discard_reason text,
  add constraint closed_keeps_no_bytes check (
    case when state in ('open', 'retrying')
      then value is not null and value_hash is null and value_bytes is null and closed_at is null
      else value is null and value_hash is not null and value_bytes is not null and closed_at is not null
        and headers = '{}' and record_key is null
    end),
  add constraint posted_names_its_request check ((state = 'posted') = (request_id is not null)),
  add constraint discarded_says_why check ((state = 'discarded') = (discard_reason is not null));

-- Counted by reason every few seconds, and looked at for what to take next.
create index dead_letters_unsettled on dead_letters (reason) where state in ('open', 'retrying');
create index dead_letters_queued on dead_letters (retry_requested_at, id) where state = 'retrying';
create index dead_letters_of_organization on dead_letters (organization_id, id);

-- Where it stood, why it is here and whose it is stay as they were written.
grant update (state, value, value_hash, value_bytes, headers, record_key, retries, retry_requested_at, retried_at, retry_reason,
  retry_detail, closed_at, request_id, discard_reason) on dead_letters to turnpike_writer;
