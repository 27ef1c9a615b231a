import type { ChildProcess } from 'node:child_process';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { sql } from 'kysely';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { LogRecord } from '../../../schema/events/log-record.ts';
import { REQUESTS_TOPIC } from '../../../schema/events/topics.ts';
import { idFromUuid, uuidFromId } from '../../../schema/values/ids.ts';
import { embeddedPlaces } from '../../../services/eventlog/embedded/places.ts';
import { createEmbeddedProducer } from '../../../services/eventlog/embedded/producer.ts';
import type { EventLogProducer } from '../../../services/eventlog/event-log.ts';
import { partitionOf } from '../../../services/eventlog/partition.ts';
import { recomputeRollups } from '../../../services/ledger/recompute-rollups.ts';
import { ROLLUP_GRAINS } from '../../../services/ledger/rollups.ts';
import { createBudget } from '../../../services/registry/budgets.ts';
import { parseProcessMessage } from '../../../services/runtime/process-messages.ts';
import { eventually } from '../../harness/eventually.ts';
import { inheritedVariables } from '../../harness/inherited-variables.ts';
import type { TestDatabase } from '../../harness/postgres.ts';
import { createTestDatabase } from '../../harness/postgres.ts';
import { changeOf } from '../../harness/registry.ts';
import { temporaryFolder } from '../../harness/temporary-folder.ts';
import { insertOrganization, leaseFunctions, organizationId } from '../../leases/sql/lease-functions.ts';
import { addTestPrice, anId, recordOf, settledEvent, testCost } from './settled-records.ts';

const main = fileURLToPath(new URL('../../../services/ledger/main.ts', import.meta.url));
let database: TestDatabase;
let home: string;
let producer: EventLogProducer;
const children = new Set<ChildProcess>();

beforeEach(async () => {
  database = await createTestDatabase();
  await addTestPrice(database.writer.db);
  home = await temporaryFolder();
  producer = createEmbeddedProducer({ socketPath: embeddedPlaces(home).socketPath, topics: [REQUESTS_TOPIC], acknowledgeTimeoutMs: 3_000 });
});
afterEach(async () => {
  await producer.close();
  for (const child of children) await end(child, 'SIGKILL');
  await database.drop();
});

type Ledger = { readonly child: ChildProcess; readonly address: string };

async function startLedger(): Promise<Ledger> {
  const child = fork(main, {
    env: {
      ...inheritedVariables(),
      TURNPIKE_HOME: home,
      DATABASE_URL: database.url,
      TURNPIKE_EVENT_LOG: 'embedded',
      TURNPIKE_LOG_LEVEL: 'error',
    },
    execArgv: [],
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  children.add(child);
  const [message] = await once(child, 'message', { signal: AbortSignal.timeout(60_000) });
  const parsed = parseProcessMessage(message);
  if (parsed?.kind !== 'ready') throw new Error(`the ledger did not start: ${JSON.stringify(message)}`);
  return { child, address: parsed.addresses.http ?? '' };
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<number | null> {
  children.delete(child);
  if (child.exitCode === null && child.signalCode === null) {
    const exited = once(child, 'exit');
    child.kill(signal);
    await exited;
  }
  return child.exitCode;
}

function records(count: number): LogRecord[] {
  const organizations = [anId('organization'), anId('organization')];
  const keys = Array.from({ length: 8 }, () => anId('apiKey'));
  return Array.from({ length: count }, (_, index) => {
    const apiKeyId = keys[index % keys.length] ?? '';
    const event = settledEvent({ organizationId: organizations[index % 2] ?? '', apiKeyId });
    return recordOf(event, { offset: 0n, partition: partitionOf(apiKeyId, REQUESTS_TOPIC.partitions) });
  });
}

/** Appends as a spool's sender does: the same batch again until it is acknowledged. */
async function append(batch: readonly LogRecord[]): Promise<void> {
  await eventually(async () => {
    await producer.append(REQUESTS_TOPIC, batch);
    return true;
  }, 30_000);
}

async function expectBooks(count: number): Promise<void> {
  const { rows } = await sql<Record<string, bigint>>`select
    (select count(*) from ledger_entries) as entries, (select coalesce(sum(cost), 0)::numeric(38, 0) from ledger_entries) as cost,
    (select count(*) from journal_positions) as sequenced, (select count(*) from dead_letters) as dead,
    (select coalesce(sum(next_position), 0)::bigint from journal_heads) as heads,
    (select coalesce(sum(requests), 0)::bigint from usage_day) as counted`.execute(database.owner.db);
  const all = BigInt(count);
  expect(rows).toEqual([{ entries: all, cost: all * testCost, sequenced: all, dead: 0n, heads: all, counted: all }]);
}

test('kill -9 of the ledger at any moment loses nothing and posts nothing twice', async () => {
  let ledger = await startLedger();
  let appended = 0;
  let killing = true;
  // Always some, never all of it ahead of the ledger, so that every kill comes in the middle of the work.
  const traffic = (async () => {
    while (killing || appended < 3_000) {
      await append(records(50));
      appended += 50;
      if (killing) await eventually(async () => !killing || (await entries()) > appended - 1_000, 30_000);
    }
  })();
  for (let kills = 0; kills < 4; kills++) {
    const before = await entries();
    // While batches are being committed: some more than at the last kill.
    await eventually(async () => (await entries()) > before + 100, 30_000);
    await end(ledger.child, 'SIGKILL');
    ledger = await startLedger();
  }
  killing = false;
  await traffic;
  await eventually(() => expectBooks(appended).then(() => true), 30_000);
  const range = { from: new Date(0), until: new Date(Date.UTC(2100, 0)) };
  for (const grain of ROLLUP_GRAINS) await expect(recomputeRollups(database.owner.db, grain, range)).resolves.toEqual([]);
  const { rows } = await sql<{ gaps: bigint }>`select count(*) as gaps from (select organization_id from journal_positions
    group by organization_id having min(position) <> 0 or max(position) <> count(*) - 1) as broken`.execute(database.owner.db);
  expect(rows).toEqual([{ gaps: 0n }]);
});

async function entries(): Promise<number> {
  const row = await database.writer.db
    .selectFrom('ledger_entries')
    .select((e) => e.fn.countAll<bigint>().as('rows'))
    .executeTakeFirstOrThrow();
  return Number(row.rows);
}

test('SIGTERM stops in order: exit code 0, and what was acknowledged is in the books after the next start', async () => {
  const first = await startLedger();
  const all = records(400);
  await append(all);
  expect(await end(first.child, 'SIGTERM')).toBe(0);
  await startLedger();
  await eventually(() => expectBooks(all.length).then(() => true));
});

test('it goes on by itself when every connection to the database breaks', async () => {
  const { child, address } = await startLedger();
  await append(records(50));
  await eventually(() => expectBooks(50).then(() => true));
  await database.owner.execute(
    `select pg_terminate_backend(pid) from pg_stat_activity where application_name in ('turnpike-ledger', 'turnpike-sequencer') and datname = current_database()`,
  );
  await append(records(50));
  await eventually(async () => (await entries()) === 100);
  expect(child.exitCode).toBeNull();
  await eventually(async () => (await fetch(`${address}/readyz`)).status === 200);
});

test('what it posts and comes to a threshold is told, and has its place in the journal', async () => {
  const { db } = database.writer;
  await insertOrganization(db);
  const { budget } = await changeOf(db, organizationId, (change) =>
    createBudget(change, {
      name: 'Watched',
      selector: [],
      groupBy: [],
      limits: [{ unit: 'usd', amount: (2n * testCost).toString(), window: { kind: 'lifetime' } }],
      thresholds: ['50', '100'],
      enforcement: 'enforce',
      downgradeTo: null,
      onUnpricedModel: 'block',
      fallbackPrice: null,
    }),
  );
  const node = anId('node');
  const leases = leaseFunctions(db);
  await leases.register(uuidFromId('node', node) ?? '', 1, 'one');
  const [lease] = await leases.ask(uuidFromId('node', node) ?? '', 1, [{ limit: budget.definition.limits[0]?.id ?? '', need: testCost }]);
  const cost = testCost.toString();
  const holds = [{ counter: lease?.counter_id ?? '', hold: cost, debit: cost, cost }];
  const { address } = await startLedger();
  const event = settledEvent({ organizationId: idFromUuid('organization', organizationId), node, epoch: 1, holds });
  await append([recordOf(event, { offset: 0n, partition: partitionOf(event.apiKeyId, REQUESTS_TOPIC.partitions) })]);
  const told = () =>
    db
      .selectFrom('budget_alerts')
      .innerJoin('journal_positions', 'item_id', 'id')
      .where('item_kind', '=', 'alert')
      .select(['threshold_basis_points', 'settled', 'amount'])
      .execute();
  await eventually(async () => (await told()).length > 0, 30_000);
  expect(await told()).toEqual([{ threshold_basis_points: 5_000, settled: testCost, amount: 2n * testCost }]);
  await eventually(async () =>
    (await (await fetch(`${address}/metrics`)).text()).includes('turnpike_ledger_alerts_total{process="ledger"} 1'),
  );
});

test('it says how it is: alive, ready, and its figures', async () => {
  const { address } = await startLedger();
  await append(records(30));
  await eventually(() => expectBooks(30).then(() => true));
  expect((await fetch(`${address}/healthz`)).status).toBe(200);
  expect((await fetch(`${address}/readyz`)).status).toBe(200);
  const metrics = await (await fetch(`${address}/metrics`)).text();
  expect(metrics).toContain('turnpike_ledger_entries_posted_total{process="ledger"} 30');
  expect(metrics).toContain('turnpike_ledger_sequencer_leads{process="ledger"} 1');
  expect(metrics).toMatch(/^turnpike_ledger_oldest_unposted_seconds\{.*partition="0".*\} 0$/m);
  expect(metrics).toMatch(/^turnpike_ledger_lag_seconds_count\{process="ledger"\} 30$/m);
  expect(new URL(address).hostname).toBe('127.0.0.1');
});

test('kill -9 while dead letters are taken again books each of them once, beside what comes in', async () => {
  let ledger = await startLedger();
  const future = (record: LogRecord): LogRecord => ({ ...record, headers: { ...record.headers, ce_type: 'turnpike.request.settled.v2' } });
  await append([...records(200).map(future), ...records(40)]);
  const count = async (table: 'dead_letters' | 'ledger_entries', where = sql<boolean>`true`): Promise<number> =>
    (await database.owner.db.selectFrom(table).select('log_offset').where(where).execute()).length;
  await eventually(async () => (await count('dead_letters')) === 200 && (await count('ledger_entries')) === 40);

  // The ledger learned the version meanwhile, and a person asks for all of them.
  await database.owner.execute(`update dead_letters set headers = headers || '{"ce_type":"turnpike.request.settled.v1"}',
    state = 'retrying', retry_requested_at = now()`);
  for (const enough of [1, 80]) {
    await eventually(async () => (await count('dead_letters', sql`state = 'posted'`)) >= enough, 30_000);
    await end(ledger.child, 'SIGKILL');
    ledger = await startLedger();
    await append(records(20));
  }
  await eventually(async () => (await count('dead_letters', sql`state = 'posted'`)) === 200, 30_000);
  await eventually(async () => (await count('ledger_entries')) === 280);
  const { rows } = await sql<Record<string, bigint>>`select
    (select count(*) from dead_letters where retries <> 1) as again, (select count(distinct request_id) from dead_letters) as requests,
    (select coalesce(sum(requests), 0)::bigint from usage_day) as counted,
    (select count(*) from audit_events where action = 'dead_letter.post') as told`.execute(database.owner.db);
  expect(rows).toEqual([{ again: 0n, requests: 200n, counted: 280n, told: 200n }]);
  await end(ledger.child, 'SIGTERM');
}, 120_000);
