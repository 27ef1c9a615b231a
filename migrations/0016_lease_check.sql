-- What is wrong with the books of the leases: no row, if nothing is. One statement, so all of it is of one moment. Each figure is computed from
-- what others wrote: the room of leases, the postings on them, the totals of counters. `with_log` also adds up every change there ever was.
--   identity   settled + held is not committed + overrun
--   committed  not what the leases, their postings and what has left the window come to
--   cap        committed above the limit of the last grant
--   log        entries that are missing, or that do not add up to what is committed
--   entry      an entry that says another sum than the entries up to it, or one above its cap
create function lease_check(with_log boolean) returns table (kind text, counter_id uuid, found jsonb) language sql stable
begin atomic
  select problem.kind, id, jsonb_build_object('settled', settled::text, 'held', held::text, 'overrun', overrun::text,
      'committed', committed::text, 'expected', expected::text, 'cap', cap::text)
    from counter_states, unnest(array[
      case when settled + held <> committed + overrun then 'identity' end,
      case when committed <> expected then 'committed' end,
      case when committed > cap then 'cap' end]) as problem (kind)
    where problem.kind is not null
  union all
  select 'log', folded.id, jsonb_build_object('committed', committed::text, 'sum', sum::text, 'version', folded.version, 'entries', entries, 'last', last)
    from (
      select id, budget_counters.version, budget_counters.committed, count(lease_log.version) as entries, coalesce(max(lease_log.version), 0) as last,
        coalesce(sum(lease_log.amount), 0) as sum
      from budget_counters left join lease_log on lease_log.counter_id = id
      where with_log group by id
    ) as folded
    where entries <> folded.version or last <> folded.version or sum <> committed
  union all
  select 'entry', entry.counter_id, jsonb_build_object('version', entry.version, 'committed', committed::text, 'sum', sum::text, 'cap', cap::text)
    from (
      select lease_log.counter_id, lease_log.version, lease_log.committed, lease_log.cap,
        sum(lease_log.amount) over (partition by lease_log.counter_id order by lease_log.version) as sum
      from lease_log where with_log
    ) as entry
    where committed <> sum or committed > cap;
end;
