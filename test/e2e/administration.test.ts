import { randomUUID } from 'node:crypto';
import OpenAI from 'openai';
import type { Static } from 'typebox';
import { Type } from 'typebox';
import { Value } from 'typebox/value';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { eventually } from '../harness/eventually.ts';
import type { MailReceiver } from '../harness/mail-receiver.ts';
import { startMailReceiver } from '../harness/mail-receiver.ts';
import type { Product } from '../harness/product.ts';
import { startProduct } from '../harness/product.ts';
import { subscribeOverSse } from '../harness/subscription.ts';
import { signaturesBy, startWebhookReceiver } from '../harness/webhook-receiver.ts';
import { picoFromUsdText } from './independent-cost.ts';

/** One for all of the file: it takes seconds to start, and none of the tests stops anything. */
let product: Product;
let mailbox: MailReceiver;

beforeAll(async () => {
  mailbox = await startMailReceiver();
  product = await startProduct({
    environment: { TURNPIKE_SMTP_URL: `smtp://127.0.0.1:${mailbox.port}`, TURNPIKE_SMTP_FROM: 'turnpike@gateway.test' },
  });
});
afterAll(async () => {
  await product?.[Symbol.asyncDispose]();
  await mailbox?.[Symbol.asyncDispose]();
});

const Created = Type.Object({
  apiKeyCreate: Type.Object({ secret: Type.String(), apiKey: Type.Object({ id: Type.String() }), errors: Type.Array(Type.Unknown()) }),
});
const Revoked = Type.Object({ apiKeyRevoke: Type.Object({ errors: Type.Array(Type.Unknown()) }) });

test('a key made through GraphQL works within a second, and once revoked it is refused within a second, for good', async () => {
  const lives: KeyLife[] = [];
  for (let key = 0; key < 3; key++) lives.push(await liveAndDie());
  // The quickest: where the machine is busy with other tests, the others tell of them.
  expect(Math.min(...lives.map(({ worksAfterMs }) => worksAfterMs))).toBeLessThan(1_000);
  expect(Math.min(...lives.map(({ refusedAfterMs }) => refusedAfterMs))).toBeLessThan(1_000);
  for (let again = 0; again < 20; again++) {
    for (const { secret } of lives) expect(await ask(secret)).toEqual({ status: 401, code: 'key_revoked' });
  }
  // The others go on.
  expect((await ask(product.endpoints.demoKey)).status).toBe(200);
});

type KeyLife = { readonly secret: string; readonly worksAfterMs: number; readonly refusedAfterMs: number };

/** Makes a key, waits until it works, revokes it and waits until it does not. */
async function liveAndDie(): Promise<KeyLife> {
  const { apiKeyCreate } = await product.graphql(
    Created,
    'mutation ($input: ApiKeyCreateInput!) { apiKeyCreate(input: $input) { secret apiKey { id } errors { message } } }',
    { input: { idempotencyKey: randomUUID(), name: 'short-lived', allowedModels: ['sim/*'] } },
  );
  const madeAtMs = performance.now();
  expect(apiKeyCreate.errors).toEqual([]);
  const { secret, apiKey } = apiKeyCreate;
  await eventually(async () => (await ask(secret)).status === 200);
  const worksAfterMs = performance.now() - madeAtMs;

  const { apiKeyRevoke } = await product.graphql(
    Revoked,
    'mutation ($input: ApiKeyRevokeInput!) { apiKeyRevoke(input: $input) { errors { message } } }',
    { input: { idempotencyKey: randomUUID(), id: apiKey.id, reason: 'it was only for this test' } },
  );
  const revokedAtMs = performance.now();
  expect(apiKeyRevoke.errors).toEqual([]);
  await eventually(async () => (await ask(secret)).status === 401);
  return { secret, worksAfterMs, refusedAfterMs: performance.now() - revokedAtMs };
}

const Refusal = Type.Object({ error: Type.Object({ code: Type.String() }) });

async function ask(key: string): Promise<{ readonly status: number; readonly code: string | null }> {
  const response = await fetch(`${product.endpoints.proxyUrl}/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${key}` },
    body: JSON.stringify({ model: 'sim/echo', messages: [{ role: 'user', content: 'may I?' }] }),
    signal: AbortSignal.timeout(20_000),
  });
  const body: unknown = await response.json();
  return { status: response.status, code: Value.Check(Refusal, body) ? body.error.code : null };
}

/** It takes seconds; only what hangs takes longer. */
const patienceMs = 60_000;
const Text = Type.String();
const Errors = Type.Array(Type.Unknown());
const BudgetMade = Type.Object({ budgetCreate: Type.Object({ budget: Type.Object({ id: Text }), errors: Errors }) });
const ChannelMade = Type.Object({
  alertChannelCreate: Type.Object({
    secret: Type.Union([Text, Type.Null()]),
    alertChannel: Type.Object({ id: Text }),
    errors: Errors,
  }),
});
const Alerts = Type.Object({
  budgetAlerts: Type.Object({
    nodes: Type.Array(
      Type.Object({
        id: Text,
        threshold: Text,
        settled: Text,
        deliveries: Type.Array(
          Type.Object({
            id: Text,
            state: Text,
            channel: Type.Object({ name: Text }),
            attempts: Type.Array(Type.Object({ statusCode: Type.Union([Type.Integer(), Type.Null()]) })),
          }),
        ),
      }),
    ),
  }),
});
const Told = Type.Object({
  data: Type.Object({ budgetAlerts: Type.Object({ alert: Type.Object({ id: Text, threshold: Text }) }) }),
});

test('requests that come to a threshold of a budget are told once by a signed webhook, to Slack and by mail, and the API shows what was told to whom', async () => {
  await using hook = await startWebhookReceiver();
  await using slack = await startWebhookReceiver();
  const secret = await makeChannel({ name: 'Hook', kind: 'WEBHOOK', url: hook.url });
  await makeChannel({ name: 'Slack', kind: 'SLACK', url: `${slack.url}/T0/B0/of-this-channel` });
  await makeChannel({ name: 'Mail', kind: 'EMAIL', recipients: ['oncall@example.test'] });
  const tail = await subscribeOverSse(
    product.endpoints,
    'subscription { budgetAlerts { ... on BudgetAlertTold { alert { id threshold } } } }',
  );
  const budgetId = await makeBudget();
  const spend = spending(await makeKey());

  // Looked for where it costs nothing: who asks the API all the time is told to come back later.
  const arrived = (times: number) =>
    eventually(() => [hook.received, slack.received, mailbox.mails].every(({ length }) => length >= times), patienceMs);
  const shown = (...alerts: readonly unknown[]) =>
    eventually(async () => {
      const nodes = await alertsOf(budgetId);
      expect(nodes.map(summaryOf)).toEqual(alerts);
      return nodes;
    }, patienceMs);

  const first = await spend(picoFromUsdText('0.005'));
  await arrived(1);
  await shown(expected('5', first));
  // What is spent beyond it, in the same window, says nothing of it again: the next word is of the next threshold.
  const second = await spend(picoFromUsdText('0.01'));
  await arrived(2);
  const told = (await shown(expected('10', second), expected('5', first))).toReversed();

  await eventually(() => tail.arrivals.filter(({ data }) => Value.Check(Told, data)).length >= 2, patienceMs);
  expect(tail.arrivals.flatMap(({ data }) => (Value.Check(Told, data) ? [data.data.budgetAlerts.alert] : []))).toEqual(
    told.map(({ id, threshold }) => ({ id, threshold })),
  );
  await tail.stop();

  // A machine that stood still may have had one sent twice; then it is under the same id.
  const idsOf = (name: string) => told.map(({ deliveries }) => deliveries.find(({ channel }) => channel.name === name)?.id ?? '');
  const titles = ['5', '10'].map((threshold) => `Budget "Checkout" has come to ${threshold}% of 0.1 USD`);
  expect([...new Set(hook.received.map(({ headers }) => headers['webhook-id']))]).toEqual(idsOf('Hook'));
  for (const webhook of hook.received) {
    const alert = told[idsOf('Hook').indexOf(String(webhook.headers['webhook-id']))];
    expect(signaturesBy(secret ?? '', webhook)).toBe(1);
    expect(signaturesBy(secret ?? '', { ...webhook, body: webhook.body.replace('Checkout', 'Search') })).toBe(0);
    expect(JSON.parse(webhook.body)).toMatchObject({
      type: 'budget.threshold',
      data: {
        alert: { id: alert?.id },
        budget: { id: budgetId, name: 'Checkout' },
        limit: { unit: 'usd', amount: '0.1' },
        threshold: alert?.threshold,
        settled: alert?.settled,
      },
    });
  }
  expect(new Set(slack.received.map(({ path }) => path))).toEqual(new Set(['/hook/T0/B0/of-this-channel']));
  expect([...new Set(slack.received.map(({ body }) => body))].map((body) => JSON.parse(body))).toEqual(
    titles.map((title) => ({
      text: expect.stringContaining(`*${title}*`),
      blocks: [
        { type: 'header', text: { type: 'plain_text', text: title, emoji: false } },
        { type: 'section', fields: expect.any(Array) },
      ],
    })),
  );
  expect(new Set(mailbox.mails.map(({ from, to }) => `${from} to ${to}`))).toEqual(
    new Set(['turnpike@gateway.test to oncall@example.test']),
  );
  expect([...new Set(mailbox.mails.map(({ data }) => /^Message-ID: <(.*)@gateway\.test>$/m.exec(data)?.[1]))]).toEqual(idsOf('Mail'));
  expect([...new Set(mailbox.mails.map(({ data }) => /\n\n(.*)\n\n(Spent: \S+)/.exec(data)?.slice(1).join('. ')))]).toEqual(
    titles.map((title, index) => `${title}. Spent: ${told[index]?.settled}`),
  );
});

/** An alert of this threshold that each channel took, with what its receiver answered. */
const expected = (threshold: string, settled: bigint) => ({
  threshold,
  settled,
  deliveries: ['Hook DELIVERED 204', 'Slack DELIVERED 204', 'Mail DELIVERED 250'],
});

type Alert = Static<typeof Alerts>['budgetAlerts']['nodes'][number];

const summaryOf = ({ threshold, settled, deliveries }: Alert) => ({
  threshold,
  settled: picoFromUsdText(settled),
  deliveries: deliveries.map(({ channel, state, attempts }) => `${channel.name} ${state} ${attempts.at(-1)?.statusCode}`),
});

/** Newest first. */
async function alertsOf(budgetId: string): Promise<readonly Alert[]> {
  const { budgetAlerts } = await product.graphql(
    Alerts,
    `query ($budgetId: ID!) { budgetAlerts(first: 3, budgetId: $budgetId) { nodes {
      id threshold settled deliveries { id state channel { name } attempts { statusCode } } } } }`,
    { budgetId },
  );
  return budgetAlerts.nodes;
}

/** @returns the secret of a webhook. */
async function makeChannel(input: { readonly name: string; readonly kind: string; readonly url?: string; readonly recipients?: string[] }) {
  const { alertChannelCreate } = await product.graphql(
    ChannelMade,
    'mutation ($input: AlertChannelCreateInput!) { alertChannelCreate(input: $input) { secret alertChannel { id } errors { message } } }',
    { input: { idempotencyKey: randomUUID(), ...input } },
  );
  expect(alertChannelCreate.errors).toEqual([]);
  return alertChannelCreate.secret;
}

/** Ten cents a day for what is tagged so. @returns its id. */
async function makeBudget(): Promise<string> {
  // Days that begin twelve hours from now: none ends while the test runs.
  const anchor = `2001-01-01T${String((new Date().getUTCHours() + 12) % 24).padStart(2, '0')}:00:00`;
  const { budgetCreate } = await product.graphql(
    BudgetMade,
    'mutation ($input: BudgetCreateInput!) { budgetCreate(input: $input) { budget { id } errors { message } } }',
    {
      input: {
        idempotencyKey: randomUUID(),
        name: 'Checkout',
        selector: [{ dimension: 'TAG', tagKey: 'service', in: ['checkout'] }],
        limits: [{ unit: 'USD', amount: '0.1', window: { kind: 'DAY', anchor } }],
        thresholds: ['5', '10'],
        enforcement: 'ENFORCE',
      },
    },
  );
  expect(budgetCreate.errors).toEqual([]);
  return budgetCreate.budget.id;
}

/** A key that the budget counts; made after it, so that whoever knows the key knows the budget. */
async function makeKey(): Promise<string> {
  const { apiKeyCreate } = await product.graphql(
    Created,
    'mutation ($input: ApiKeyCreateInput!) { apiKeyCreate(input: $input) { secret apiKey { id } errors { message } } }',
    { input: { idempotencyKey: randomUUID(), name: 'checkout', tags: [{ name: 'service', value: 'checkout' }] } },
  );
  expect(apiKeyCreate.errors).toEqual([]);
  return apiKeyCreate.secret;
}

/** Asks with the official client until its answers cost so much altogether. @returns what they cost, in pico-USD. */
function spending(apiKey: string): (untilPicoUsd: bigint) => Promise<bigint> {
  const client = new OpenAI({ baseURL: product.endpoints.proxyUrl, apiKey, timeout: 30_000 });
  let spent = 0n;
  const once = async (): Promise<bigint> => {
    const content = 'tell me when it gets dear '.repeat(400);
    const asked = client.chat.completions.create({ model: 'sim/echo', messages: [{ role: 'user', content }], max_tokens: 3_000 });
    const { response } = await asked.withResponse();
    return picoFromUsdText(response.headers.get('x-turnpike-cost-usd') ?? '');
  };
  return async (untilPicoUsd) => {
    // The key is on its way to the proxy still; a request with a key that is unknown costs nothing.
    if (spent === 0n) spent = await eventually(once, patienceMs);
    while (spent < untilPicoUsd) spent += await once();
    return spent;
  };
}
