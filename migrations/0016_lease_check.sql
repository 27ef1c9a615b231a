-- What is wrong with the books of the leases: no row, if nothing is. One statement, so all of it is of one moment. Each figure is computed from
-- what others wrote: the room of leases, the postings on them, the totals of counters. `with_log` also adds up every change there ever was.
--   identity   settled + held is not committed + overrun
--   committed  not what the leases, their postings and what has left the window come to
--   cap        committed above the limit of the last grant
--   log        entries that are missing, or that do not add up to what is committed
--   entry      an entry that says another sum than the entries up to it, or one above its cap
-- In one pass over leases and postings, and for a part of the counters: a limit by the minute makes one for each minute and group, and all of them are
-- proved. `above`, `upto`: ids between which to look. It does not use the views: two ways to the same figures.
create function lease_check(with_log boolean, above uuid default '00000000-0000-0000-0000-000000000000',
  upto uuid default 'ffffffff-ffff-ffff-ffff-ffffffffffff')
returns table (kind text, counter_id uuid, found jsonb) language sql stable
begin atomic
  with lease as (
    select coalesce(granted - returned, 0) as room, coalesce(posted, 0) as posted, counter_id
    from (select * from leases where counter_id > above and counter_id <= upto) as leases
      full join (select * from lease_postings where counter_id > above and counter_id <= upto) as lease_postings
        using (counter_id, node_id, epoch)
  ), summed as (
    select lease.counter_id, sum(room) as rooms, sum(posted) as postings, sum(greatest(room - posted, 0)) as held,
      sum(greatest(posted - room, 0)) as uncovered
    from lease group by lease.counter_id
  ), counter as (
    select id, committed, cap, coalesce(settled, 0) - aged_debit - aged_excess as settled, coalesce(held, 0) as held,
      coalesce(excess, 0) - aged_excess + coalesce(uncovered, 0) as overrun,
      coalesce(rooms, 0) - (coalesce(postings, 0) + coalesce(excess, 0) - coalesce(settled, 0)) - aged_debit as expected
    from budget_counters left join summed on summed.counter_id = id left join counter_totals on counter_totals.counter_id = id
    where id > above and id <= upto
  )
  select problem.kind, id, jsonb_build_object('settled', settled::text, 'held', held::text, 'overrun', overrun::text,
      'committed', committed::text, 'expected', expected::text, 'cap', cap::text)
    from counter, unnest(array[
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
      where with_log and id > above and id <= upto
      group by id
    ) as folded
    where entries <> folded.version or last <> folded.version or sum <> committed
  union all
  select 'entry', entry.counter_id, jsonb_build_object('version', entry.version, 'committed', committed::text, 'sum', sum::text, 'cap', cap::text)
    from (
      select lease_log.counter_id, lease_log.version, lease_log.committed, lease_log.cap,
        sum(lease_log.amount) over (partition by lease_log.counter_id order by lease_log.version) as sum
      from lease_log
      where with_log and lease_log.counter_id > above and lease_log.counter_id <= upto
    ) as entry
    where committed <> sum or committed > cap;
end;
