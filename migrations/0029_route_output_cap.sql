-- Most tokens of one answer to a request that sets no limit itself (schema/values/output-cap.ts), and whether the proxy writes it into such requests.
alter table routes
  add column max_output_tokens bigint check (max_output_tokens between 1 and 1000000000),
  add column injects_max_tokens boolean not null default false,
  add constraint routes_inject_a_cap check (max_output_tokens is not null or not injects_max_tokens);
