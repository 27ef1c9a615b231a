import { Type } from 'typebox';
import { Compile } from 'typebox/compile';

/** What exports the log: one row an entry, whose text is a line of the file. Amounts as text, since JSON readers lose digits beyond 2^53. */
export const LEASE_LOG_QUERY = `select json_build_object('counter', counter_id, 'version', version, 'kind', kind, 'node', node_id, 'epoch', epoch,
    'amount', amount::text, 'committed', committed::text, 'cap', cap::text) from lease_log order by counter_id, version`;

const amount = Type.String({ pattern: '^-?\\d{1,38}$' });
const entryShape = Compile(
  Type.Object({
    counter: Type.String({ minLength: 1 }),
    version: Type.Integer({ minimum: 1 }),
    kind: Type.String(),
    node: Type.Union([Type.String(), Type.Null()]),
    epoch: Type.Union([Type.Integer(), Type.Null()]),
    amount,
    committed: amount,
    cap: amount,
  }),
);

/** What an exported log of the leases proves by itself. */
export interface LeaseLogProof {
  readonly counters: number;
  readonly entries: number;
  /** Sentences about what is wrong, each with its counter and version; none if nothing is. */
  readonly findings: readonly string[];
}

/** More are not worth reading. */
const MOST_FINDINGS = 100;

interface Folded {
  readonly counter: string;
  version: number;
  committed: bigint;
  /** By node and epoch; null behind a reconciliation or a summary, which say nothing of single leases. */
  rooms: Map<string, bigint> | null;
}

/**
 * Adds up `lease_log` (reference/leases.md section 2) without a database: no entry is missing, each says what the entries up to it come to, none is
 * above the limit of its time, and no lease gave back more than it was granted.
 * @param lines as {@link LEASE_LOG_QUERY} gives them.
 */
export async function proveLeaseLog(lines: AsyncIterable<string>): Promise<LeaseLogProof> {
  const findings: string[] = [];
  const seen = new Set<string>();
  let entries = 0;
  let folded = emptyFold('');
  for await (const line of lines) {
    if (line.trim() === '') continue;
    if (findings.length >= MOST_FINDINGS) break;
    entries += 1;
    const entry = parsed(line);
    if (entry === null) {
      findings.push(`line ${entries} is no entry of the log`);
      continue;
    }
    if (folded.counter !== entry.counter) {
      if (seen.has(entry.counter)) findings.push(`${entry.counter}: its entries are not together; export them in order`);
      seen.add(entry.counter);
      folded = emptyFold(entry.counter);
    }
    fold(folded, entry, findings);
  }
  return { counters: seen.size, entries, findings };
}

const emptyFold = (counter: string): Folded => ({ counter, version: 0, committed: 0n, rooms: new Map() });

type Entry = NonNullable<ReturnType<typeof parsed>>;

function fold(folded: Folded, entry: Entry, findings: string[]): void {
  const where = `${entry.counter}, version ${entry.version}`;
  // All that was before it, in one: nothing may be before it.
  const isSummary = entry.kind === 'summary' && folded.version === 0;
  if (entry.version !== folded.version + 1 && !isSummary) findings.push(`${where}: follows version ${folded.version}`);
  folded.version = entry.version;
  folded.committed += entry.amount;
  if (folded.committed !== entry.committed) findings.push(`${where}: says ${entry.committed}, the entries come to ${folded.committed}`);
  if (entry.committed > entry.cap) findings.push(`${where}: ${entry.committed} is above the limit of then, ${entry.cap}`);
  // The next entry is judged by what this one says: one mistake is told once.
  folded.committed = entry.committed;
  if (entry.kind === 'reconcile' || isSummary) folded.rooms = null;
  if (folded.rooms === null || entry.node === null) return;
  const lease = `${entry.node} in epoch ${entry.epoch}`;
  const room = (folded.rooms.get(lease) ?? 0n) + entry.amount;
  folded.rooms.set(lease, room);
  if (room < 0n) findings.push(`${where}: ${lease} has given back ${-room} more than it was granted`);
}

function parsed(line: string) {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return null;
  }
  if (!entryShape.Check(value)) return null;
  return { ...value, amount: BigInt(value.amount), committed: BigInt(value.committed), cap: BigInt(value.cap) };
}
