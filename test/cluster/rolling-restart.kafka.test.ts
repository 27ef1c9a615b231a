import OpenAI from 'openai';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { judgeAccount, knownRequests } from '../e2e/judge-account.ts';
import { isSequenced, readRequestIds } from '../e2e/ledger-rows.ts';
import { activeCalls, readProviderBooks } from '../e2e/provider-books.ts';
import { readBooks } from '../e2e/read-books.ts';
import type { Answer } from '../e2e/traffic.ts';
import { createTraffic } from '../e2e/traffic.ts';
import type { Cluster } from '../harness/cluster.ts';
import { startCluster } from '../harness/cluster.ts';
import { eventually } from '../harness/eventually.ts';
import { ownBroker, ownBrokersAreThere } from '../harness/kafka.ts';
import type { KafkaBroker } from '../harness/kafka-broker.ts';
import type { RoundRobinFront } from '../harness/round-robin-front.ts';
import { startRoundRobinFront } from '../harness/round-robin-front.ts';

/** As the official client comes: what a restart costs an application beyond these is a request it lost. */
const defaultRetries = 2;
/** Each turn of the traffic that the provider does not spoil: what fails of these failed by us. */
const plainTurns = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 17, 18, 19];
const restarts = [
  ['proxy', 1],
  ['ledger', 1],
  ['api', 1],
  ['proxy', 2],
  ['ledger', 2],
] as const;
const askers = 5;
/** Between an asker's requests: load, but not all the machine has. */
const thinkMs = 40;

describe.skipIf(!ownBrokersAreThere)('two proxies behind one address, two ledgers and an api', () => {
  let broker: KafkaBroker;
  let cluster: Cluster;
  let front: RoundRobinFront;
  beforeAll(async () => {
    broker = await ownBroker();
    cluster = await startCluster(broker.address);
    front = await startRoundRobinFront(cluster.proxyUrls);
  }, 240_000);
  afterAll(async () => {
    await front?.close();
    await cluster?.remove();
    await broker?.end();
  });

  test('all are restarted one by one under load: no request fails through the official client, and every entry is there once', {
    timeout: 600_000,
  }, async () => {
    const { database } = cluster;
    const endpoints = { ...cluster.endpoints, proxyUrl: `${front.url}/v1` };
    const traffic = createTraffic(endpoints, defaultRetries);
    const answers: Answer[] = [];
    let rolling = true;
    let next = 0;
    const ask = async (send: (index: number) => Promise<Answer>): Promise<void> => {
      while (rolling) {
        const index = next;
        next += 1;
        if (plainTurns.includes(index % 20)) answers.push(await send(index));
        await new Promise<void>((resolve) => setTimeout(resolve, thinkMs));
      }
    };
    const slow = new OpenAI({ baseURL: endpoints.proxyUrl, apiKey: endpoints.demoKey });
    const asking = [
      ...Array.from({ length: askers }, () => ask(traffic.send)),
      // Streams of seconds: under way whenever something is told to stop.
      ...Array.from({ length: 2 }, () => ask((index) => takeSlowStream(slow, index))),
    ];
    try {
      await eventually(() => answers.length > 20, 60_000);
      for (const [kind, number] of restarts) {
        const before = answers.length;
        expect(await cluster.restart(kind, number), `${kind} ${number}`).toBe(0);
        // The next one is restarted only when this one serves again and load has gone on.
        await eventually(() => answers.length > before + 10, 60_000);
      }
    } finally {
      rolling = false;
      await Promise.all(asking);
    }
    expect(answers.filter(({ kind }) => kind === 'failed').map(({ index, error }) => `${index}: ${error}`)).toEqual([]);

    await eventually(async () => (await activeCalls(endpoints.simUrl)) === 0, 30_000);
    const calls = await readProviderBooks(endpoints.simUrl);
    const known = knownRequests(calls, answers);
    await eventually(async () => {
      const booked = await readRequestIds(database);
      return [...known].every((id) => booked.has(id)) && (await isSequenced(database));
    }, 90_000);
    const books = await readBooks(database);
    const { problems, ...found } = judgeAccount({ ...books, calls, answers }, { orphans: 0, unheard: 0 });
    expect(problems).toEqual([]);
    console.log(`${restarts.length} restarts, ${answers.length} answers, ${books.ledger.length} entries: ${JSON.stringify(found)}`);
  });
});

async function takeSlowStream(client: OpenAI, index: number): Promise<Answer> {
  const answer = { index, costUsd: null, usage: null, text: '', expectedText: null, error: null } as const;
  let requestId: string | null = null;
  try {
    const { data, response } = await client.chat.completions
      .create({ model: 'sim/slow', stream: true, messages: [{ role: 'user', content: 'take your time' }] })
      .withResponse();
    requestId = response.headers.get('x-request-id');
    let finished = false;
    for await (const chunk of data) finished ||= chunk.choices[0]?.finish_reason != null;
    return finished
      ? { ...answer, requestId, kind: 'answered' }
      : { ...answer, requestId, kind: 'failed', error: new Error('a slow stream ended without a finish_reason') };
  } catch (error) {
    return { ...answer, requestId, kind: 'failed', error };
  }
}
