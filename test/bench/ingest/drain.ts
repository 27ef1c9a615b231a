import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { sql } from 'kysely';
import { recomputeRollups } from '../../../services/ledger/recompute-rollups.ts';
import { ROLLUP_GRAINS } from '../../../services/ledger/rollups.ts';
import type { DatabaseConnection } from '../../../services/runtime/postgres.ts';
import { parseProcessMessage } from '../../../services/runtime/process-messages.ts';
import { eventually } from '../../harness/eventually.ts';
import { pinned } from '../pinning.ts';
import { readProcessUsage } from '../process-usage.ts';
import type { MakeBacklog } from './backlog.ts';
import type { BenchPostgres } from './bench-postgres.ts';
import { addPrice, createEventSource } from './ledger-events.ts';
import { readTransactions } from './transactions.ts';

/** What it took the ledger to post a backlog. */
export type Drain = {
  readonly entries: number;
  /** From the first entry written to the last. */
  readonly entriesPerSecond: number;
  readonly ledgerCpuUsPerEntry: number;
  /** The backends that post; the sequencer's and the server's own processes are {@link otherPostgresCpuUsPerEntry}. */
  readonly postingCpuUsPerEntry: number;
  readonly otherPostgresCpuUsPerEntry: number;
  readonly transactionMs: { readonly p50: number; readonly p99: number };
  readonly entriesPerTransaction: number;
  readonly problems: readonly string[];
};

const drainMs = 300_000;
const lookAgainMs = 20;

/**
 * Fills an event log, then starts the real ledger process on it and waits until it has posted everything. CPU is counted
 * from when it says that it is ready to the last commit.
 * @param options.whileRunning may look at the process, by its pid and what it printed.
 */
export async function drain(options: {
  readonly postgres: BenchPostgres;
  readonly makeBacklog: MakeBacklog;
  readonly entries: number;
  readonly perSecond: number;
  readonly environment?: Readonly<Record<string, string>>;
  readonly whileRunning?: (pid: number, output: () => string, done: () => Promise<void>) => Promise<void>;
}): Promise<Drain> {
  const { postgres, entries } = options;
  const { url, owner } = await postgres.createDatabase();
  await addPrice(owner.db);
  const backlog = await options.makeBacklog(createEventSource(entries, options.perSecond).next);
  const [program = '', ...parameters] = pinned('measured', [
    process.execPath,
    fileURLToPath(new URL('../../../services/ledger/main.ts', import.meta.url)),
  ]);
  const cpuBefore = await postgres.cpuUs();
  const child = spawn(program, parameters, {
    env: { PATH: process.env.PATH, DATABASE_URL: url, TURNPIKE_LOG_LEVEL: 'error', ...backlog.environment, ...options.environment },
    stdio: ['ignore', 'inherit', 'pipe', 'ipc'],
  });
  let output = '';
  child.stderr?.on('data', (part: Buffer) => {
    output += part.toString();
  });
  try {
    const [message] = await once(child, 'message', { signal: AbortSignal.timeout(20_000) });
    const ready = parseProcessMessage(message);
    if (ready?.kind !== 'ready') throw new Error(`the ledger did not start: ${JSON.stringify(message)} ${output}`);
    const pid = child.pid ?? 0;
    const started = await readProcessUsage(pid);
    const done = (): Promise<void> => posted(owner, entries);
    if (options.whileRunning === undefined) await done();
    else await options.whileRunning(pid, () => output, done);
    const ledger = await readProcessUsage(pid);
    const transactions = await readTransactions(ready.addresses.http ?? '');
    await eventually(async () => (await count(owner, 'journal_positions')) === entries, 60_000);
    const cpuAfter = await postgres.cpuUs();
    const used = (role: string): number => ((cpuAfter.get(role) ?? 0) - (cpuBefore.get(role) ?? 0)) / entries;
    const all = [...cpuAfter.keys()].filter((role) => role !== 'bench').reduce((sum, role) => sum + used(role), 0);
    return {
      entries,
      entriesPerSecond: await rateOf(owner),
      ledgerCpuUsPerEntry: (ledger.cpuUs - started.cpuUs) / entries,
      postingCpuUsPerEntry: used('turnpike-ledger'),
      otherPostgresCpuUsPerEntry: all - used('turnpike-ledger'),
      ...transactions,
      problems: await faults(owner, entries),
    };
  } finally {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill('SIGTERM');
      await once(child, 'exit');
    }
    await backlog.remove();
  }
}

async function posted(owner: DatabaseConnection, entries: number): Promise<void> {
  for (const end = performance.now() + drainMs; performance.now() < end; ) {
    const { rows } = await sql<{ done: bigint | null }>`select sum(next_offset)::bigint as done from log_offsets`.execute(owner.db);
    if (rows[0]?.done === BigInt(entries)) return;
    await new Promise((resolve) => setTimeout(resolve, lookAgainMs));
  }
  throw new Error(`the ledger did not post ${entries} entries within ${drainMs / 1_000} s`);
}

async function rateOf(owner: DatabaseConnection): Promise<number> {
  const { rows } = await sql<{ rate: number }>`select
    (count(*) / extract(epoch from max(recorded_at) - min(recorded_at)))::double precision as rate from ledger_entries`.execute(owner.db);
  return rows[0]?.rate ?? Number.NaN;
}

async function faults(owner: DatabaseConnection, entries: number): Promise<readonly string[]> {
  const problems: string[] = [];
  const found = await count(owner, 'ledger_entries');
  if (found !== entries) problems.push(`${entries} events, but ${found} entries in the ledger`);
  for (const grain of ROLLUP_GRAINS) {
    const day = 86_400_000;
    const today = Math.floor(Date.now() / day) * day;
    const differences = await recomputeRollups(owner.db, grain, { from: new Date(today - day), until: new Date(today + day) });
    if (differences.length > 0) problems.push(`usage_${grain}: ${differences.length} rows are not what the entries sum to`);
  }
  return problems;
}

async function count(owner: DatabaseConnection, table: 'ledger_entries' | 'journal_positions'): Promise<number> {
  const { rows } = await sql<{ found: bigint }>`select count(*) as found from ${sql.table(table)}`.execute(owner.db);
  return Number(rows[0]?.found ?? 0n);
}
