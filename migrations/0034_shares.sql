-- Limits too short-lived for counters: so much in each second or ten, or so many requests at once. Of each, every proxy has a share, and lets through no more
-- than that without asking; the shares together are never more than the limit.

create table shared_limits (
  id uuid primary key,
  organization_id uuid not null references organizations,
  rate_limit_id uuid not null references rate_limits,
  unit text not null check (unit in ('usd', 'tokens', 'requests', 'input_tokens', 'output_tokens', 'concurrent_requests')),
  -- pico-USD, tokens or requests
  amount numeric(38, 0) not null check (amount >= 0),
  -- null: what is let through counts as long as it runs
  period_ms integer check (period_ms in (1000, 10000)),
  sealed_at timestamptz,
  check ((unit = 'concurrent_requests') = (period_ms is null))
);
create index shared_limits_of_rate_limit on shared_limits (rate_limit_id);

-- A process that has shares.
create table share_holders (
  node_id uuid primary key,
  epoch bigint not null,
  -- of its last word that was heard: an earlier one counts no more
  sequence bigint not null,
  -- from then on its shares are nobody's, unless it is heard before
  silent_at timestamptz not null,
  lapsed_at timestamptz
) with (fillfactor = 50);

create table shares (
  limit_id uuid not null references shared_limits,
  group_key varchar(512) not null,
  node_id uuid not null references share_holders,
  organization_id uuid not null,
  share numeric(38, 0) not null check (share >= 0),
  -- as it last told: what its requests use, what they would have used had there been room, and the largest that found none
  used numeric(38, 0) not null,
  want numeric(38, 0) not null,
  need numeric(38, 0) not null,
  told_at timestamptz not null,
  -- since then others may have it: the proxy was silent
  lapsed_at timestamptz,
  primary key (limit_id, group_key, node_id)
) with (fillfactor = 50);
create index shares_of_node on shares (node_id);

-- A process uses its shares for 45 s after its last word that was heard, by a clock that runs on while the machine sleeps. The rest is for what it let through
-- to leave the longest period, and for clocks that run at different rates.
create function share_silence() returns interval language sql immutable parallel safe return interval '60 seconds';
create function share_longest_period() returns interval language sql immutable parallel safe return interval '10 seconds';

-- What a node may have of a limit while there is not enough for all: those that want less than their part have it, the others an equal part, or as much as the
-- largest request that waits there. Who comes first changes every five seconds, so that of a limit of one everybody has it in turns.
create function share_part(my_limit uuid, my_group text, my_node uuid, amount numeric) returns numeric
language plpgsql volatile set search_path = public, pg_temp as $$
declare
  turn constant text := floor(extract(epoch from lease_now()) / 5)::bigint;
  rest numeric := amount;
  wanting integer;
  part numeric;
  holder record;
begin
  select count(*) into wanting from shares where limit_id = my_limit and group_key = my_group and lapsed_at is null and want > 0;
  for holder in
    select node_id, want, need from shares where limit_id = my_limit and group_key = my_group and lapsed_at is null and want > 0
    order by want > trunc(amount / greatest(wanting, 1)), md5(node_id || turn)
  loop
    part := least(holder.want, rest, greatest(ceil(rest / wanting), holder.need));
    if holder.node_id = my_node then
      return part;
    end if;
    rest := rest - part;
    wanting := wanting - 1;
  end loop;
  return 0;
end $$;

-- The word of a process about its shares, twice a second and when a request finds no room. A share is raised here and lowered by what its owner says it keeps,
-- so what an owner uses is never more than its row, whichever words or answers are late or lost. `leaving`: the last word.
-- Locks: the own holder, the limits in the order of their ids. Those of other holders are taken only where nobody has them.
create function share_tell(my_node uuid, my_epoch bigint, my_sequence bigint, is_first boolean, leaving boolean, limits uuid[], groups text[], keeps numeric[], useds numeric[],
  wants numeric[], needs numeric[], asks numeric[])
-- stale: a later word was heard, or a later boot; nothing was done. told: how the shares stand that it told of, those that others wait for, and, while a
-- boot has heard nothing, those that an earlier one left. `amount` is null where the limit is no more, `recall` where nobody is short.
returns table (status text, limit_id uuid, group_key text, share numeric, others numeric, amount numeric, recall numeric, period_ms integer)
language plpgsql security definer set search_path = public, pg_temp as $$
#variable_conflict use_column
declare
  holder share_holders;
  gone uuid;
  told record;
  has_limit boolean;
  is_short boolean;
  kept numeric;
  elsewhere numeric;
  owner uuid;
  most numeric;
  period integer;
  part numeric;
begin
  for gone in
    select node_id from share_holders where silent_at <= lease_now() and lapsed_at is null and node_id <> my_node for update skip locked
  loop
    update shares set lapsed_at = lease_now() where node_id = gone and lapsed_at is null;
    update share_holders set lapsed_at = lease_now() where node_id = gone;
  end loop;
  for gone in select node_id from share_holders where lapsed_at < lease_now() - interval '1 day' and node_id <> my_node for update skip locked loop
    delete from shares where node_id = gone;
    delete from share_holders where node_id = gone;
  end loop;

  insert into share_holders (node_id, epoch, sequence, silent_at) values (my_node, 0, 0, lease_now() + share_silence()) on conflict do nothing;
  select * into strict holder from share_holders where node_id = my_node for update;
  if holder.epoch > my_epoch or (holder.epoch = my_epoch and holder.sequence >= my_sequence) then
    status := 'stale';
    return next;
    return;
  end if;
  update share_holders set epoch = my_epoch, sequence = my_sequence, lapsed_at = null,
    silent_at = lease_now() + case when leaving then share_longest_period() else share_silence() end
    where node_id = my_node;
  if holder.epoch < my_epoch then
    delete from shares where node_id = my_node and lapsed_at is not null;
  end if;

  status := 'told';
  perform from shared_limits where id = any (limits) order by id for no key update;
  for told in
    select * from unnest(limits, groups, keeps, useds, wants, needs, asks) as word (of_limit, of_group, keep, used, want, need, ask)
  loop
    select organization_id, amount, period_ms, true into owner, most, period, has_limit
      from shared_limits where id = told.of_limit and sealed_at is null;
    has_limit := coalesce(has_limit, false);
    select coalesce(sum(share), 0), coalesce(bool_or(want > share), false) into elsewhere, is_short from shares
      where limit_id = told.of_limit and group_key = told.of_group and node_id <> my_node and lapsed_at is null;
    kept := 0;
    if not has_limit or (told.keep = 0 and told.used = 0 and told.ask = 0) then
      delete from shares where limit_id = told.of_limit and group_key = told.of_group and node_id = my_node;
    else
      insert into shares as known (limit_id, group_key, node_id, organization_id, share, used, want, need, told_at)
        values (told.of_limit, told.of_group, my_node, owner, 0, told.used, told.want, told.need, lease_now())
        on conflict (limit_id, group_key, node_id) do update set
          share = case when known.lapsed_at is null then least(known.share, told.keep) else 0 end,
          used = excluded.used, want = excluded.want, need = excluded.need, told_at = excluded.told_at, lapsed_at = null
        returning known.share into kept;
      part := case when is_short then share_part(told.of_limit, told.of_group, my_node, most)
        -- Beyond what is wanted half of what is left, so that who comes next need not wait for it to come back.
        else greatest(told.want, least(told.ask, kept + trunc((most - elsewhere - kept) / 2))) end;
      if part > kept and most > elsewhere + kept then
        update shares set share = least(part, most - elsewhere) where limit_id = told.of_limit and group_key = told.of_group and node_id = my_node
          returning shares.share into kept;
      end if;
    end if;
    limit_id := told.of_limit;
    group_key := told.of_group;
    share := kept;
    others := elsewhere;
    amount := case when has_limit then most end;
    recall := case when is_short and part < kept then part end;
    period_ms := period;
    return next;
  end loop;

  return query
    select 'told', mine.limit_id, mine.group_key::text, mine.share, null::numeric, case when sealed_at is null then shared_limits.amount end,
      case when part < mine.share then part end, shared_limits.period_ms
    from shares as mine join shared_limits on id = mine.limit_id
      cross join lateral (
        select case when mine.share > 0 and exists (select from shares as other where other.limit_id = mine.limit_id
          and other.group_key = mine.group_key and other.node_id <> my_node and other.lapsed_at is null and other.want > other.share)
          then share_part(mine.limit_id, mine.group_key, my_node, shared_limits.amount) end as part
      ) as equal
    where mine.node_id = my_node and mine.lapsed_at is null and (is_first or (part < mine.share))
      and not exists (select from unnest(limits, groups) as word (of_limit, of_group) where of_limit = mine.limit_id and of_group = mine.group_key);
end $$;

revoke execute on function share_silence, share_longest_period, share_part, share_tell from public;
grant execute on function share_tell to turnpike_writer;
grant select, insert, update on shared_limits to turnpike_writer;
grant select on shared_limits to turnpike_reader;
grant select on shares to turnpike_writer, turnpike_reader;
grant select on share_holders to turnpike_writer;
do $$
declare
  name text;
begin
  foreach name in array array['shared_limits', 'shares'] loop
    execute format('alter table %I enable row level security', name);
    execute format('create policy writer_all on %I to turnpike_writer using (true) with check (true)', name);
    execute format($policy$create policy reader_own on %I for select to turnpike_reader
      using (organization_id = nullif(current_setting('turnpike.organization_id', true), '')::uuid)$policy$, name);
  end loop;
end $$;
