import { createHash } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import Fastify from 'fastify';
import { createSchema, printSdl } from '../../schema/graphql/schema.ts';
import { createClientAddress } from '../runtime/client-address.ts';
import type { Clock } from '../runtime/clock.ts';
import { addHealthRoutes } from '../runtime/health.ts';
import type { HealthCheck } from '../runtime/health-answers.ts';
import { listenRefusal } from '../runtime/listen-refusal.ts';
import type { Log } from '../runtime/log.ts';
import { createMetrics } from '../runtime/metrics.ts';
import type { DatabaseConnection } from '../runtime/postgres.ts';
import type { Random } from '../runtime/random.ts';
import type { Secrets } from '../runtime/secrets.ts';
import { startAlertChores } from './alerts/alert-chores.ts';
import type { AlertSenders } from './alerts/send-alert.ts';
import type { ApiMetrics } from './api-metrics.ts';
import { createApiMetrics } from './api-metrics.ts';
import { createAuthenticate } from './authenticate.ts';
import { forgetAnswers } from './changes/forget-answers.ts';
import { replayedForMs } from './changes/idempotency.ts';
import { createCostBuckets } from './cost-buckets.ts';
import { startForgetting } from './forgetting.ts';
import { createGraphiqlPage } from './graphiql.ts';
import { addGraphqlHttp } from './graphql-http.ts';
import { startKeyChores } from './key-chores.ts';
import { createKeyUses } from './key-uses.ts';
import { addLeakedKeys } from './leaked-keys.ts';
import { createDrain } from './live/drain.ts';
import type { JournalHub } from './live/journal-hub.ts';
import { createStreamCursors } from './live/stream-cursor.ts';
import { createMaskErrors } from './mask-errors.ts';
import { createContextOf } from './operation-context.ts';
import type { OperationGate } from './operation-gate.ts';
import { createOperationGate } from './operation-gate.ts';
import { createOperationRunner } from './operation-runner.ts';
import { createPrincipals } from './principals.ts';
import { createSocketProtocol } from './socket-protocol.ts';
import type { WebSocketEndpoint } from './websocket.ts';
import { addWebSocket } from './websocket.ts';

export interface ApiServerOptions {
  /** In role `reader`: everything a query sees comes through it. */
  readonly reader: DatabaseConnection;
  /** In role `writer`: changes, and the look-up of keys. */
  readonly writer: DatabaseConnection;
  /** What streams read the journal through; stopped with the server. */
  readonly hub: JournalHub;
  readonly secrets: Secrets;
  /** What alerts leave through; the server does not close it. */
  readonly senders: AlertSenders;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** Blocks of addresses whose `X-Forwarded-For` is believed. */
  readonly trustedProxies: readonly string[];
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  readonly version: string;
}

export interface ApiServer {
  /** `http://127.0.0.1:4100` */
  readonly url: string;
  /** How many organizations are followed by open streams. */
  readonly followed: () => number;
  /**
   * Says goodbye to every stream, waits for what is under way, and closes. Whoever has not gone within `drainMs`, or when
   * `hurry` is aborted, is cut off.
   */
  readonly stop: (hurry: AbortSignal) => Promise<void>;
}

/** How long goodbyes may take. */
const drainMs = 10_000;
const closeIdleEveryMs = 50;
const requestTimeoutMs = 10_000;
const mostHeaderBytes = 16_384;

/** Builds the API out of its parts and listens. @throws StartRefusal where the address cannot be listened on. */
export async function startApiServer(options: ApiServerOptions): Promise<ApiServer> {
  const { reader, writer, hub, secrets, clock, random, log } = options;
  const schema = createSchema();
  const schemaHash = createHash('sha256').update(printSdl(schema)).digest('hex');
  const drain = createDrain();
  let webSocket: WebSocketEndpoint | null = null;
  const principals = createPrincipals({ db: writer.db, secrets, clock, log });
  const forgetting = startForgetting({
    forget: () => forgetAnswers(writer.db, new Date(clock.now() - replayedForMs)),
    trouble: 'old answers could not be deleted',
    log,
  });
  const cursors = createStreamCursors(secrets.deriveKey('stream-cursor'));
  const registry = createMetrics({ process: 'api' });
  const metrics = createApiMetrics(registry, { sockets: () => webSocket?.sockets() ?? 0, followed: hub.channels, lagMs: hub.lagMs });
  const gate = countRefusals(
    createOperationGate(schema, () => new Date(clock.now())),
    metrics,
  );
  const maskErrors = createMaskErrors({ log, random });
  const contextOf = createContextOf({
    reader: reader.db,
    writer: writer.db,
    secrets,
    clock,
    random,
    hub,
    cursors,
    drain,
    server: { version: options.version, schemaHash, startedAt: new Date(clock.now()) },
  });
  const runner = createOperationRunner({
    schema,
    buckets: createCostBuckets(clock),
    clock,
    maskErrors,
    contextOf,
    observe: metrics.operation,
  });
  const uses = createKeyUses({ db: writer.db, clock, log });
  const authenticate = createAuthenticate({ principals, clock, uses, onRefusal: metrics.refusedKey });

  const app = Fastify({
    logger: false,
    bodyLimit: 262_144,
    requestTimeout: requestTimeoutMs,
    forceCloseConnections: 'idle',
    http: { maxHeaderSize: mostHeaderBytes, headersTimeout: requestTimeoutMs, connectionsCheckingInterval: 1_000 },
  });
  const checks = (): readonly HealthCheck[] => [
    { name: 'running', reason: drain.draining() ? 'the process is stopping' : null },
    { name: 'database', reason: principals.trouble() },
  ];
  addHealthRoutes(app, { registry, checks });
  const clientAddress = createClientAddress(options.trustedProxies);
  const transport = { schema, gate, runner, authenticate, principals, clientAddress, maskErrors, clock, random };
  addGraphqlHttp(app, { ...transport, graphiql: createGraphiqlPage() });
  webSocket = addWebSocket(app, { protocol: createSocketProtocol(transport), clientAddress, drain, clock, log, host: options.host });
  const chores = startKeyChores({ db: writer.db, clock, random, log });
  const alerts = startAlertChores({ db: writer.db, senders: options.senders, secrets, clock, random, log, observe: metrics.alertTry });
  addLeakedKeys(app, { db: writer.db, secrets, clientAddress, onKept: chores.leaked, clock, random, log });
  // The console will stand here; until it does, the explorer does.
  app.get('/', (_request, reply) => reply.redirect('/graphql'));

  try {
    await app.listen({ host: options.host, port: options.port });
  } catch (error) {
    await Promise.all([principals.stop(), hub.stop(), forgetting.stop(), uses.stop(), chores.stop(), alerts.stop()]);
    throw listenRefusal(error, { variable: 'TURNPIKE_API_PORT', host: options.host, port: options.port });
  }
  const address = app.server.address() as AddressInfo;
  const host = options.host.includes(':') ? `[${options.host}]` : options.host;

  return {
    url: `http://${host}:${address.port}`,
    followed: hub.channels,
    stop: async (hurry) => {
      drain.begin();
      const cut = AbortSignal.any([hurry, AbortSignal.timeout(drainMs)]);
      const cutAll = () => app.server.closeAllConnections();
      cut.addEventListener('abort', cutAll, { once: true });
      if (cut.aborted) cutAll();
      // A connection whose stream has just ended is idle only now, and would be kept alive for another.
      const closingIdle = setInterval(() => app.server.closeIdleConnections(), closeIdleEveryMs);
      await Promise.all([webSocket?.stop(cut), app.close()]);
      clearInterval(closingIdle);
      cut.removeEventListener('abort', cutAll);
      await Promise.all([principals.stop(), hub.stop(), forgetting.stop(), uses.stop(), chores.stop(), alerts.stop()]);
    },
  };
}

function countRefusals(gate: OperationGate, metrics: ApiMetrics): OperationGate {
  return (params) => {
    const admission = gate(params);
    if (admission.kind === 'refused') metrics.refusedOperation(String(admission.errors[0]?.extensions.code));
    return admission;
  };
}
