import { createHmac } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { LogRecord } from '../../schema/events/log-record.ts';
import type { RequestSettled, RequestSubject } from '../../schema/events/request-settled.v1.ts';
import { parseRequestSettled } from '../../schema/events/request-settled-parser.ts';
import { REQUESTS_TOPIC } from '../../schema/events/topics.ts';
import { mintId } from '../../schema/values/ids.ts';
import type { ProviderProtocol } from '../../schema/values/provider-protocol.ts';
import { mintVirtualKey, parseVirtualKey } from '../../schema/values/virtual-key.ts';
import { EventLogError } from '../../services/eventlog/event-log.ts';
import { openSpool } from '../../services/eventlog/spool/open-spool.ts';
import type { Spool } from '../../services/eventlog/spool.ts';
import { priceVersion, sheetFromPerMillion } from '../../services/pricing/price-sheet.ts';
import type { BatchRecords } from '../../services/proxy/batches/batch-records.ts';
import type { LeaseDatabase } from '../../services/proxy/budgets/lease-database.ts';
import { createLeaseSums } from '../../services/proxy/budgets/lease-sums.ts';
import { judgeBoots } from '../../services/proxy/budgets/spool-remains.ts';
import type { LookAtLimits } from '../../services/proxy/budgets/watched-limits.ts';
import type { FileRecords } from '../../services/proxy/files/file-records.ts';
import type { KeyedRequests } from '../../services/proxy/idempotency/keyed-requests.ts';
import type { ProxyServer } from '../../services/proxy/proxy.ts';
import { createProxy } from '../../services/proxy/proxy.ts';
import type { ProxyLimits } from '../../services/proxy/proxy-limits.ts';
import type { ShareDatabase } from '../../services/proxy/shares/share-database.ts';
import type {
  ProviderOptions,
  Snapshot,
  SnapshotBudget,
  SnapshotKey,
  SnapshotModel,
  SnapshotRateLimit,
  SnapshotRoute,
  SnapshotSecret,
} from '../../services/registry/snapshot.ts';
import type { Clock } from '../../services/runtime/clock.ts';
import { systemClock } from '../../services/runtime/clock.ts';
import { createMetrics } from '../../services/runtime/metrics.ts';
import { systemRandom } from '../../services/runtime/random.ts';
import { eventually } from './eventually.ts';
import { recordingLog } from './recording-log.ts';
import { testSecrets } from './registry.ts';

const nowMs = Date.now();
const id = (kind: Parameters<typeof mintId>[0]): string => mintId(kind, nowMs, systemRandom.bytes(10));
const newKeyText = (): string => mintVirtualKey('ak', 'test', systemRandom.bytes);

/** A key for a snapshot, with its secret. */
export function testKey(
  fields: Partial<SnapshotKey> = {},
  secret: string = newKeyText(),
): { readonly secret: string; readonly key: SnapshotKey } {
  return {
    secret,
    key: {
      id: id('apiKey'),
      organizationId: id('organization'),
      teamId: id('team'),
      userId: null,
      serviceAccountId: null,
      kind: 'ak',
      environment: 'test',
      name: 'test key',
      allowedModels: null,
      allowedEndpoints: null,
      allowedCidrs: null,
      allowedOverrides: null,
      tags: {},
      expiresAt: null,
      disabledAt: null,
      revokedAt: null,
      secrets: [secretOf(secret)],
      ...fields,
    },
  };
}

/** A secret for a snapshot. */
export function secretOf(secret: string, expiresAt: number | null = null): SnapshotSecret {
  return { hash: keyHash(secret), publicPart: parseVirtualKey(secret)?.publicPart ?? '', expiresAt, revokedAt: null };
}

function keyHash(secret: string): string {
  return createHmac('sha256', testSecrets.pepper).update(secret).digest('base64url');
}

/** 1.50 USD a million input tokens, 2 output, 0.15 cache reads. */
const testSheet = sheetFromPerMillion({ input: '1.5', output: '2', cacheRead: '0.15' });

export function testModel(name: string, fields: Partial<SnapshotModel> = {}): SnapshotModel {
  const [providerName = ''] = name.split('/');
  return {
    id: id('model'),
    name,
    providerName,
    organizationId: null,
    upstreamModel: name.slice(providerName.length + 1),
    createdAt: nowMs - 1_000_000,
    contextWindow: null,
    maxOutputTokens: null,
    prices: [{ validFrom: 0, priceVersion: priceVersion(testSheet), sheet: testSheet }],
    ownPrices: [],
    ...fields,
  };
}

export type TestProxyOptions = {
  /** Base URL by provider name. */
  readonly providers: Readonly<Record<string, string>>;
  /** By provider name; new ones. */
  readonly providerIds?: Readonly<Record<string, string>>;
  /** By provider name, where it is not OpenAI's. */
  readonly protocols?: Readonly<Record<string, ProviderProtocol>>;
  readonly providerOptions?: ProviderOptions;
  readonly models: readonly SnapshotModel[];
  readonly routes?: readonly SnapshotRoute[];
  readonly keys?: readonly SnapshotKey[];
  readonly budgets?: readonly SnapshotBudget[];
  readonly rateLimits?: readonly SnapshotRateLimit[];
  readonly organizations?: Snapshot['organizations'];
  readonly limits?: Partial<ProxyLimits>;
  /** By which time passes, at rest too; the machine's. */
  readonly clock?: Clock;
  /** `nod_…`; a new one. */
  readonly node?: string;
  /** Where its shares of rate limits come from; nowhere. */
  readonly shareDatabase?: (node: string, epoch: number) => ShareDatabase;
  /** Where its leases come from; nowhere. */
  readonly leaseDatabase?: (node: string, incarnation: string) => LeaseDatabase;
  /** Where idempotency keys are claimed; nowhere. */
  readonly keyedRequests?: (node: string, epoch: number) => KeyedRequests;
  /** Where files are known; nowhere. */
  readonly fileRecords?: FileRecords;
  /** Where batches are known; nowhere. */
  readonly batchRecords?: BatchRecords;
  /** How it looks at limits that are watched; not at all. */
  readonly lookAtLimits?: LookAtLimits;
  readonly home?: string;
  /** How long a stop lets requests in flight finish. */
  readonly stopMs?: number;
  /** Start without a registry. */
  readonly registryAway?: boolean;
  readonly credentials?: Readonly<Record<string, string>>;
  readonly providerCredential?: { readonly env: string } | null;
  /** Bound of the spool, in ten segments. */
  readonly spoolMaxBytes?: number;
  /** Whether the event log cannot be reached just now. */
  readonly eventLogAway?: () => boolean;
  /** Stands between the proxy and its spool. */
  readonly wrapSpool?: (spool: Spool) => Spool;
  readonly trustedProxies?: readonly string[];
};

const noLeases: LeaseDatabase = {
  ask: () => Promise.reject(new Error('there is no database')),
  giveBack: () => Promise.reject(new Error('there is no database')),
  beat: () => Promise.reject(new Error('there is no database')),
  register: () => Promise.reject(new Error('there is no database')),
  report: () => Promise.reject(new Error('there is no database')),
  tellOpen: () => Promise.reject(new Error('there is no database')),
  close: () => Promise.reject(new Error('there is no database')),
};

const noShares: ShareDatabase = { tell: () => Promise.reject(new Error('there is no database')) };

const noKeys: KeyedRequests = {
  claim: () => Promise.reject(new Error('there is no database')),
  end: () => Promise.reject(new Error('there is no database')),
};

const noDatabase = () => Promise.reject(new Error('there is no database'));
const noFiles: FileRecords = { add: noDatabase, find: noDatabase, describe: noDatabase, remove: noDatabase, list: noDatabase };

const noBatches: BatchRecords = {
  begin: noDatabase,
  forget: noDatabase,
  name: noDatabase,
  find: noDatabase,
  describe: noDatabase,
  list: noDatabase,
  isOwed: noDatabase,
  claim: async () => null,
  postpone: noDatabase,
  fail: noDatabase,
  rate: noDatabase,
  unbooked: noDatabase,
  settle: noDatabase,
};

export type SettledEvent = { readonly event: RequestSettled; readonly subject: RequestSubject | null; readonly record: LogRecord };

export type TestProxy = {
  readonly proxy: ProxyServer;
  readonly spool: Spool;
  readonly home: string;
  /** For an OpenAI client. */
  readonly baseUrl: string;
  readonly url: string;
  /** A key without restrictions. */
  readonly key: string;
  /** What the proxy reads; replace it with another revision to change the registry. */
  snapshot: Snapshot;
  /** Set to make the registry unreachable. */
  registryAway: boolean;
  readonly events: SettledEvent[];
  readonly logLines: string[];
  /** The event of a request, once it is in the log. */
  readonly eventOf: (requestId: string | null) => Promise<RequestSettled>;
  /** POST /v1/chat/completions with the key. */
  readonly chat: (body: unknown, init?: RequestInit) => Promise<Response>;
  /** POST to a path, with the key. */
  readonly post: (path: string, body: unknown, init?: RequestInit) => Promise<Response>;
  readonly get: (path: string, init?: RequestInit) => Promise<Response>;
  /** A figure of `/metrics`, with its labels as they are printed there. */
  readonly metric: (name: string) => Promise<number | null>;
  readonly stop: () => Promise<void>;
  readonly [Symbol.asyncDispose]: () => Promise<void>;
};

/** A proxy in this process with the real spool on disk, a registry in memory and an event log that keeps what it gets. */
export async function startProxy(options: TestProxyOptions): Promise<TestProxy> {
  const home = options.home ?? (await mkdtemp(join(tmpdir(), 'tp-proxy-')));
  const log = recordingLog();
  const clock = options.clock ?? systemClock;
  const own = testKey();
  const events: SettledEvent[] = [];
  const node = options.node ?? mintId('node', Date.now(), systemRandom.bytes(10));
  const leaseSums = createLeaseSums(node);
  const spool = await openSpool({
    directory: join(home, 'spool'),
    durability: 'group',
    carried: leaseSums,
    machineBoot: 'this boot',
    log,
    ...(options.spoolMaxBytes === undefined
      ? {}
      : { maxBytes: options.spoolMaxBytes, segmentBytes: Math.floor(options.spoolMaxBytes / 10) }),
    sender: {
      topic: REQUESTS_TOPIC,
      producer: {
        append: async (_topic, records) => {
          if (options.eventLogAway?.()) throw new EventLogError('the event log is away', { retryable: true });
          for (const record of records) {
            const parsed = parseRequestSettled(record);
            if (!parsed.ok) throw new Error(`not an event: ${parsed.reason} ${parsed.detail}`);
            events.push({ event: parsed.event, subject: parsed.subject, record });
          }
        },
        close: async () => {},
      },
    },
  });
  let registryAway = options.registryAway ?? false;
  let snapshot: Snapshot = {
    revision: '1',
    readAtMs: Date.now(),
    keys: [own.key, ...(options.keys ?? [])],
    providers: Object.entries(options.providers).map(([name, baseUrl]) => ({
      id: options.providerIds?.[name] ?? id('provider'),
      organizationId: null,
      name,
      protocol: options.protocols?.[name] ?? 'openai',
      baseUrl,
      credential: options.providerCredential ?? null,
      options: options.providerOptions ?? {},
    })),
    models: options.models,
    dataKeys: [],
    credentials: [],
    routes: options.routes ?? [],
    budgets: options.budgets ?? [],
    rateLimits: options.rateLimits ?? [],
    organizations: options.organizations ?? [],
  };
  const away = async (): Promise<void> => {
    if (registryAway) throw new Error('the registry is away');
  };
  const proxy = createProxy({
    spool: options.wrapSpool?.(spool) ?? spool,
    node,
    leaseSums,
    remains: judgeBoots(spool.boots, { machineBoot: 'this boot', durability: 'group', soleMachine: false }),
    leaseDatabase: options.leaseDatabase ?? (() => noLeases),
    shareDatabase: options.shareDatabase ?? (() => noShares),
    keyedRequests: options.keyedRequests ?? (() => noKeys),
    fileRecords: options.fileRecords ?? noFiles,
    batchRecords: options.batchRecords ?? noBatches,
    lookAtLimits: options.lookAtLimits ?? (() => Promise.reject(new Error('there is no database'))),
    uptimeMs: clock.monotonic,
    onLeasesTaken: (cause) => log.error({ cause }, 'another process has the leases'),
    source: {
      readRevision: async () => {
        await away();
        return snapshot.revision;
      },
      readSnapshot: async () => {
        await away();
        return snapshot;
      },
    },
    snapshotPath: join(home, 'snapshot.json'),
    pollIntervalMs: 50,
    pepper: testSecrets.pepper,
    deriveKey: testSecrets.deriveKey,
    trustedProxies: options.trustedProxies ?? [],
    readCredential: (variable) => options.credentials?.[variable] ?? null,
    registry: createMetrics({ process: 'proxy' }),
    clock,
    random: systemRandom,
    log,
    // A machine that runs many tests at once is late at times: that is not what they are about.
    limits: { tickMs: 20, maxLoopDelayMs: Number.POSITIVE_INFINITY, ...options.limits },
  });
  await proxy.start();
  const url = await proxy.app.listen({ host: '127.0.0.1', port: 0 });
  const post: TestProxy['post'] = (path, body, init = {}) =>
    fetch(`${url}${path}`, {
      method: 'POST',
      body: JSON.stringify(body),
      ...init,
      headers: { 'content-type': 'application/json', authorization: `Bearer ${own.secret}`, ...init.headers },
    });
  let stopped = false;
  const stop = async (): Promise<void> => {
    if (stopped) return;
    stopped = true;
    await proxy.stop(options.stopMs ?? 2_000, new AbortController().signal);
    await spool.stop(2_000);
  };
  return {
    proxy,
    spool,
    home,
    url,
    baseUrl: `${url}/v1`,
    key: own.secret,
    get snapshot() {
      return snapshot;
    },
    set snapshot(next) {
      snapshot = next;
    },
    get registryAway() {
      return registryAway;
    },
    set registryAway(next) {
      registryAway = next;
    },
    events,
    logLines: log.lines,
    eventOf: (requestId) => eventually(() => events.find(({ event }) => event.requestId === requestId)?.event),
    chat: (body, init = {}) => post('/v1/chat/completions', body, init),
    post,
    get: (path, init = {}) => fetch(`${url}${path}`, { ...init, headers: { authorization: `Bearer ${own.secret}`, ...init.headers } }),
    metric: async (name) => {
      const text = await (await fetch(`${url}/metrics`)).text();
      const line = text
        .split('\n')
        .find((candidate) => candidate.startsWith(`turnpike_${name}{`) || candidate.startsWith(`turnpike_${name} `));
      return line === undefined ? null : Number(line.slice(line.lastIndexOf(' ')));
    },
    stop,
    [Symbol.asyncDispose]: async () => {
      await stop();
      if (options.home === undefined) await rm(home, { recursive: true, force: true });
    },
  };
}
