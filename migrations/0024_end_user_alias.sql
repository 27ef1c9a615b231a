-- Counters of budgets that count by end user name them by an alias, an HMAC under the installation's key: their rows are not erased with a
-- person. The name is found by its requests, for as long as those may know it.
alter table request_subject add column end_user_alias text;
create index request_subject_alias on request_subject (organization_id, end_user_alias) where end_user_alias is not null;
