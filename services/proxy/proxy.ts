import type { KeyObject } from 'node:crypto';
import { uuidFromId } from '../../schema/values/ids.ts';
import type { Spool } from '../eventlog/spool.ts';
import { systemTimers } from '../eventlog/timers.ts';
import { END_USER_ALIAS } from '../registry/catalog/match-budgets.ts';
import { createClientAddress } from '../runtime/client-address.ts';
import type { Clock } from '../runtime/clock.ts';
import { createFailureLimiter } from '../runtime/failure-limiter.ts';
import { createHealthAnswers } from '../runtime/health-answers.ts';
import type { Log } from '../runtime/log.ts';
import type { MetricsRegistry } from '../runtime/metrics.ts';
import type { Random } from '../runtime/random.ts';
import type { Secrets } from '../runtime/secrets.ts';
import { createAccounts } from './accounts.ts';
import { createAdmission } from './admission/admission.ts';
import { createAuthenticator } from './admission/authenticate.ts';
import { createKeyHash } from './admission/key-hash.ts';
import { createOverload } from './admission/overload.ts';
import type { App } from './app.ts';
import { createApp } from './app.ts';
import type { BatchRecords } from './batches/batch-records.ts';
import { createBeatNonce } from './budgets/beat-nonce.ts';
import { createBudgetGate } from './budgets/budget-gate.ts';
import { createHoldBooks } from './budgets/hold-books.ts';
import { createLeaseClock } from './budgets/lease-clock.ts';
import type { LeaseDatabase } from './budgets/lease-database.ts';
import { createLeaseNode } from './budgets/lease-node.ts';
import type { LeaseSums } from './budgets/lease-sums.ts';
import { settleCounts } from './budgets/settle-counts.ts';
import type { SpoolRemains } from './budgets/spool-remains.ts';
import type { LookAtLimits } from './budgets/watched-limits.ts';
import { createWatchedLimits } from './budgets/watched-limits.ts';
import { tokenTargets } from './credentials/token-targets.ts';
import { createPassThrough } from './endpoints/pass-through.ts';
import { providerEndpoints } from './endpoints/provider-endpoints.ts';
import { createAccountCalls } from './files/account-calls.ts';
import type { FileRecords } from './files/file-records.ts';
import { HeldBytes } from './held-bytes.ts';
import { createAnswerSeals } from './idempotency/answer-seals.ts';
import { createClaimEndings } from './idempotency/claim-endings.ts';
import { createIdempotency } from './idempotency/idempotency.ts';
import { createKeyHashes } from './idempotency/key-hashes.ts';
import type { KeyedRequests } from './idempotency/keyed-requests.ts';
import { createReplay } from './idempotency/replay.ts';
import type { ProxyLimits } from './proxy-limits.ts';
import { DEFAULT_PROXY_LIMITS } from './proxy-limits.ts';
import { createProxyMetrics } from './proxy-metrics.ts';
import { createCredentials } from './relay/credentials.ts';
import { createRelays } from './relay/relays.ts';
import { createBooks } from './settlement/books.ts';
import { createEntropy } from './settlement/entropy.ts';
import type { ShareDatabase } from './shares/share-database.ts';
import { createShareNode } from './shares/share-node.ts';
import type { CompiledSnapshot } from './snapshot/compiled-snapshot.ts';
import type { SnapshotSource } from './snapshot/snapshot-feed.ts';
import { createSnapshotFeed } from './snapshot/snapshot-feed.ts';
import type { Upstreams } from './upstream/upstreams.ts';
import { createUpstreams } from './upstream/upstreams.ts';

export interface ProxyOptions {
  readonly spool: Spool;
  /** `nod_…` */
  readonly node: string;
  /** What the spool carries. */
  readonly leaseSums: LeaseSums;
  /** What the owners of the spool before this process left unsaid. */
  readonly remains: SpoolRemains;
  /** For the leases of one incarnation of this node. */
  readonly leaseDatabase: (node: string, incarnation: string) => LeaseDatabase;
  /** For the shares of one boot of this node. */
  readonly shareDatabase: (node: string, epoch: number) => ShareDatabase;
  /** The idempotency keys of all proxies, for one boot of this node. */
  readonly keyedRequests: (node: string, epoch: number) => KeyedRequests;
  /** The files of all proxies. */
  readonly fileRecords: FileRecords;
  /** The batches of all proxies. */
  readonly batchRecords: BatchRecords;
  /** How limits are looked at of which no lease tells what is booked. */
  readonly lookAtLimits: LookAtLimits;
  /** Milliseconds since the machine's boot, suspension counted. */
  readonly uptimeMs: () => number;
  /** Somebody else has this spool's leases: the process has to end at once. */
  readonly onLeasesTaken: (cause: 'superseded' | 'copied') => void;
  readonly source: SnapshotSource;
  readonly snapshotPath: string;
  readonly pollIntervalMs?: number;
  readonly pepper: KeyObject;
  /** Of the installation's secrets: what sealed credentials are opened with. */
  readonly deriveKey: Secrets['deriveKey'];
  readonly readCredential: (variable: string) => string | null;
  readonly registry: MetricsRegistry;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** Blocks of addresses whose `X-Forwarded-For` is believed. */
  readonly trustedProxies: readonly string[];
  readonly limits?: Partial<ProxyLimits>;
  /** What calls to providers go through instead; the upstreams themselves unless a test arms failpoints. */
  readonly decorateUpstreams?: (upstreams: Upstreams) => Upstreams;
}

/** A proxy without its process: everything but listening and what it is built from. */
export interface ProxyServer {
  readonly app: App;
  /** Settles orphans and gets the first snapshot; true when there is one. */
  start(): Promise<boolean>;
  /**
   * Takes nothing new, lets what is in flight finish until the deadline, settles the rest as it stands, and closes everything
   * but the spool, which is stopped by its owner afterwards.
   */
  stop(deadlineMs: number, hurry: AbortSignal): Promise<void>;
}

/** Bad keys from one address: as many at once, as many more a second. */
const BAD_KEYS = { burst: 100, perSecond: 5 };
/** And beyond that, bad keys with the public part of one real key. */
const BAD_TRIALS = { burst: 10, perSecond: 0.1 };
/** How long the last bytes may take to leave once everything is settled. */
const FLUSH_MS = 1_000;
const FLUSH_LOOK_MS = 10;

/** How long a start waits for leases where a budget needs them; later they come while it serves. */
const FIRST_LEASE_MS = 2_000;
const LEASES_STOP_MS = 2_000;
const HURRIED_LEASES_MS = 250;
const KEYS_STOP_MS = 2_000;
const HURRIED_KEYS_MS = 250;

/** Whether anybody's requests need a lease. */
function hasHoldingBudgets(snapshot: CompiledSnapshot | null): boolean {
  return [...(snapshot?.budgets.values() ?? [])].some(({ holding }) => holding !== null);
}

/** Waits for the connections to end: those without a request at once, the rest when their last byte left, at the latest after {@link FLUSH_MS}. */
async function closeConnections(app: App, closed: Promise<unknown>): Promise<void> {
  const idle = setInterval(() => app.closeIdleConnections(), FLUSH_LOOK_MS);
  const all = setTimeout(() => app.closeAllConnections(), FLUSH_MS);
  await closed;
  clearInterval(idle);
  clearTimeout(all);
}

/** Puts the parts together. */
export function createProxy(options: ProxyOptions): ProxyServer {
  const { spool, clock, log, registry } = options;
  const limits: ProxyLimits = { ...DEFAULT_PROXY_LIMITS, ...options.limits };
  const entropy = createEntropy(options.random);
  const upstreams = createUpstreams((error) => log.warn({ error }, 'connections to a provider did not close'));
  const credentials = createCredentials({ readCredential: options.readCredential, clock, timers: systemTimers, log });
  const feed = createSnapshotFeed({
    source: options.source,
    path: options.snapshotPath,
    deriveKey: options.deriveKey,
    clock,
    log,
    onSnapshot: (snapshot) => {
      upstreams.use(snapshot.providers);
      credentials.use(tokenTargets(snapshot));
    },
    ...(options.pollIntervalMs === undefined ? {} : { pollIntervalMs: options.pollIntervalMs }),
  });
  let stopping = false;
  const held = new HeldBytes(limits.maxHeldBytes);
  const overload = createOverload({
    clock,
    held,
    inFlight: () => relays.size() + app.arrivingBodies() + accounts.active(),
    maxRequests: limits.maxRequests,
    maxLoopDelayMs: limits.maxLoopDelayMs,
  });
  const metrics = createProxyMetrics({
    registry,
    spool: () => spool.state(),
    snapshotAgeMs: feed.ageMs,
    active: () => relays.active(),
    draining: () => relays.draining(),
    shed: overload.shed,
    heldBytes: () => held.bytes,
    keyEndings: () => endings.size(),
    keyedBytes: () => room.bytes,
    upstreamInFlight: upstreams.inFlight,
  });
  const { leaseSums } = options;
  const { epoch } = spool.state();
  const node = uuidFromId('node', options.node) ?? '';
  const incarnation = options.random.bytes(16).toString('hex');
  const now = createLeaseClock(clock, options.uptimeMs);
  const shares = createShareNode({
    database: options.shareDatabase(node, epoch),
    now,
    timers: systemTimers,
    log,
    waitMs: limits.leaseWaitMs,
  });
  const leases = createLeaseNode({
    node,
    epoch,
    incarnation,
    finals: () => leaseSums.finals(epoch),
    torn: leaseSums.torn,
    closed: () => leaseSums.closedOf(epoch),
    onClosed: (counters) => {
      for (const counter of counters) leaseSums.close(counter, epoch);
      leaseSums.prune(epoch, clock.now());
    },
    moved: options.remains.moved,
    database: options.leaseDatabase(node, incarnation),
    now,
    timers: systemTimers,
    newNonce: createBeatNonce(entropy, clock),
    claimNextEpoch: spool.claimNextEpoch,
    log,
    leaseWaitMs: limits.leaseWaitMs,
    onExit: options.onLeasesTaken,
  });
  const watched = createWatchedLimits({ look: options.lookAtLimits, now: clock.monotonic, timers: systemTimers, log });
  const holds = createHoldBooks({ leases, sums: leaseSums, spool, clock });
  const books = createBooks({
    spool,
    node: options.node,
    clock,
    log,
    holds,
    settleCounts: (counts, ending) => settleCounts(counts, ending, watched),
    onSettled: metrics.settled,
  });
  const relays = createRelays({
    books,
    clock,
    limits,
    held,
    onCredentialRejected: credentials.rejected,
    onFault: (error, requestId) => log.error({ error, requestId }, 'a request could not be settled or answered'),
  });
  const room = new HeldBytes(limits.keyed.maxHeldBytes);
  const keyedRequests = options.keyedRequests(node, epoch);
  const seals = createAnswerSeals(options.deriveKey, options.random, limits.keyed.maxAnswerBytes);
  const endings = createClaimEndings({
    requests: keyedRequests,
    seals,
    maxSealedBytes: limits.keyed.maxSealedBytes,
    room,
    timers: systemTimers,
    random: options.random,
    log,
  });
  const idempotency = createIdempotency({
    requests: keyedRequests,
    endings,
    claims: { endings, room, maxAnswerBytes: limits.keyed.maxAnswerBytes },
    hashes: createKeyHashes(options.deriveKey),
    seals,
    replay: createReplay({ books, clock, entropy, held, clientStallMs: limits.clientStallMs }),
    limits: limits.keyed,
    held,
    timers: systemTimers,
    log,
    isStopping: () => stopping,
    onClaim: metrics.keyAsked,
  });
  const health = createHealthAnswers({
    registry,
    checks: () => [
      {
        name: 'snapshot',
        // An old one is still served from (invariant 8); its age is told, and is a metric.
        reason: feed.current() === null ? 'no snapshot of the registry yet' : null,
        detail: Number.isFinite(feed.ageMs()) ? `confirmed ${(feed.ageMs() / 1_000).toFixed(1)} s ago` : 'not confirmed since the start',
      },
      { name: 'spool', reason: spool.state().writable ? null : 'the spool takes no records' },
      // Whoever has no enforced budget is served all the same.
      { name: 'leases', reason: null, detail: leases.trouble() ?? 'in touch with the database' },
      { name: 'running', reason: stopping ? 'stopping' : null },
    ],
  });
  const calling = {
    upstreams: options.decorateUpstreams?.(upstreams) ?? upstreams,
    credentials,
    relays,
    entropy,
    gate: createBudgetGate({
      leases,
      shares,
      holds,
      watched,
      held,
      hashOf: createKeyHash(options.deriveKey(END_USER_ALIAS)),
      isStopping: () => stopping,
    }),
    idempotency,
  };
  const accounts = createAccounts({
    ...calling,
    books,
    calls: createAccountCalls(calling.upstreams, credentials, credentials.rejected),
    fileRecords: options.fileRecords,
    batchRecords: options.batchRecords,
    snapshot: feed.current,
    spool,
    writer: { node: options.node, epoch },
    clock,
    random: options.random,
    log,
    times: limits.batches,
    clientStallMs: limits.clientStallMs,
    onBatchFailure: metrics.batchFailed,
  });
  const app = createApp({
    admit: createAdmission({
      authenticate: createAuthenticator({
        pepper: options.pepper,
        limiter: createFailureLimiter({ clock, ...BAD_KEYS }),
        publicPartLimiter: createFailureLimiter({ clock, ...BAD_TRIALS }),
      }),
      clientAddress: createClientAddress(options.trustedProxies),
      snapshot: feed.current,
      clock,
      overload,
      isStopping: () => stopping,
    }),
    endpoints: [...providerEndpoints(calling), accounts.makeBatch],
    accounts: accounts.endpoints,
    passThrough: createPassThrough(calling),
    protocolOf: (name) => feed.current()?.providers.find((provider) => provider.name === name)?.protocol ?? null,
    health,
    books,
    clock,
    entropy,
    log,
    limits,
    held,
    onUnauthenticated: metrics.unauthenticated,
  });

  return {
    app,
    start: async () => {
      for (const torn of options.remains.torn) leaseSums.tear(torn);
      leaseSums.prune(epoch, clock.now());
      spool.carry();
      books.settleOrphans();
      const known = (await feed.start()) !== 'none';
      shares.begin();
      accounts.start();
      // A final sum is told only once no power cut can raise it.
      const leasing = new Promise<void>((resolve) => {
        spool.whenSynced(() => void leases.begin(FIRST_LEASE_MS).then(resolve));
      });
      if (hasHoldingBudgets(feed.current())) await leasing;
      return known;
    },
    stop: async (deadlineMs, hurry) => {
      stopping = true;
      const closed = app.close();
      const [ended] = await Promise.all([
        relays.stop(deadlineMs, hurry),
        accounts.stop(deadlineMs, hurry.aborted ? HURRIED_KEYS_MS : KEYS_STOP_MS, hurry),
      ]);
      app.giveUpBodies();
      if (ended > 0) log.warn({ count: ended }, 'ended requests that were still in flight');
      // While the database still takes this boot for alive.
      await idempotency.stop(hurry.aborted ? HURRIED_KEYS_MS : KEYS_STOP_MS);
      watched.stop();
      await shares.stop(hurry.aborted ? HURRIED_LEASES_MS : LEASES_STOP_MS);
      await leases.stop(hurry.aborted ? HURRIED_LEASES_MS : LEASES_STOP_MS);
      await closeConnections(app, closed);
      await feed.stop();
      credentials.stop();
      await upstreams.destroy();
      overload.stop();
    },
  };
}
