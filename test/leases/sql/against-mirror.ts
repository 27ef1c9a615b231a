import { createHash } from 'node:crypto';
import { sql } from 'kysely';
import type { TestDatabase } from '../../harness/postgres.ts';
import type { LeaseDatabase } from '../mirror/tables.ts';
import { counterView } from '../mirror/view.ts';
import { testId } from './lease-functions.ts';

/** The mirror counts time from here. */
const mirrorEpoch = Date.parse('2026-03-10T12:00:00Z');

export const instant = (ms: number): Date => new Date(mirrorEpoch + ms);

/** The mirror's `n1` and `l1`. */
export const nodeId = (node: string): string => testId('node', 1 + Number(node.slice(1)));
export const limitId = (limit: string): string => testId('limit', 1 + Number(limit.slice(1)));

/** `<limit>/<segment>:<index>/<group>` of the mirror as the parts that SQL makes an id of. Limits are l0 for ever, l1 by the minute, l2 rolling. */
export function counterPlace(name: string): Readonly<Record<'limit' | 'window_key' | 'group' | 'starts_at' | 'ends_at', string | null>> {
  const [limit = '', key = '', group = ''] = name.split('/');
  const [segment, index] = key.split(':');
  const starts = Math.floor(mirrorEpoch / 60_000) * 60_000 + Number(index) * 60_000;
  const iso = (ms: number): string => new Date(ms).toISOString().replace('.000Z', 'Z');
  const kind = { l0: 'lifetime', l1: `minute:${iso(starts)}`, l2: 'rolling' }[limit] ?? '';
  const bounds = limit === 'l1' ? { starts_at: iso(starts), ends_at: iso(starts + 60_000) } : { starts_at: null, ends_at: null };
  return { limit: limitId(limit), window_key: `${segment}:${kind}`, group, ...bounds };
}

export function counterId(name: string): string {
  const { limit, window_key, group } = counterPlace(name);
  const hash = createHash('sha256').update(`${limit}/${window_key}/${group}`).digest('hex');
  return `${hash.slice(0, 8)}-${hash.slice(8, 12)}-8${hash.slice(13, 16)}-8${hash.slice(17, 20)}-${hash.slice(20, 32)}`;
}

const sorted = (rows: readonly (readonly unknown[])[]): string[] =>
  rows.map((row) => JSON.stringify(row, (_key, value: unknown) => (typeof value === 'bigint' ? String(value) : value))).sort();

/** All that the two must agree on, as text. */
export type Shown = Readonly<Record<'generation' | 'nodes' | 'counters' | 'leases' | 'log', readonly string[]>>;

export function showMirror(database: LeaseDatabase): Shown {
  return {
    generation: sorted([[database.generation.generation, database.generation.reconciling]]),
    nodes: sorted(
      database.lease_nodes.map((row) => [nodeId(row.node), row.epoch, row.incarnation, row.beat, row.nonce, row.seen_at, row.lost_at]),
    ),
    counters: sorted(
      database.budget_counters.map((row) => {
        const { settled, held, lost, overrun, expected } = counterView(database, row);
        const { committed, cap, version, wanted_at, sealed_at, aged_debit, aged_excess } = row;
        return [
          counterId(row.counter),
          committed,
          cap,
          version,
          wanted_at,
          sealed_at,
          aged_debit,
          aged_excess,
          settled,
          held,
          lost,
          overrun,
          expected,
        ].map((value) => (typeof value === 'bigint' ? String(value) : value));
      }),
    ),
    leases: sorted(
      database.leases.map((row) => [
        counterId(row.counter),
        nodeId(row.node),
        row.epoch,
        row.granted,
        row.returned,
        row.unproven,
        row.closed_at,
      ]),
    ),
    log: sorted(
      database.lease_log.map((row) => [counterId(row.counter), row.version, row.kind, row.amount, row.committed, row.cap, row.cause]),
    ),
  };
}

export async function showSql(database: TestDatabase): Promise<Shown> {
  const { rows } = await sql<{ shown: Readonly<Record<keyof Shown, readonly (readonly unknown[])[]>> }>`
    with ms as materialized (select ${instant(0)}::timestamptz as zero)
    select jsonb_build_object(
      'generation', (select jsonb_agg(jsonb_build_array(generation, reconciling_since is not null)) from lease_generation),
      'nodes', (select jsonb_agg(jsonb_build_array(id, epoch, incarnation, beat, nonce, since(seen_at), since(lost_at))) from lease_nodes),
      'counters', (select jsonb_agg(jsonb_build_array(id, committed::text, cap::text, version, since(wanted_at), since(c.sealed_at), aged_debit::text,
          aged_excess::text, settled::text, held::text, lost::text, overrun::text, expected::text))
        from counter_states join (select id, aged_debit, aged_excess, sealed_at from budget_counters) as c using (id)),
      'leases', (select jsonb_agg(jsonb_build_array(counter_id, node_id, epoch, granted::text, returned::text, unproven::text, since(closed_at))) from leases),
      'log', (select jsonb_agg(jsonb_build_array(counter_id, version, kind, amount::text, committed::text, cap::text, cause)) from lease_log)
    ) as shown`.execute(database.owner.db);
  const shown = rows[0]?.shown;
  const list = (part: keyof Shown): string[] => sorted(shown?.[part] ?? []);
  return { generation: list('generation'), nodes: list('nodes'), counters: list('counters'), leases: list('leases'), log: list('log') };
}

const tables = [
  'lease_generation',
  'lease_nodes',
  'budget_limits',
  'budget_counters',
  'leases',
  'lease_log',
  'lease_postings',
  'counter_totals',
  'counter_buckets',
  'lease_reports',
];

/** `backup()` keeps what is there, `restore()` brings it back, `empty()` what there was at the beginning. */
export async function prepareRestores(database: TestDatabase): Promise<void> {
  await database.owner.execute(`
    create function since(at timestamptz) returns bigint language sql return round(extract(epoch from at - '${instant(0).toISOString()}') * 1000);
    ${tables.map((table) => `alter table ${table} disable trigger user; create table kept_${table} as table ${table}; create table first_${table} as table ${table};`).join('\n')}`);
}

export async function backup(database: TestDatabase): Promise<void> {
  await database.owner.execute(tables.map((table) => `delete from kept_${table}; insert into kept_${table} table ${table};`).join('\n'));
}

/** `otherTimeline`: the server can tell by itself that it was restored. */
export async function restore(database: TestDatabase, from: 'kept' | 'first', otherTimeline: boolean): Promise<void> {
  await database.owner.execute(`begin; set local session_replication_role = replica;
    ${tables.map((table) => `delete from ${table}; insert into ${table} table ${from}_${table};`).join('\n')}
    update lease_generation set timeline = ${otherTimeline ? `'000000FF'` : 'left(pg_walfile_name(pg_current_wal_lsn()), 8)'}; commit`);
}
