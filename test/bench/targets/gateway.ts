import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Kysely } from 'kysely';
import { sql } from 'kysely';
import type { Database } from '../../../schema/tables/database.ts';
import { mintVirtualKey } from '../../../schema/values/virtual-key.ts';
import { startProduct } from '../../harness/product.ts';
import { pinnedBehind, pinRunning } from '../pinning.ts';
import { readProcessUsage } from '../process-usage.ts';
import type { ExpectedAnswer, Target } from './target.ts';

/** How long the ledger may take to catch up after a round. */
const parityMs = 180_000;
/** Counting is work on the core the ledger works on. */
const lookAgainMs = 250;

/** The product under load. */
export type Gateway = Target & {
  readonly pid: number;
  /** What it printed so far. */
  readonly output: () => string;
  /** Its books, for looking only. */
  readonly books: Kysely<Database>;
};

/**
 * The product as it is delivered, everything on: key, price, spool, event log, ledger. `bench/echo` is the one model, behind a provider at
 * `upstreamOrigin`. The proxy has the measured core to itself; ledger, api and PostgreSQL run on the other, behind load and upstream, and a round
 * ends when they are done.
 */
export async function startGateway(options: {
  readonly upstreamOrigin: string;
  /** The body it is sent; its model must be `bench/echo`. */
  readonly body: string;
  readonly expected: ExpectedAnswer;
  readonly environment?: Readonly<Record<string, string>>;
  /** What the provider speaks; OpenAI's. */
  readonly protocol?: 'openai' | 'anthropic';
  readonly name?: string;
}): Promise<Gateway> {
  const folder = await mkdtemp(join(tmpdir(), 'turnpike-bench-'));
  await writeFile(join(folder, 'bench.yaml'), configuration(options.upstreamOrigin, options.protocol ?? 'openai'));
  const secret = mintVirtualKey('ak', 'live', randomBytes);
  const product = await startProduct({
    wrapper: pinnedBehind('rest'),
    environment: { TURNPIKE_CONFIG: join(folder, 'bench.yaml'), TURNPIKE_BENCH_KEY: secret, ...options.environment },
  }).catch(async (error: unknown) => {
    await rm(folder, { recursive: true, force: true });
    throw error;
  });
  const pid = await product.pidOf('proxy');
  await pinRunning('measured', pid);
  const { db } = await product.database();

  const accountedFor = async (): Promise<number> => {
    const found = await sql<{ entries: bigint }>`select count(*) as entries from ledger_entries`.execute(db);
    return Number(found.rows[0]?.entries ?? 0);
  };
  return {
    name: options.name ?? 'turnpike',
    pid,
    usage: () => readProcessUsage(pid),
    expected: options.expected,
    output: product.launched.output,
    books: db,
    request: {
      origin: new URL(product.endpoints.proxyUrl).origin,
      path: '/v1/chat/completions',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${secret}` },
      body: options.body,
    },
    settle: async (requests) => {
      if ((await product.pidOf('proxy')) !== pid) return 'the proxy was restarted';
      for (const end = performance.now() + parityMs; ; ) {
        const entries = await accountedFor();
        if (entries === requests) return null;
        if (entries > requests) return `${requests} requests, but ${entries} entries in the ledger`;
        if (performance.now() > end) return `${requests} requests, only ${entries} entries in the ledger after ${parityMs / 1_000} s`;
        await new Promise((resolve) => setTimeout(resolve, lookAgainMs));
      }
    },
    stop: async () => {
      await product[Symbol.asyncDispose]();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function configuration(upstreamOrigin: string, protocol: string): string {
  return `apiVersion: turnpike/v1
kind: Provider
metadata: { name: bench }
spec:
  protocol: ${protocol}
  baseUrl: ${upstreamOrigin}/v1
---
apiVersion: turnpike/v1
kind: Model
metadata: { name: bench/echo }
spec:
  upstreamModel: echo
  contextWindow: 128000
  maxOutputTokens: 16384
  price:
    perMillionTokens: { input: "1", cacheRead: "0.1", output: "4" }
---
apiVersion: turnpike/v1
kind: Key
metadata: { name: bench }
spec:
  secret: { env: TURNPIKE_BENCH_KEY }
  allowedModels: ["bench/*"]
`;
}
