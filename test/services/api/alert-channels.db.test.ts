import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { idFromUuid } from '../../../schema/values/ids.ts';
import { makeBudget, raiseAlert } from '../../harness/alerts.ts';
import { eventually } from '../../harness/eventually.ts';
import { freePort } from '../../harness/free-port.ts';
import type { TestAdministrator } from '../../harness/graphql-administrator.ts';
import { startAdministrator } from '../../harness/graphql-administrator.ts';
import type { WebhookReceiver } from '../../harness/webhook-receiver.ts';
import { signaturesBy, startWebhookReceiver } from '../../harness/webhook-receiver.ts';

let admin: TestAdministrator;
let receiver: WebhookReceiver;
beforeAll(async () => {
  admin = await startAdministrator();
  receiver = await startWebhookReceiver();
});
afterAll(async () => {
  await admin[Symbol.asyncDispose]();
  await receiver[Symbol.asyncDispose]();
});

interface Channel {
  readonly alertChannel: Record<string, unknown> & { readonly id: string; readonly version: number };
  readonly secret?: string | null;
}
const fields = `alertChannel { id version name kind url recipients budgets { id } previousSecretEndsAt failingSince disabledAt disabledReason archivedAt }`;
let made = 0;
const create = (input: Record<string, unknown>) => {
  made += 1;
  return admin.change<Channel>(
    'alertChannelCreate',
    { idempotencyKey: `channel ${made}`, name: `channel ${made}`, ...input },
    `${fields} secret`,
  );
};
const errorsOf = async (input: Record<string, unknown>) => (await create(input)).errors.map(({ code, path }) => [code, path.at(-1)]);

test('a webhook is made with a secret that is shown once, tested, and what became of the test can be looked at', async () => {
  const created = await create({ kind: 'WEBHOOK', url: receiver.url });
  expect(created).toMatchObject({ errors: [], alertChannel: { kind: 'WEBHOOK', url: receiver.url, budgets: null, disabledAt: null } });
  expect(created.secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
  const input = { idempotencyKey: `channel ${made}`, name: `channel ${made}`, kind: 'WEBHOOK', url: receiver.url };
  const replay = await admin.change<Channel>('alertChannelCreate', input, `${fields} secret`);
  expect([replay.replayed, replay.secret, replay.alertChannel.id]).toEqual([true, null, created.alertChannel.id]);

  const tried = await admin.change<{ alertDelivery: { id: string } }>(
    'alertChannelTest',
    { idempotencyKey: 'try it', id: created.alertChannel.id },
    'alertDelivery { id }',
  );
  const arrived = await eventually(() => receiver.received.find(({ headers }) => headers['webhook-id'] === tried.alertDelivery.id));
  expect(signaturesBy(created.secret ?? '', arrived)).toBe(1);
  type Deliveries = { alertDeliveries: { nodes: Record<string, unknown>[] } };
  const query = `query D($filter: AlertDeliveryFilter!) { alertDeliveries(first: 5, filter: $filter) { nodes {
    id type state body alertId nextAttemptAt finishedAt channel { id } attempts { number statusCode error startedAt endedAt } } } }`;
  const filter = { channelId: created.alertChannel.id, states: ['DELIVERED'] };
  const [delivery] = await eventually(async () => {
    const { data } = await admin.api.ask<Deliveries>(admin.tenant.adminKey, query, { filter });
    return data?.alertDeliveries.nodes.length === 1 ? data.alertDeliveries.nodes : null;
  });
  expect(delivery).toMatchObject({
    id: tried.alertDelivery.id,
    type: 'alert_channel.test',
    body: arrived.body,
    alertId: null,
    nextAttemptAt: null,
    channel: { id: created.alertChannel.id },
    attempts: [{ number: 1, statusCode: 204, error: null }],
  });

  const again = await admin.change<{ alertDelivery: { state: string } }>(
    'webhookRedeliver',
    { idempotencyKey: 'again', id: tried.alertDelivery.id },
    'alertDelivery { state }',
  );
  expect(again.errors).toEqual([]);
  await eventually(() => receiver.received.filter(({ headers }) => headers['webhook-id'] === tried.alertDelivery.id).length === 2);
});

test('a rotation shows the new secret once, says until when the former one signs, and is made once per key', async () => {
  const { alertChannel, secret } = await create({ kind: 'WEBHOOK', url: receiver.url });
  const rotate = (key: string, more = {}) =>
    admin.change<Channel>('webhookSecretRotate', { idempotencyKey: key, id: alertChannel.id, ...more }, `${fields} secret`);
  const rotated = await rotate('once', { graceFor: 'PT1H' });
  expect(rotated).toMatchObject({ errors: [], alertChannel: { version: 2 } });
  expect(rotated.secret).not.toBe(secret);
  const endsInMs = Date.parse(String(rotated.alertChannel.previousSecretEndsAt)) - Date.now();
  expect(endsInMs).toBeGreaterThan(0);
  expect(endsInMs).toBeLessThanOrEqual(3_600_000);
  expect(await rotate('once', { graceFor: 'PT1H' })).toMatchObject({ replayed: true, secret: null, alertChannel: { version: 2 } });
  expect((await rotate('too long', { graceFor: 'P31D' })).errors).toMatchObject([{ code: 'INVALID_INPUT', path: ['input', 'graceFor'] }]);
  const mail = await create({ kind: 'EMAIL', recipients: ['oncall@example.test'] });
  const refused = await admin.change<Channel>('webhookSecretRotate', { idempotencyKey: 'mail', id: mail.alertChannel.id }, fields);
  expect(refused.errors).toMatchObject([{ code: 'INVALID_INPUT' }]);
});

test('of Slack the origin is shown and the rest nowhere; a channel is changed by version, disabled, enabled and archived', async () => {
  const url = 'https://hooks.slack.invalid/services/T00/B00/recognizable';
  const { alertChannel, secret } = await create({ kind: 'SLACK', url });
  expect([alertChannel.url, secret]).toEqual(['https://hooks.slack.invalid', null]);
  const update = (input: Record<string, unknown>) => admin.change<Channel>('alertChannelUpdate', { id: alertChannel.id, ...input }, fields);
  const moved = await update({ expectedVersion: 1, url: `${url}2`, name: 'On call' });
  expect(moved).toMatchObject({ errors: [], alertChannel: { version: 2, name: 'On call', url: 'https://hooks.slack.invalid' } });
  expect((await update({ expectedVersion: 1, name: 'late' })).errors).toMatchObject([{ code: 'VERSION_CONFLICT' }]);
  expect((await update({ expectedVersion: 2, recipients: ['a@b.test'] })).errors).toMatchObject([{ code: 'INVALID_INPUT' }]);
  const disabled = await update({ expectedVersion: 2, disabled: true });
  expect(disabled.alertChannel).toMatchObject({ version: 3, disabledReason: 'BY_HAND' });
  expect((await update({ expectedVersion: 3, disabled: false })).alertChannel).toMatchObject({ disabledAt: null, disabledReason: null });
  const archived = await admin.change<Channel>('alertChannelArchive', { id: alertChannel.id, expectedVersion: 4 }, fields);
  expect(archived.alertChannel.archivedAt).not.toBeNull();
  const { db } = admin.api.database.writer;
  const rows = await db.selectFrom('alert_channels').selectAll().where('name', '=', 'On call').execute();
  expect(rows).toMatchObject([{ sealed: null, previous_sealed: null }]);
  const audit = await db.selectFrom('audit_events').select(['action', 'changes']).execute();
  expect(JSON.stringify(audit)).not.toContain('recognizable');
  expect(audit.map(({ action }) => action)).toEqual(
    expect.arrayContaining(['alert_channel.create', 'alert_channel.update', 'alert_channel.rotate', 'alert_channel.archive']),
  );
  const { data } = await admin.api.ask<{ alertChannels: { nodes: { name: string }[] } }>(
    admin.tenant.adminKey,
    '{ alertChannels(first: 50) { nodes { name } } }',
  );
  expect(data?.alertChannels.nodes.map(({ name }) => name)).not.toContain('On call');
});

test('what cannot be delivered to is refused when it is made', async () => {
  for (const url of [
    'ftp://x.invalid',
    'file:///etc/passwd',
    'https://user:word@x.invalid',
    'https://x.invalid#part',
    'nonsense',
    undefined,
  ]) {
    expect([url, await errorsOf({ kind: 'WEBHOOK', url })]).toEqual([url, [['INVALID_INPUT', 'url']]]);
  }
  for (const recipients of [[], ['nobody'], ['A <a@b.test>'], ['a@b.test, c@d.test'], ['a@b.test\r\nbcc: c@d.test'], undefined]) {
    expect([recipients, await errorsOf({ kind: 'EMAIL', recipients })]).toEqual([recipients, [['INVALID_INPUT', 'recipients']]]);
  }
  expect(await errorsOf({ kind: 'SLACK', url: receiver.url, recipients: ['a@b.test'] })).toEqual([['INVALID_INPUT', 'recipients']]);
  expect(await errorsOf({ kind: 'EMAIL', url: receiver.url, recipients: ['a@b.test'] })).toEqual([['INVALID_INPUT', 'url']]);
  expect(await errorsOf({ kind: 'WEBHOOK', url: receiver.url, budgetIds: [] })).toEqual([['INVALID_INPUT', 'budgetIds']]);
  await create({ name: 'Twice', kind: 'WEBHOOK', url: receiver.url });
  expect(await errorsOf({ name: 'twice', kind: 'WEBHOOK', url: receiver.url })).toEqual([['NAME_TAKEN', 'name']]);
});

test('the receiver of the README takes what is signed by its secret, and refuses what is not', async () => {
  const readme = readFileSync(new URL('../../../README.md', import.meta.url), 'utf8');
  const program = /saved as `receiver\.mjs`:\n\n```js\n([\s\S]*?)```/.exec(readme)?.[1] ?? '';
  const port = await freePort();
  const url = `http://127.0.0.1:${port}/`;
  const { alertChannel, secret } = await create({ kind: 'WEBHOOK', url });
  const child = spawn(process.execPath, ['--input-type=module', '--eval', program], {
    env: { WEBHOOK_SECRET: secret ?? '', PORT: String(port) },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let printed = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    printed += text;
  });
  try {
    const headers = { 'webhook-id': 'dlv_1', 'webhook-timestamp': String(Math.floor(Date.now() / 1_000)) };
    const unsigned = await eventually(() => fetch(url, { method: 'POST', headers, body: '{}' }).catch(() => null));
    const forged = await fetch(url, { method: 'POST', headers: { ...headers, 'webhook-signature': `v1,${'A'.repeat(43)}=` }, body: '{}' });
    expect([unsigned.status, forged.status, printed]).toEqual([401, 401, '']);
    await admin.change('alertChannelTest', { idempotencyKey: 'readme', id: alertChannel.id }, 'alertDelivery { id }');
    await eventually(() => printed.includes('"type":"alert_channel.test"'));
  } finally {
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
});

test('no reader can select what is sealed', async () => {
  const { db } = admin.api.database.reader;
  for (const column of ['sealed', 'previous_sealed', 'data_key_id'] as const) {
    await expect(db.selectFrom('alert_channels').select(column).execute()).rejects.toThrow(/permission denied/);
  }
});

test('an alert leads to what was sent of it, and what was sent to its alert, for who may read both', async () => {
  const { db } = admin.api.database.writer;
  const { organizationId } = admin.tenant;
  const budgetId = await makeBudget(db, organizationId, 'linked');
  const channel = await create({ kind: 'WEBHOOK', url: receiver.url, budgetIds: [idFromUuid('budget', budgetId)] });
  const alert = idFromUuid('budgetAlert', await raiseAlert(db, organizationId, budgetId));
  const { secret } = await admin.api.makeKey(organizationId, ['budget:read']);
  const { secret: ofChannels } = await admin.api.makeKey(organizationId, ['alert_channel:read']);
  const deliveries = 'deliveries { id channel { id } alertId alert { threshold budget { name } deliveries { id } } }';
  type Sent = { id: string; channel: { id: string } };
  // Channels of every budget are told of it as well.
  const shown = await eventually(async () => {
    const { data } = await admin.api.ask<{ node: { deliveries: Sent[] } }>(
      admin.tenant.adminKey,
      `{ node(id: "${alert}") { ... on BudgetAlert { ${deliveries} } } }`,
    );
    return data?.node.deliveries.find((delivery) => delivery.channel.id === channel.alertChannel.id);
  });
  expect(shown).toMatchObject({ alertId: alert, alert: { threshold: '80', budget: { name: 'linked' } } });
  expect(shown).toMatchObject({ alert: { deliveries: expect.arrayContaining([{ id: shown.id }]) } });
  const refused = await admin.api.ask(secret, `{ node(id: "${alert}") { ... on BudgetAlert { deliveries { id } } } }`);
  expect(refused.errors).toMatchObject([{ extensions: { code: 'FORBIDDEN' } }]);
  const { data } = await admin.api.ask(ofChannels, `{ node(id: "${shown.id}") { ... on AlertDelivery { alertId alert { id } } } }`);
  expect(data).toEqual({ node: { alertId: alert, alert: null } });
});
