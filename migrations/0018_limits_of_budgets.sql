-- Budgets that were defined before anything counted by them: their limits, for leasing. From here on the registry writes both.
-- Zones and anchors are those that the registry has checked when it took the definition.
insert into budget_limits (id, organization_id, budget_id, unit, amount, window_kind, window_zone, window_anchor, window_seconds)
select (each ->> 'id')::uuid, organization_id, budgets.id, each ->> 'unit', (each ->> 'amount')::numeric, each -> 'window' ->> 'kind',
  coalesce(each -> 'window' ->> 'zone', 'UTC'), coalesce(each -> 'window' ->> 'anchor', '2001-01-01T00:00:00'),
  (each -> 'window' ->> 'seconds')::bigint
from budgets, jsonb_array_elements(definition -> 'limits') as each
where archived_at is null;

-- A proxy of the version before knows of no budgets in its snapshot; those that follow read it anew.
update registry_revision set revision = revision + 1;
