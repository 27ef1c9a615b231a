-- Keys whose secret is to be changed every so often.
alter table api_keys
  add column rotate_every_seconds integer check (rotate_every_seconds between 3600 and 34560000),
  -- how long a secret works on when its rotation is due; null: until it is rotated
  add column rotate_within_seconds integer check (rotate_within_seconds between 0 and 34560000),
  add column rotation_due_at timestamptz,
  -- when it was told that the rotation is due
  add column rotation_told_at timestamptz,
  add check (rotate_within_seconds is null or rotate_every_seconds is not null);
create index api_keys_due_rotation on api_keys (rotation_due_at) where rotation_told_at is null and revoked_at is null;
