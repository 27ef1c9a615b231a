import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { idFromUuid } from '../../../../schema/values/ids.ts';
import { startAlertChores } from '../../../../services/api/alerts/alert-chores.ts';
import type { BegunTry } from '../../../../services/api/alerts/delivery-queue.ts';
import { createDeliveryQueue } from '../../../../services/api/alerts/delivery-queue.ts';
import { forgetDeliveries } from '../../../../services/api/alerts/forget-deliveries.ts';
import type { HttpSender } from '../../../../services/api/alerts/http-sender.ts';
import { createHttpSender } from '../../../../services/api/alerts/http-sender.ts';
import { createMailSender } from '../../../../services/api/alerts/mail-sender.ts';
import type { SendAlert } from '../../../../services/api/alerts/send-alert.ts';
import { createSendAlert } from '../../../../services/api/alerts/send-alert.ts';
import {
  archiveAlertChannel,
  createAlertChannel,
  rotateWebhookSecret,
  updateAlertChannel,
} from '../../../../services/registry/alerts/alert-channels.ts';
import { redeliverAlert, testAlertChannel } from '../../../../services/registry/alerts/alert-deliveries.ts';
import { handOutAlert } from '../../../../services/registry/alerts/hand-out-alert.ts';
import type { Change } from '../../../../services/registry/change.ts';
import { createLog } from '../../../../services/runtime/log.ts';
import { systemRandom } from '../../../../services/runtime/random.ts';
import { makeBudget, raiseAlert } from '../../../harness/alerts.ts';
import { eventually } from '../../../harness/eventually.ts';
import type { MailReceiver } from '../../../harness/mail-receiver.ts';
import { startMailReceiver } from '../../../harness/mail-receiver.ts';
import type { TestDatabase } from '../../../harness/postgres.ts';
import { createTestDatabase } from '../../../harness/postgres.ts';
import { changeOf, makeOrganization, testSecrets } from '../../../harness/registry.ts';
import type { WebhookReceiver } from '../../../harness/webhook-receiver.ts';
import { signaturesBy, startWebhookReceiver } from '../../../harness/webhook-receiver.ts';

const hourMs = 3_600_000;
const never = new AbortController().signal;
let database: TestDatabase;
let receiver: WebhookReceiver;
let mailbox: MailReceiver;
let http: HttpSender;
let send: SendAlert;
let organizationId = '';
let budgetId = '';
let organizations = 0;
/** Time is ours here: a day of tries takes no time. */
const clock = { now: () => nowMs, monotonic: () => nowMs };
const startedMs = Date.parse('2026-11-21T20:00:00Z');
let nowMs = startedMs;
const by = { clock, random: { ...systemRandom, fraction: () => 0 } };
const queue = () => createDeliveryQueue({ db: database.writer.db, ...by });
const idle = { channels: [], organizations: [] };

beforeAll(async () => {
  database = await createTestDatabase();
  receiver = await startWebhookReceiver();
  mailbox = await startMailReceiver();
  http = createHttpSender();
  const mail = createMailSender({ host: '127.0.0.1', port: mailbox.port, tls: false, login: null, from: 'turnpike@gateway.test' });
  send = createSendAlert({ senders: { http, mail }, secrets: testSecrets, clock });
});
afterAll(async () => {
  await http.close();
  await receiver[Symbol.asyncDispose]();
  await mailbox[Symbol.asyncDispose]();
  await database.drop();
});
beforeEach(async () => {
  organizations += 1;
  nowMs = startedMs;
  receiver.answer = 204;
  organizationId = await makeOrganization(database.writer.db, `alerted-${organizations}`);
  budgetId = await makeBudget(database.writer.db, organizationId, 'Checkout');
  // What an earlier test left for later must not be due here.
  await database.writer.db.deleteFrom('alert_deliveries').execute();
});

const change = <Result>(write: (change: Change) => Promise<Result>, id = organizationId) =>
  changeOf(database.writer.db, id, (made) => write({ ...made, ...by }));
const plain = { url: null, recipients: null, budgetIds: null };
const makeWebhook = (more: { name?: string; budgetIds?: string[]; url?: string } = {}) =>
  change((made) => createAlertChannel(made, { ...plain, name: 'hook', kind: 'webhook', url: receiver.url, ...more }, testSecrets));
const raise = async (of = budgetId) => raiseAlert(database.writer.db, organizationId, of);
const handOutAll = async () => {
  while (await handOutAlert(database.writer.db, by));
};
/** Makes every try that is due now; returns how they ended. */
async function deliverDue(): Promise<string[]> {
  const ends: string[] = [];
  for (let begun = await queue().begin(idle); begun !== null; begun = await queue().begin(idle)) {
    const outcome = await send(begun, never);
    await queue().end(begun, outcome);
    ends.push(outcome.kind);
  }
  return ends;
}
const deliveries = () =>
  database.writer.db.selectFrom('alert_deliveries').selectAll().where('organization_id', '=', organizationId).orderBy('id').execute();
const channelOf = (id: string) =>
  database.writer.db.selectFrom('alert_channels').selectAll().where('id', '=', id).executeTakeFirstOrThrow();
const skipTo = async () => {
  const [next] = await database.writer.db
    .selectFrom('alert_deliveries')
    .select('next_at')
    .where('state', '=', 'pending')
    .orderBy('next_at')
    .execute();
  nowMs = next?.next_at?.getTime() ?? nowMs;
};

test('an alert becomes one delivery for each channel that wants it, however often and by however many it is handed out', async () => {
  const other = await makeBudget(database.writer.db, organizationId, 'Search');
  const wanting = [(await makeWebhook({ name: 'all' })).channel.id, (await makeWebhook({ name: 'one', budgetIds: [budgetId] })).channel.id];
  await makeWebhook({ name: 'another', budgetIds: [other] });
  const { channel: archived } = await makeWebhook({ name: 'archived' });
  await change((made) => archiveAlertChannel(made, { id: archived.id, expectedVersion: 1 }));
  const stranger = await makeOrganization(database.writer.db, `stranger-${organizations}`);
  await change((made) => createAlertChannel(made, { ...plain, name: 'x', kind: 'webhook', url: receiver.url }, testSecrets), stranger);
  const alertIds = [await raise(), await raise()].sort();
  await Promise.all(Array.from({ length: 4 }, handOutAll));
  await handOutAll();
  const rows = await database.writer.db.selectFrom('alert_deliveries').select(['alert_id', 'channel_id', 'state']).execute();
  const expected = alertIds.flatMap((alert_id) => wanting.map((channel_id) => ({ alert_id, channel_id, state: 'pending' })));
  expect(rows).toHaveLength(4);
  expect(rows).toEqual(expect.arrayContaining(expected));
});

test('an alert that nobody wants is handed out too, and waits for no channel of later', async () => {
  await raise();
  await handOutAll();
  await makeWebhook();
  await handOutAll();
  expect(await deliveries()).toEqual([]);
});

test('a webhook arrives signed by the secret that was shown, with the id of its delivery and the time of the try', async () => {
  const { secret } = await makeWebhook();
  const alertId = await raise();
  await handOutAll();
  expect(await deliverDue()).toEqual(['delivered']);
  const [row] = await deliveries();
  const [arrived] = receiver.received.slice(-1);
  expect(arrived?.headers).toMatchObject({
    'webhook-id': idFromUuid('alertDelivery', row?.id ?? ''),
    'webhook-timestamp': String(startedMs / 1_000),
  });
  expect(arrived === undefined ? 0 : signaturesBy(secret ?? '', arrived)).toBe(1);
  expect(JSON.parse(arrived?.body ?? '')).toMatchObject({
    type: 'budget.threshold',
    timestamp: '2026-11-21T20:00:00.000Z',
    data: {
      alert: { id: idFromUuid('budgetAlert', alertId) },
      budget: { id: idFromUuid('budget', budgetId), name: 'Checkout' },
      limit: { unit: 'usd', amount: '100' },
      threshold: '80',
      settled: '80.000000000001',
      group: null,
    },
  });
  expect(row).toMatchObject({ state: 'delivered', next_at: null, tries: 1 });
});

test('while a secret is rotated both sign; when the grace is over the new one alone does', async () => {
  const { channel, secret: old } = await makeWebhook();
  const { secret } = await change((made) =>
    rotateWebhookSecret(made, { id: channel.id, graceMs: hourMs, replaceNewest: false }, testSecrets),
  );
  const signed = async () => {
    await change((made) => testAlertChannel(made, { id: channel.id }));
    await deliverDue();
    const arrived = receiver.received.at(-1);
    return arrived === undefined ? [] : [secret, old ?? ''].map((one) => signaturesBy(one, arrived));
  };
  expect(await signed()).toEqual([1, 1]);
  nowMs += hourMs;
  expect(await signed()).toEqual([1, 0]);
});

test('a secret that reached nobody is replaced, and the one in use keeps its grace', async () => {
  const { channel, secret: old } = await makeWebhook();
  const rotate = (replaceNewest: boolean) =>
    change((made) => rotateWebhookSecret(made, { id: channel.id, graceMs: hourMs, replaceNewest }, testSecrets));
  await expect(rotate(true)).rejects.toMatchObject({ code: 'invalid' });
  const lost = await rotate(false);
  const kept = await rotate(true);
  await change((made) => testAlertChannel(made, { id: channel.id }));
  await deliverDue();
  const arrived = receiver.received.at(-1);
  expect([kept.secret, old ?? '', lost.secret].map((one) => arrived && signaturesBy(one, arrived))).toEqual([1, 1, 0]);
});

test('Slack gets its message at the URL that nobody can read any more, and a mail reaches its recipients', async () => {
  const slackUrl = receiver.url.replace('/hook', '/services/T0/B0/verysecret');
  await change((made) => createAlertChannel(made, { ...plain, name: 'slack', kind: 'slack', url: slackUrl }, testSecrets));
  await change((made) =>
    createAlertChannel(made, { ...plain, name: 'mail', kind: 'email', recipients: ['oncall@example.test'] }, testSecrets),
  );
  const before = mailbox.mails.length;
  await raise();
  await handOutAll();
  expect(await deliverDue()).toEqual(['delivered', 'delivered']);
  const arrived = receiver.received.at(-1);
  expect(arrived?.path).toBe('/services/T0/B0/verysecret');
  expect(arrived?.headers['webhook-signature']).toBeUndefined();
  expect(JSON.parse(arrived?.body ?? '').text).toContain('Budget "Checkout" has come to 80% of 100 USD');
  const [mail] = mailbox.mails.slice(before);
  expect(mail?.to).toEqual(['oncall@example.test']);
  expect(mail?.data).toMatch(/^Message-ID: <dlv_[0-9a-z]{26}@gateway\.test>$/m);
  const stored = JSON.stringify(await database.writer.db.selectFrom('alert_channels').selectAll().execute());
  const audited = JSON.stringify(await database.writer.db.selectFrom('audit_events').select(['changes', 'targets']).execute());
  expect([stored.includes('verysecret'), audited.includes('verysecret')]).toEqual([false, false]);
});

test('what is not taken is tried eight times over a day under one id; then it is given up, the channel disabled, and the others told', async () => {
  const { channel } = await makeWebhook({ name: 'failing' });
  await raise();
  await handOutAll();
  const { channel: other } = await makeWebhook({ name: 'other', url: `${receiver.url}/other` });
  receiver.answer = 500;
  const before = receiver.received.length;
  const triedAt: number[] = [];
  for (let tries = 0; tries < 8; tries++) {
    triedAt.push(nowMs - startedMs);
    expect(
      await queue()
        .begin(idle)
        .then(async (begun) => begun && queue().end(begun, await send(begun, never))),
    ).not.toBeNull();
    if (tries < 7) {
      nowMs += 1;
      const early = nowMs;
      expect(await queue().begin(idle)).toBeNull();
      await skipTo();
      expect(nowMs).toBeGreaterThan(early);
    }
  }
  const minutes = triedAt.map((ms) => Math.round(ms / 60_000));
  expect(minutes).toEqual([0, 0, 1, 6, 36, 156, 516, 1_440]);
  const tried = receiver.received.slice(before);
  expect(tried).toHaveLength(8);
  expect(new Set(tried.map(({ headers }) => headers['webhook-id'])).size).toBe(1);
  expect(new Set(tried.map(({ body }) => body)).size).toBe(1);
  expect(new Set(tried.map(({ headers }) => headers['webhook-timestamp'])).size).toBe(8);
  expect(await channelOf(channel.id)).toMatchObject({ disabled_reason: 'undeliverable', failing_since: new Date(startedMs), version: 2 });
  const [given, told] = await deliveries();
  expect(given).toMatchObject({ state: 'failed', tries: 8, attempts: 8, next_at: null });
  expect(told).toMatchObject({ channel_id: other.id, type: 'alert_channel.disabled', state: 'pending', alert_id: null });
  const audit = await database.writer.db
    .selectFrom('audit_events')
    .select('action')
    .where('organization_id', '=', organizationId)
    .execute();
  expect(audit.map(({ action }) => action)).toContain('alert_channel.disable');
  const attempts = await database.writer.db
    .selectFrom('alert_delivery_attempts')
    .selectAll()
    .where('delivery_id', '=', given?.id ?? '')
    .execute();
  expect(attempts.map(({ status, error }) => [status, error])).toEqual(Array(8).fill([500, 'The receiver answered HTTP 500.']));
});

test('a channel through which something got meanwhile is not disabled for a message that is given up', async () => {
  const { channel } = await makeWebhook();
  await raise();
  await handOutAll();
  receiver.answer = 500;
  await deliverDue();
  nowMs += 1;
  receiver.answer = 204;
  await raise();
  await handOutAll();
  expect(await deliverDue()).toEqual(['delivered']);
  expect((await channelOf(channel.id)).failing_since).toBeNull();
  receiver.answer = 500;
  for (let tries = 1; tries < 8; tries++) {
    await skipTo();
    await deliverDue();
  }
  expect((await deliveries()).map(({ state }) => state).sort()).toEqual(['delivered', 'failed']);
  expect(await channelOf(channel.id)).toMatchObject({ disabled_at: null, version: 1 });
});

test('who says to be gone is disabled at once; what was to come is put aside, and comes after all when it is enabled and asked for', async () => {
  const { channel } = await makeWebhook();
  await raise();
  await raise();
  await handOutAll();
  receiver.answer = 410;
  expect(await deliverDue()).toEqual(['gone']);
  expect(await channelOf(channel.id)).toMatchObject({ disabled_reason: 'gone' });
  await raise();
  await handOutAll();
  expect((await deliveries()).map(({ state }) => state).sort()).toEqual(['failed', 'skipped', 'skipped']);
  const skipped = (await deliveries()).find(({ state }) => state === 'skipped')?.id ?? '';
  await expect(change((made) => redeliverAlert(made, { id: skipped }))).rejects.toMatchObject({ code: 'invalid' });
  await change((made) => updateAlertChannel(made, { id: channel.id, expectedVersion: 2, disabled: false }, testSecrets));
  receiver.answer = 204;
  expect(await deliverDue()).toEqual([]);
  await change((made) => redeliverAlert(made, { id: skipped }));
  expect(await deliverDue()).toEqual(['delivered']);
});

test('what was delivered is sent again under the same id when that is asked for, and not while it is pending', async () => {
  await makeWebhook();
  await raise();
  await handOutAll();
  const id = (await deliveries())[0]?.id ?? '';
  await expect(change((made) => redeliverAlert(made, { id }))).rejects.toMatchObject({ code: 'invalid' });
  await deliverDue();
  await change((made) => redeliverAlert(made, { id }));
  expect(await deliverDue()).toEqual(['delivered']);
  const [first, second] = receiver.received.slice(-2);
  expect(second?.headers['webhook-id']).toBe(first?.headers['webhook-id']);
  expect(second?.body).toBe(first?.body);
  expect((await deliveries())[0]).toMatchObject({ state: 'delivered', tries: 1, attempts: 2 });
});

test('a process that dies between sending and booking it leaves it to be sent again under the same id, and what it might still say changes nothing', async () => {
  await makeWebhook();
  await raise();
  await handOutAll();
  const lost = await queue().begin(idle);
  const outcome = lost && (await send(lost, never));
  // Nobody else takes it while it may be under way.
  nowMs += 60_000;
  expect(await queue().begin(idle)).toBeNull();
  nowMs += 60_000;
  receiver.answer = 500;
  expect(await deliverDue()).toEqual(['failed']);
  const [first, second] = receiver.received.slice(-2);
  expect(second?.headers['webhook-id']).toBe(first?.headers['webhook-id']);
  if (lost !== null && outcome !== null) await queue().end(lost, outcome);
  expect((await deliveries())[0]).toMatchObject({ state: 'pending', attempts: 2 });
  const attempts = await database.writer.db
    .selectFrom('alert_delivery_attempts')
    .select(['attempt', 'status'])
    .where('delivery_id', '=', lost?.deliveryId ?? '')
    .orderBy('attempt')
    .execute();
  expect(attempts).toEqual([
    { attempt: 1, status: 204 },
    { attempt: 2, status: 500 },
  ]);
});

test('a try that this process had to cut off has cost nothing and is due at once', async () => {
  await makeWebhook();
  await raise();
  await handOutAll();
  const begun = await queue().begin(idle);
  if (begun !== null) await queue().giveBack(begun);
  expect((await deliveries())[0]).toMatchObject({ state: 'pending', tries: 0, attempts: 1, next_at: new Date(nowMs) });
});

test('of several processes one begins each try, and none of a channel or an organization that is busy', async () => {
  await makeWebhook();
  for (let alerts = 0; alerts < 3; alerts++) await raise();
  await handOutAll();
  expect(await queue().begin({ channels: [(await deliveries())[0]?.channel_id ?? ''], organizations: [] })).toBeNull();
  expect(await queue().begin({ channels: [], organizations: [organizationId] })).toBeNull();
  const begun = await Promise.all(Array.from({ length: 4 }, () => queue().begin(idle)));
  const ids = begun.filter((one): one is BegunTry => one !== null).map(({ deliveryId }) => deliveryId);
  // One that looked while another's was locked may have found nothing: it looks again.
  while (ids.length < 3) ids.push((await queue().begin(idle))?.deliveryId ?? 'none');
  expect(new Set(ids).size).toBe(3);
  expect(await queue().begin(idle)).toBeNull();
});

test("a test is sent once, through a disabled channel too, and says nothing for or against it; a mail server's absence disables nobody", async () => {
  const { channel } = await makeWebhook();
  await change((made) => updateAlertChannel(made, { id: channel.id, expectedVersion: 1, disabled: true }, testSecrets));
  await change((made) => testAlertChannel(made, { id: channel.id }));
  receiver.answer = 410;
  expect(await deliverDue()).toEqual(['gone']);
  expect(await channelOf(channel.id)).toMatchObject({ disabled_reason: 'by_hand', failing_since: null });
  const { channel: mail } = await change((made) =>
    createAlertChannel(made, { ...plain, name: 'mail', kind: 'email', recipients: ['oncall@example.test'] }, testSecrets),
  );
  await raise();
  await handOutAll();
  const mailless = createSendAlert({ senders: { http, mail: null }, secrets: testSecrets, clock });
  for (let tries = 0; tries < 8; tries++) {
    await skipTo();
    const begun = await queue().begin(idle);
    if (begun !== null) await queue().end(begun, await mailless(begun, never));
  }
  expect((await deliveries()).filter(({ channel_id }) => channel_id === mail.id)).toMatchObject([{ state: 'failed', attempts: 8 }]);
  expect(await channelOf(mail.id)).toMatchObject({ disabled_at: null, failing_since: null });
});

test("a secret that was moved to another channel's row opens nothing there", async () => {
  const { channel } = await makeWebhook();
  const { channel: other } = await makeWebhook({ name: 'other' });
  const { sealed } = await channelOf(channel.id);
  await database.writer.db.updateTable('alert_channels').set({ sealed }).where('id', '=', other.id).execute();
  await change((made) => testAlertChannel(made, { id: other.id }));
  const begun = await queue().begin(idle);
  await expect(begun && send(begun, never)).rejects.toThrow(/sealed for another place/);
});

test('ninety days after it was over a delivery is forgotten with its tries', async () => {
  await makeWebhook();
  await raise();
  await handOutAll();
  await deliverDue();
  await forgetDeliveries(database.writer.db, nowMs + 90 * 24 * hourMs);
  expect(await deliveries()).toHaveLength(1);
  await forgetDeliveries(database.writer.db, nowMs + 90 * 24 * hourMs + 1);
  expect(await deliveries()).toEqual([]);
});

test('all of it runs by itself: an alert arrives, beside one that cannot be made ready, and the end waits for what is under way', async () => {
  const { channel } = await makeWebhook();
  await database.writer.db
    .updateTable('alert_channels')
    .set({ sealed: Buffer.alloc(40) })
    .where('id', '=', channel.id)
    .execute();
  const { secret } = await makeWebhook({ name: 'whole', url: `${receiver.url}/whole` });
  const log = createLog({ name: 'api', level: 'silent' });
  const ends: string[] = [];
  const chores = startAlertChores({
    db: database.writer.db,
    senders: { http, mail: null },
    secrets: testSecrets,
    ...by,
    log,
    observe: (kind) => ends.push(kind),
  });
  try {
    await raise();
    const arrived = await eventually(() => receiver.received.find(({ path }) => path === '/hook/whole'));
    expect(signaturesBy(secret ?? '', arrived)).toBe(1);
    await eventually(async () => (await deliveries()).filter(({ state, tries }) => state === 'delivered' || tries === 1).length === 2);
    await eventually(() => ends.length === 2);
    expect(ends.sort()).toEqual(['delivered', 'not_sent']);
  } finally {
    await chores.stop();
  }
});
