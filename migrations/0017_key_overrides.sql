alter table api_keys
  -- what a request of the key may decide for itself by a header, such as `timeout`; null: nothing
  add column allowed_overrides text[] check (cardinality(allowed_overrides) between 1 and 8);
