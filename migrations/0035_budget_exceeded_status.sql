-- What requests are refused with that a budget has no room left for (schema/values/budget-exceeded-status.ts).
alter table organizations
  add column budget_exceeded_status smallint not null default 429 check (budget_exceeded_status in (402, 429));
