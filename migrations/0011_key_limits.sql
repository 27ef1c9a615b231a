-- Where a key may be used and for what, and when an admin key last was.
alter table api_keys
  -- paths such as `/v1/chat/completions`; null: every endpoint
  add column allowed_endpoints text[] check (cardinality(allowed_endpoints) between 1 and 32),
  -- null: from everywhere
  add column allowed_cidrs cidr[] check (cardinality(allowed_cidrs) between 1 and 64),
  -- of an admin key, to the minute; the last use of any other is its last entry in the ledger
  add column last_used_at timestamptz;
