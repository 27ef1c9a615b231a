import { randomBytes } from 'node:crypto';
import type { Kysely } from 'kysely';
import type { LogRecord } from '../../../schema/events/log-record.ts';
import type { RequestSettled } from '../../../schema/events/request-settled.v1.ts';
import { encodeRequestSettled } from '../../../schema/events/request-settled-serializer.ts';
import { REQUESTS_TOPIC } from '../../../schema/events/topics.ts';
import type { Database } from '../../../schema/tables/database.ts';
import { mintId } from '../../../schema/values/ids.ts';
import { partitionOf } from '../../../services/eventlog/partition.ts';
import { priceVersion, sheetFromPerMillion } from '../../../services/pricing/price-sheet.ts';
import { rateCost } from '../../../services/pricing/rate.ts';
import { settledRequest } from '../../harness/settled-request.ts';

/** Who sends the load: so many organizations, keys and models, as in an installation of some hundred applications. */
export const population = { organizations: 20, keysPerOrganization: 10, models: 8, modelsPerKey: 2 } as const;

const sheet = sheetFromPerMillion({ input: '2.5', cacheRead: '0.25', output: '10' });
const version = priceVersion(sheet);
const fresh = (kind: Parameters<typeof mintId>[0], timeMs = Date.now()): string => mintId(kind, timeMs, randomBytes(10));

/** Puts the price of {@link createEventSource} where the ledger finds it. */
export async function addPrice(db: Kysely<Database>): Promise<void> {
  await db
    .insertInto('price_versions')
    .values({ name: version, sheet: JSON.stringify(sheet), created_at: new Date() })
    .execute();
}

/**
 * Settled requests as proxies write them, of one population: every key in its partition, every event rated, times in the order
 * of the events at `perSecond` a second up to now, and none after `total`, so that the rollups get as many rows as such a load makes.
 */
export function createEventSource(total: number, perSecond: number): { readonly next: (count: number) => LogRecord[] } {
  const models = Array.from({ length: population.models }, (_, index) => `bench/model-${index}`);
  const keys = Array.from({ length: population.organizations }, () => fresh('organization')).flatMap((organizationId) =>
    Array.from({ length: population.keysPerOrganization }, () => ({ organizationId, teamId: fresh('team'), apiKeyId: fresh('apiKey') })),
  );
  const startMs = Date.now() - (total / perSecond) * 1_000;
  let made = 0;
  const record = (): LogRecord => {
    const atMs = Math.floor(startMs + (made / perSecond) * 1_000);
    const at = (made * 7_919) % keys.length;
    const key = keys[at];
    const model = models[(at + (made % population.modelsPerKey)) % models.length] ?? '';
    made += 1;
    const plain = settledRequest();
    const usage = plain.usage === null ? null : { ...plain.usage, input: 200 + (made % 1_900), output: 20 + (made % 700) };
    const rating = rateCost(usage, null, { tier: null, batch: false, requests: 1 }, sheet);
    const event: RequestSettled = {
      ...plain,
      ...key,
      requestId: fresh('request', atMs),
      model,
      modelRequested: model,
      provider: 'bench',
      stream: made % 3 === 0,
      usage,
      costPico: rating.kind === 'rated' ? String(rating.cost) : null,
      priceVersion: version,
      holds: [],
      timings: { admittedAt: atMs, firstByteMs: 80 + (made % 400), totalMs: 300 + (made % 4_000), overheadMs: 0.4 },
    };
    const partition = partitionOf(event.apiKeyId, REQUESTS_TOPIC.partitions);
    return encodeRequestSettled(event, { source: '/turnpike/proxy/bench/1', partition, timeMs: atMs, subject: null });
  };
  return { next: (count) => Array.from({ length: Math.min(count, total - made) }, record) };
}
