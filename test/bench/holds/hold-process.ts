import { randomBytes } from 'node:crypto';
import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { encodeRequestSettled } from '../../../schema/events/request-settled-serializer.ts';
import { idFromUuid, mintId } from '../../../schema/values/ids.ts';
import { UNKNOWN_USAGE } from '../../../schema/values/token-usage.ts';
import { systemTimers } from '../../../services/eventlog/timers.ts';
import { sheetFromPerMillion } from '../../../services/pricing/price-sheet.ts';
import type { BudgetedRequest } from '../../../services/proxy/budgets/budget-gate.ts';
import { createBudgetGate } from '../../../services/proxy/budgets/budget-gate.ts';
import type { OrganizationBudgets } from '../../../services/proxy/budgets/compiled-budgets.ts';
import { createHoldBooks } from '../../../services/proxy/budgets/hold-books.ts';
import { createLeaseDatabase } from '../../../services/proxy/budgets/lease-database.ts';
import { createLeaseNode } from '../../../services/proxy/budgets/lease-node.ts';
import { createLeaseSums } from '../../../services/proxy/budgets/lease-sums.ts';
import { chatCompletions } from '../../../services/proxy/endpoints/chat-completions.ts';
import { Exchange } from '../../../services/proxy/exchange.ts';
import { HeldBytes } from '../../../services/proxy/held-bytes.ts';
import { encodeOrphanDraft } from '../../../services/proxy/settlement/orphan-draft.ts';
import type { Ending } from '../../../services/proxy/settlement/settle.ts';
import { localEnding, settle } from '../../../services/proxy/settlement/settle.ts';
import { commitmentTo, createSubject } from '../../../services/proxy/settlement/subject.ts';
import type { CompiledModel } from '../../../services/proxy/snapshot/compiled-model.ts';
import type { CompiledKey } from '../../../services/proxy/snapshot/compiled-snapshot.ts';
import { compileSnapshot, createKnownSecrets } from '../../../services/proxy/snapshot/compiled-snapshot.ts';
import { readSnapshot } from '../../../services/registry/read-snapshot.ts';
import { systemClock } from '../../../services/runtime/clock.ts';
import { endTurn, inTurns } from '../../../services/runtime/in-turns.ts';
import { createLog } from '../../../services/runtime/log.ts';
import { createDatabase } from '../../../services/runtime/postgres.ts';
import type { HoldJob, HoldResult } from './hold-job.ts';
import { parseHoldJob } from './hold-job.ts';

// What a proxy does for the budgets of a request and nothing else, from the budgets that count it to the event with its holds: the gate, the leases
// against a real database, the draft of the orphan, the settlement, its event and the sums. No sockets and no disk; a spool says that it has synced.

/** Open at once, and settled between two syncs: what a busy proxy has. */
const OPEN = 64;
const SETTLED_PER_SYNC = 25;
const KEYS_IN_USE = 100;

const [url = '', node = '', many = '', hot = ''] = process.argv.slice(2);
const connection = createDatabase({ url, role: 'login', applicationName: 'bench-holds', poolSize: 4 });
const snapshot = await readSnapshot(connection.db);
const compiled = await inTurns(
  compileSnapshot(snapshot, { sheetOf: () => null, openCredentials: () => new Map(), known: createKnownSecrets() }),
  1_000,
  endTurn,
);
const incarnation = randomBytes(16).toString('hex');
const leases = createLeaseNode({
  node,
  epoch: 1,
  incarnation,
  finals: () => [],
  torn: () => [],
  closed: () => [],
  onClosed: () => {},
  moved: false,
  leaseWaitMs: 10_000,
  database: createLeaseDatabase(connection.db, node, incarnation),
  now: systemClock.monotonic,
  timers: systemTimers,
  newNonce: () => randomBytes(12).toString('hex'),
  claimNextEpoch: async () => 2,
  log: createLog({ name: 'bench', level: 'warn' }),
  onExit: (cause) => process.exit(cause === 'copied' ? 3 : 4),
});
await leases.begin(30_000);

let syncs: (() => void)[] = [];
const sync = (): void => {
  const all = syncs;
  syncs = [];
  for (const run of all) run();
};
const spool = {
  state: () => ({ epoch: 1, unsent: 0, oldestUnsentMs: 0, bytes: 0, open: 0, writable: true }),
  whenSynced: (run: () => void) => void syncs.push(run),
};
let spentOnHot = 0n;
const sums = createLeaseSums(idFromUuid('node', node));
const books = createHoldBooks({
  leases,
  sums: {
    add: (counter, epoch, debit, nowMs) => {
      sums.add(counter, epoch, debit, nowMs);
      if (onHot) spentOnHot += debit;
    },
    orphaned: sums.orphaned,
  },
  spool,
  clock: systemClock,
});
const gate = createBudgetGate({
  leases,
  shares: { take: () => {}, settle: () => {}, standing: () => null },
  holds: books,
  watched: { see: () => null, watch: () => ({ sight: null, seenAt: 0 }) },
  held: new HeldBytes(1_000_000_000),
  hashOf: (text) => text,
  isStopping: () => false,
});
let onHot = false;

const provider = {
  id: id('provider'),
  organizationId: null,
  name: 'bench',
  protocol: 'openai' as const,
  baseUrl: 'http://bench',
  credential: null,
  options: {},
};
const target: CompiledModel = {
  id: id('model'),
  name: 'bench/echo',
  provider,
  credential: { kind: 'none' },
  upstreamModel: 'echo',
  createdAt: 0,
  contextWindow: 128_000,
  maxOutputTokens: 16_384,
  prices: [{ validFrom: 0, sheet: sheetFromPerMillion({ input: '1', output: '4', cacheRead: '0.1' }) }],
};
const request = { model: 'bench/echo', messages: [{ role: 'user' as const, content: 'a line of verse' }], max_tokens: 256 };
const bytes = Buffer.from(JSON.stringify(request).padEnd(306));
const subject = createSubject(randomBytes(16), null, '127.0.0.1', null);
const commitment = commitmentTo(subject);
const attempt = { provider: 'bench', upstreamModel: 'echo', startMs: 0.312, durationMs: 1.234, status: 200, outcome: 'succeeded' as const };
const ending: Ending = {
  ...localEnding('succeeded', 200, null, 1.555),
  finishReason: 'stop',
  modelAnswered: 'echo',
  attempts: [{ ...attempt, errorCode: null, providerRequestId: null }],
  usage: { ...UNKNOWN_USAGE, input: 52, cacheRead: 0, output: 128, reasoning: 0 },
  rawUsage: '{"prompt_tokens":52,"completion_tokens":128,"total_tokens":180}',
  cost: { kind: 'rated', costPico: 564_000_000n, priceVersion: 'prc_abcdefgh' },
};
const writer = { node: mintId('node', Date.now(), randomBytes(10)), epoch: 1 };
const envelope = { source: `/turnpike/proxy/${writer.node}/1`, partition: 3, subject };
const response = new ServerResponse(new IncomingMessage(new Socket()));

const keys = [...compiled.secrets.values()].map(({ key }) => key);
const hotKeys = keys.filter((key) => key.organizationId === hot);
// Those that have a budget of their own are the oldest.
const budgetedKeys = new Set(
  snapshot.budgets.flatMap(({ selector }) => selector.flatMap((one) => (one.dimension === 'api_key' ? one.in : []))),
);
const manyKeys = keys.filter((key) => budgetedKeys.has(key.id)).slice(0, KEYS_IN_USE);

type Admitted = { readonly exchange: Exchange; state: 'waits' | 'through' | 'refused' };

function admit(key: CompiledKey, budgets: OrganizationBudgets | undefined): Admitted {
  const exchange = new Exchange(id('request'), key, compiled, chatCompletions, Date.now(), performance.now(), {}, response, null);
  exchange.target = target;
  exchange.modelRequested = 'bench/echo';
  exchange.decisionReason = 'named';
  exchange.candidates = CANDIDATES;
  exchange.subjectCommitment = commitment;
  const admitted: Admitted = { exchange, state: budgets === undefined ? 'through' : 'waits' };
  if (budgets === undefined) return admitted;
  const through = (): void => {
    admitted.state = 'through';
  };
  const refused = (): void => {
    admitted.state = 'refused';
  };
  const bound: BudgetedRequest['bound'] = (model, cap) => chatCompletions.bound(request, bytes, model, cap);
  gate.admit({ exchange, budgets, target, outputCap: null, bodyBytes: bytes.length, bound }, through, refused);
  return admitted;
}
const CANDIDATES = ['bench/echo'];

/** @returns bytes for the spool. */
function close(exchange: Exchange): number {
  const held = exchange.holds === null ? undefined : books.settle(exchange.requestId, exchange.holds, ending);
  const record = encodeRequestSettled(settle(exchange, ending, writer, held?.holds), { ...envelope, timeMs: Date.now() });
  held?.written();
  return record.value.length;
}

async function work(
  keysInUse: readonly CompiledKey[],
  budgets: OrganizationBudgets | undefined,
  isOver: (requests: number) => boolean,
): Promise<HoldResult> {
  const open: Exchange[] = [];
  let [requests, refused, bytes] = [0, 0, 0];
  const startedAt = performance.now();
  const before = process.cpuUsage();
  while (!isOver(requests)) {
    const key = keysInUse[requests % keysInUse.length];
    if (key === undefined) throw new Error('no keys');
    const admitted = admit(key, budgets);
    while (admitted.state === 'waits') await endTurn();
    requests += 1;
    if (admitted.state === 'refused') refused += 1;
    else {
      bytes += Buffer.byteLength(encodeOrphanDraft(admitted.exchange, subject, { upstreamModel: 'echo', startMs: 0.312 }, writer));
      open.push(admitted.exchange);
    }
    const oldest = open.length > OPEN ? open.shift() : undefined;
    if (oldest !== undefined) bytes += close(oldest);
    if (requests % SETTLED_PER_SYNC === 0) sync();
    // Now and then a turn, for beats and for the answers of the database.
    if (requests % 200 === 0) await endTurn();
  }
  for (const exchange of open) bytes += close(exchange);
  sync();
  const { user, system } = process.cpuUsage(before);
  const spent = spentOnHot.toString();
  return { requests, refused, elapsedMs: performance.now() - startedAt, cpuUs: user + system, bytes, spent };
}

async function run(job: HoldJob): Promise<HoldResult> {
  onHot = job.kind === 'hot';
  switch (job.kind) {
    case 'requests':
      return work(manyKeys, job.budgeted ? compiled.budgets.get(many) : undefined, (requests) => requests >= job.requests);
    case 'hot': {
      const endsAt = performance.now() + job.durationMs;
      return work(hotKeys, compiled.budgets.get(hot), () => performance.now() >= endsAt);
    }
    case 'stop':
      await leases.stop(10_000);
      await connection.close();
      return { requests: 0, refused: 0, elapsedMs: 0, cpuUs: 0, bytes: 0, spent: spentOnHot.toString() };
    default:
      return job satisfies never;
  }
}

function id(kind: 'request' | 'provider' | 'model'): string {
  return mintId(kind, Date.now(), randomBytes(10));
}

process.on('message', (message) => {
  void run(parseHoldJob(message)).then((result) => process.send?.(result));
});
process.on('disconnect', () => process.exit(0));
process.on('SIGTERM', () => process.exit(0));
process.send?.({ keys: manyKeys.length });
